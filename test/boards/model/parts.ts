import type { VirtualClock } from "../../../host-tools/sim/virtual-clock.js";
import type { Random } from "../../../host-tools/sim/random.js";
import { Violation, type Peripheral } from "./bus.js";

/** A counter that can be started: TIM2..TIM5 as far as the HAL uses them. */
export class Timer implements Peripheral {
  private readonly values: Record<number, number> = {
    0x00: 0,
    0x04: 0,
    0x08: 0,
    0x14: 0,
    0x28: 0,
    0x2c: 0xffffffff,
  };
  private prescaler = 0;
  private startNs = 0;

  constructor(
    private readonly clock: VirtualClock,
    private readonly timerHz: () => number,
    private readonly bits: 16 | 32,
    /** The timer whose overflows this one can count, on trigger input ITR1. */
    private readonly master?: Timer,
  ) {}

  /** Overflows since the start, at an instant. */
  overflows(nowNs: number): number {
    if ((this.values[0x04] as number) !== 0x20) throw new Violation("the master gives no trigger");
    return Math.floor(this.ticks(nowNs) / 2 ** this.bits);
  }

  read(offset: number): number {
    if (offset !== 0x24) return this.value(offset);
    if (!this.on) return 0;
    const { nowNs } = this.clock;
    // RM0008 gives no bound for the time from trigger to count: take more than a register access.
    const ticks = this.slave
      ? (this.master as Timer).overflows(nowNs - 8e9 / this.timerHz())
      : this.ticks(nowNs);
    return Math.floor(ticks) % 2 ** this.bits;
  }

  write(offset: number, value: number): void {
    this.value(offset);
    if (offset === 0x14) this.prescaler = this.value(0x28);
    else this.values[offset] = value;
    if (offset === 0x08 && value !== 0 && value !== 0x17) throw new Violation("trigger mode");
    if (offset !== 0x00 || !this.on) return;
    if (!this.slave && this.prescaler !== this.value(0x28)) {
      throw new Violation("the prescaler has not been loaded");
    }
    this.startNs = this.clock.nowNs;
  }

  private get on(): boolean {
    return (this.value(0x00) & 1) !== 0;
  }

  private get slave(): boolean {
    return this.value(0x08) === 0x17;
  }

  private ticks(nowNs: number): number {
    return Math.max(0, ((nowNs - this.startNs) * this.timerHz()) / 1e9 / (this.prescaler + 1));
  }

  private value(offset: number): number {
    const value = this.values[offset];
    if (value === undefined) throw new Violation(`timer register ${offset}`);
    return value;
  }
}

/** The transmitter of a USART: a byte in the shift register and one behind it. */
export class Usart implements Peripheral {
  private readonly values: Record<number, number> = { 0x08: 0, 0x0c: 0, 0x10: 0, 0x14: 0 };
  private waiting: number | undefined;
  private shifting = false;

  constructor(
    private readonly clock: VirtualClock,
    private readonly busHz: () => number,
    private readonly wired: () => boolean,
    private readonly onByte: (byte: number) => void,
  ) {}

  /** Is its interrupt up? */
  get interrupt(): boolean {
    return (this.value(0x0c) & 0x80) !== 0 && this.waiting === undefined;
  }

  read(offset: number): number {
    if (offset !== 0x00) return this.value(offset);
    return (this.waiting === undefined ? 0x80 : 0) | (this.shifting ? 0 : 0x40);
  }

  write(offset: number, value: number): void {
    if (offset !== 0x04) {
      const before = this.value(offset);
      this.values[offset] = value;
      if (offset === 0x0c && value & ~before & 8 && this.wired()) {
        throw new Violation(
          "the log's pin was the USART's before that could hold it high: a junk byte",
        );
      }
      return;
    }
    if ((this.value(0x0c) & 0x2008) !== 0x2008) throw new Violation("the USART is off");
    if (this.waiting !== undefined) throw new Violation("USART_DR is written while TXE is 0");
    if (!this.wired()) throw new Violation("the log's pin is not the USART's");
    this.waiting = value & 0xff;
    this.shift();
  }

  private shift(): void {
    if (this.shifting || this.waiting === undefined) return;
    const byte = this.waiting;
    const baud = this.busHz() / this.value(0x08);
    // A receiver takes about 2 % without errors.
    if (Math.abs(baud / 115200 - 1) > 0.02) throw new Violation(`${Math.round(baud)} baud`);
    this.waiting = undefined;
    this.shifting = true;
    this.clock.schedule(1e10 / baud, () => {
      this.shifting = false;
      this.onByte(byte);
      this.shift();
    });
  }

  private value(offset: number): number {
    const value = this.values[offset];
    if (value === undefined) throw new Violation(`USART register ${offset}`);
    return value;
  }
}

/** Interrupt lines 0 to 15, falling edges only. */
export class Exti implements Peripheral {
  private readonly values: Record<number, number> = { 0x00: 0, 0x08: 0, 0x0c: 0, 0x14: 0 };

  constructor(private readonly onPending: (line: number) => void) {}

  /** A line has fallen. */
  fall(line: number): void {
    if (!((this.values[0x0c] as number) & (1 << line))) return;
    this.values[0x14] = (this.values[0x14] as number) | (1 << line);
    if ((this.values[0x00] as number) & (1 << line)) this.onPending(line);
  }

  read(offset: number): number {
    const value = this.values[offset];
    if (value === undefined) throw new Violation(`EXTI register ${offset}`);
    return value;
  }

  write(offset: number, value: number): void {
    const before = this.read(offset);
    this.values[offset] = offset === 0x14 ? before & ~value : value;
  }
}

/** The independent watchdog: a register update takes five periods of an oscillator that jitters. */
export class Watchdog implements Peripheral {
  started = false;
  fed = 0;
  private unlocked = false;
  private busyUntilNs = 0;

  constructor(
    private readonly clock: VirtualClock,
    private readonly random: Random | undefined,
    private readonly oscillates: () => boolean,
  ) {}

  read(offset: number): number {
    if (offset !== 0x0c) throw new Violation(`the HAL does not read IWDG + ${offset}`);
    return this.clock.nowNs < this.busyUntilNs ? 3 : 0;
  }

  write(offset: number, value: number): void {
    if (offset === 0x00) {
      if (value === 0xcccc) this.started = true;
      if (value === 0xaaaa) this.fed++;
      this.unlocked = value === 0x5555;
      return;
    }
    if (!this.unlocked) throw new Violation("the watchdog's registers are locked");
    if (!this.started && !this.oscillates()) throw new Violation("the watchdog has no clock");
    const jitter = this.random ? this.random.fraction() * 400 : 0;
    this.busyUntilNs = this.clock.nowNs + 125_000 + jitter;
  }
}

/** The converter on its internal channels: its low bits are noise, unless it is broken. */
export class Adc implements Peripheral {
  private readonly values: Record<number, number> = {
    0x04: 0,
    0x08: 0,
    0x0c: 0,
    0x2c: 0,
    0x34: 0,
  };
  private doneNs = Infinity;

  constructor(
    private readonly clock: VirtualClock,
    private readonly random: Random | undefined,
    private readonly channels: number[],
    /** Bit of CR2 that starts a conversion, and bits that must be set for that. */
    private readonly bits: { start: number; ready: number },
    private readonly internalOn: () => boolean,
  ) {}

  read(offset: number): number {
    if (offset === 0x00) return this.clock.nowNs >= this.doneNs ? 2 : 0;
    if (offset === 0x4c) {
      if (this.clock.nowNs < this.doneNs) throw new Violation("ADC_DR is read before EOC");
      this.doneNs = Infinity;
      return 0x6a0 + (this.random ? this.random.below(6) : 0);
    }
    const value = this.values[offset];
    if (value === undefined) throw new Violation(`ADC register ${offset}`);
    return value;
  }

  write(offset: number, value: number): void {
    this.read(offset);
    // Calibration and start bits clear themselves.
    this.values[offset] = offset === 0x08 ? value & ~(this.bits.start | 0xc) : value;
    if (offset !== 0x08 || !(value & this.bits.start)) return;
    if ((value & this.bits.ready) !== this.bits.ready) throw new Violation("the ADC is not ready");
    if (!this.internalOn()) throw new Violation("the internal channels are off");
    if (!this.channels.includes(this.values[0x34] as number)) throw new Violation("ADC channel");
    this.doneNs = this.clock.nowNs + 1200;
  }
}
