import type { Random } from "../../../host-tools/sim/random.js";
import type { VirtualClock } from "../../../host-tools/sim/virtual-clock.js";
import type { ChipModel } from "../../../host-tools/sim/types.js";
import { RegisterBus, type Peripheral } from "./bus.js";
import { Core } from "./core.js";
import { Adc, Exti, Timer, Usart, Watchdog } from "./parts.js";
import { ResetClock, type ClockFaults, type ClockLayout } from "./reset-clock.js";
import { Spi, type ChipLimits } from "./spi.js";

/** What a model of an MCU is made from. */
export interface McuOptions {
  clock: VirtualClock;
  chip: ChipModel;
  limits: ChipLimits;
  random: Random;
  /** Memory of the program, for DMA. */
  memory: () => Uint8Array;
  onByte: (byte: number) => void;
  faults: ClockFaults & { deadNoise?: boolean };
}

/** A pin with a role. */
export interface Pin {
  port: number;
  pin: number;
}

/** A chip's pins and the log's. */
export interface Wiring {
  cs: Pin;
  sck: Pin;
  miso: Pin;
  mosi: Pin;
  reset: Pin;
  interrupt: Pin;
  log: Pin;
}

/** What differs between the families, seen from the parts that they share. */
export interface McuLayout {
  clocks: ClockLayout;
  rcc: number;
  flash: number;
  exti: number;
  usart: number;
  spi: number;
  adc: number;
  id: number;
  interrupts: number;
  /** RAM that nothing has written when the program starts; no other may be taken for noise. */
  powerOnRam: number;
}

const EXTI_IRQ = 6;
const USART_IRQ = 37;
const WATCHDOG = 0x40003000;
const NOISE_WORDS = 64;

/** The parts that both families have, on their bus. Pins, DMA and what is left are added by each. */
export abstract class Mcu {
  readonly bus: RegisterBus;
  readonly core: Core;
  readonly rcc: ResetClock;
  readonly spi: Spi;
  readonly usart: Usart;
  readonly watchdog: Watchdog;
  readonly exti: Exti;

  constructor(
    protected readonly options: McuOptions,
    protected readonly layout: McuLayout,
    protected readonly wiring: Wiring,
  ) {
    const { clock, chip, random, faults } = options;
    const noise = faults.deadNoise ? undefined : random;
    const rcc = new ResetClock(clock, layout.clocks, faults);
    const coreHz = (): number => rcc.coreHz;
    this.rcc = rcc;
    this.bus = new RegisterBus(clock, coreHz);
    this.core = new Core(clock, coreHz, layout.interrupts);
    this.exti = new Exti((line) => this.core.pending.add(EXTI_IRQ + line));
    this.watchdog = new Watchdog(clock, noise, () => rcc.has(layout.clocks.csr, 2));
    this.spi = new Spi(
      clock,
      chip,
      options.limits,
      () => this.spiHz(),
      () => this.spiIsWired(),
    );
    this.usart = new Usart(
      clock,
      () => rcc.apb2Hz,
      () => this.logIsWired(),
      options.onByte,
    );
    this.core.level(USART_IRQ, () => this.usart.interrupt);
    chip.onInterrupt = (low) => {
      if (low && this.lineIsJoined()) this.exti.fall(wiring.interrupt.pin);
    };
    const { bus } = this;
    bus.map(0xe000e000, 0x1000, "the core", this.core);
    bus.map(0xe0001000, 8, "the cycle counter", this.core.dwt);
    bus.map(layout.rcc, 0x80, "RCC", rcc);
    bus.map(layout.flash, 4, "FLASH", rcc.flashPort);
    bus.map(WATCHDOG, 16, "the watchdog", this.watchdog);
    bus.map(
      this.powerOnRam,
      4 * NOISE_WORDS,
      "RAM",
      constant(() => random.u32()),
    );
    bus.map(
      layout.id,
      12,
      "the unique id",
      constant((offset) => 0x00300021 * (offset + 1)),
    );
    this.map(layout.exti, 24, "EXTI", this.exti, () => true);
  }

  get powerOnRam(): number {
    return this.layout.powerOnRam;
  }

  protected abstract spiHz(): number;
  protected abstract spiIsWired(): boolean;
  protected abstract logIsWired(): boolean;
  protected abstract lineIsJoined(): boolean;

  protected map(
    base: number,
    bytes: number,
    name: string,
    peripheral: Peripheral,
    clocked: () => boolean,
  ): void {
    this.bus.map(base, bytes, name, peripheral, clocked);
  }

  protected timer(bits: 16 | 32, master?: Timer): Timer {
    return new Timer(this.options.clock, () => this.rcc.timerHz, bits, master);
  }

  protected adc(channels: number[], start: number, ready: number, on: () => boolean): Adc {
    const { clock, random, faults } = this.options;
    return new Adc(clock, faults.deadNoise ? undefined : random, channels, { start, ready }, on);
  }

  /** The output of a pin has changed. */
  protected output({ port, pin }: Pin, high: boolean): void {
    const { cs, reset } = this.wiring;
    if (port === cs.port && pin === cs.pin) this.spi.select(!high);
    if (port === reset.port && pin === reset.pin) this.options.chip.reset(!high);
  }
}

function constant(value: (offset: number) => number): Peripheral {
  return {
    read: value,
    write: () => {
      throw new Error("written");
    },
  };
}
