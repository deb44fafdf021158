import { GPIOPinState, RP2040, type Peripheral } from "rp2040js";
import { boot2Valid } from "../../build/device/boot2.js";
import { DeviceTrap, type MachineTime } from "../machine.js";
import { Random } from "../random.js";
import type { SpiSlave } from "../types.js";
import { Resets, RingOscillator } from "./blocks.js";
import { Rp2040Clock } from "./clock.js";
import { fixCore, fixTimer, hurryDma } from "./corrections.js";
import { FlashChip } from "./flash-chip.js";
import { strictMemory } from "./memory.js";
import { Pl011 } from "./pl011.js";
import { Pl022 } from "./pl022.js";

/** Instructions between two looks at the world. */
const SLICE = 64;
const FLASH_BASE = 0x10000000;
/** The boot ROM copies the second-stage loader to the last bank of RAM (datasheet 2.8.1.3). */
const BOOT2_RAM = 0x20041f00;
const BOOT2_BYTES = 256;
const FUNCSEL_SPI = 1;
const FUNCSEL_UART = 2;
const FUNCSEL_SIO = 5;
/** clk_sys at most, and the range of the PLL's oscillator (datasheet 2.15.3, 2.18). */
const CLK_SYS_MAX = 133e6;

/** Wiring of the chip and promises of the board. */
export interface Rp2040Wiring {
  miso: number;
  cs: number;
  sck: number;
  mosi: number;
  reset: number;
  interrupt: number;
  /** SPI clock that the board promises, Hz: the chip model is told the same. */
  spiHz: number;
  /** SPI modes that the chip understands. */
  spiModes: number[];
  /** Rate of the log line. */
  baud: number;
  flashBytes: number;
}

/** What a board is made from. */
export interface Rp2040Options {
  time: MachineTime;
  chip: SpiSlave;
  wiring: Rp2040Wiring;
  seed: number;
  onByte: (byte: number) => void;
  /** Something that the emulator would forgive and silicon would not; each place is reported once. */
  onViolation: (message: string) => void;
}

/** What a run has cost so far. */
export interface Rp2040Count {
  instructions: number;
  /** Clock cycles of the core, without sleep. */
  cycles: number;
  /** Bytes on the SPI bus. */
  spiBytes: number;
  /** Times that the core went to sleep. */
  sleeps: number;
}

/**
 * An RP2040 board: the emulated processor with an Ethernet chip's model on its pins, on the simulation's clock. It starts
 * where the chip starts, with the second-stage loader from flash. The blocks that the emulator has too easy (memory, SPI,
 * UART, resets, flash, random bit) are replaced by ones that object.
 */
export class Rp2040Board {
  readonly mcu: RP2040;
  readonly count: Rp2040Count = { instructions: 0, cycles: 0, spiBytes: 0, sleeps: 0 };
  private readonly flashChip: FlashChip;
  private readonly spi: Pl022;
  private readonly resets: Resets;
  private readonly reported = new Set<string>();
  private failure: string | undefined;

  constructor(private readonly options: Rp2040Options) {
    const { time, chip, wiring } = options;
    const { clock } = time;
    const random = new Random(options.seed);
    const mcu = new RP2040(new Rp2040Clock(clock));
    this.mcu = mcu;
    const report = (message: string): void => this.report(message);
    mcu.logger = {
      debug: () => {},
      info: () => {},
      warn: (component, message) => this.complaint(component, message),
      error: (component, message) => this.complaint(component, message),
    };
    random.fill(mcu.sram);
    const uniqueId = new Uint8Array(8);
    random.fill(uniqueId);
    this.flashChip = new FlashChip(mcu, uniqueId, report);
    this.resets = new Resets(mcu);
    this.spi = new Pl022(
      mcu,
      clock,
      { exchange: (mosi) => this.exchange(mosi), onStart: () => this.checkBus() },
      report,
    );
    const uart = new Pl011(mcu, clock, {
      baud: wiring.baud,
      onViolation: report,
      onByte: (byte) => {
        if (mcu.gpio[0]?.functionSelect !== FUNCSEL_UART)
          report("UART0 sends, but GP0 is not its pin");
        options.onByte(byte);
      },
    });
    mcu.peripherals[0x18000] = this.flashChip;
    mcu.peripherals[0x4000c] = this.resets;
    mcu.peripherals[0x4003c] = this.spi;
    mcu.peripherals[0x40034] = uart;
    mcu.peripherals[0x40060] = new RingOscillator(mcu, random);
    this.guardPeripherals();
    fixCore(mcu.core);
    fixTimer(mcu);
    hurryDma(mcu.dma, (dreq) => {
      const asks = dreq === 20 ? uart.asks : this.spi.asks(dreq);
      if (!asks) report(`DMA waits for request ${dreq}, which its peripheral was not told to make`);
    });
    strictMemory(mcu, wiring.flashBytes, report);
    // Reset values of the pads as on silicon (datasheet 2.19.6.3): input enabled, pulled down.
    for (const pin of mcu.gpio) pin.padValue = 0x56;
    this.connect(chip);
    this.watchForResets();
    mcu.addClockListener((hz) => {
      if (hz > CLK_SYS_MAX) report(`clk_sys is set to ${hz / 1e6} MHz, 133 is the limit`);
    });
  }

  /** Puts an image into the flash; `address` as the MCU sees it. */
  load(address: number, bytes: Uint8Array): void {
    this.mcu.flash.set(bytes, address - FLASH_BASE);
  }

  /** Runs from power-on; ends only by throwing. */
  run(): never {
    this.powerOn();
    const { mcu } = this;
    const { core } = mcu;
    const { time } = this.options;
    const { clock } = time;
    const { count } = this;
    let cycleNs = 1e9 / mcu.clkSys;
    mcu.addClockListener((hz) => (cycleNs = 1e9 / hz));
    for (;;) {
      for (let i = 0; i < SLICE && !core.waiting; i++) {
        const cycles = core.executeInstruction();
        count.instructions++;
        count.cycles += cycles;
        clock.advance(cycles * cycleNs);
      }
      if (this.failure !== undefined) throw new DeviceTrap(this.failure);
      if (!core.waiting) {
        if (!this.flashChip.executable && core.PC >>> 24 === 0x10) {
          throw new DeviceTrap("the second-stage loader has not made the flash executable");
        }
        time.busy();
        continue;
      }
      count.sleeps++;
      // What is pending already makes WFI fall through.
      if (core.pendingInterrupts & core.enabledInterrupts) core.waiting = false;
      else time.idle(Infinity, () => !core.waiting || this.failure !== undefined);
      if (this.failure !== undefined) throw new DeviceTrap(this.failure);
    }
  }

  /** Ends the run: the firmware or the board has failed. */
  fail(message: string): void {
    this.failure ??= message;
  }

  /** What the boot ROM does: the second-stage loader into RAM, its CRC checked, started. */
  private powerOn(): void {
    const { mcu } = this;
    const { core } = mcu;
    if (!boot2Valid(mcu.flash)) {
      throw new DeviceTrap(
        "the boot ROM finds no second-stage loader with a good CRC at the start of the flash",
      );
    }
    mcu.sram.set(mcu.flash.subarray(0, BOOT2_BYTES), BOOT2_RAM - 0x20000000);
    core.SP = 0x20041f00;
    core.PC = BOOT2_RAM;
    core.LR = 0;
  }

  private connect(chip: SpiSlave): void {
    const { gpio } = this.mcu;
    const { cs, reset, interrupt } = this.options.wiring;
    gpio[cs]?.addListener((state, before) => {
      const low = state === GPIOPinState.Low;
      if (low === (before === GPIOPinState.Low)) return;
      if (this.spi.busy) this.report(`CSn goes ${low ? "low" : "high"} while a byte is on the bus`);
      if (low) chip.select();
      else chip.deselect();
    });
    gpio[reset]?.addListener((state, before) => {
      const low = state === GPIOPinState.Low;
      if (low !== (before === GPIOPinState.Low)) chip.reset(low);
    });
    gpio[interrupt]?.setInputValue(!chip.interrupt);
    chip.onInterrupt = (low) => gpio[interrupt]?.setInputValue(!low);
  }

  private exchange(mosi: number): number {
    this.count.spiBytes++;
    const selected = this.mcu.gpio[this.options.wiring.cs]?.value === GPIOPinState.Low;
    if (!selected) {
      this.report("a byte is clocked while the chip is not selected");
      return 0xff;
    }
    return this.options.chip.exchange(mosi);
  }

  /** At the start of each byte: are the pins and the clock what the chip needs? */
  private checkBus(): void {
    const { gpio } = this.mcu;
    const { wiring } = this.options;
    for (const name of ["miso", "sck", "mosi"] as const) {
      if (gpio[wiring[name]]?.functionSelect !== FUNCSEL_SPI) {
        this.report(`SPI0 sends, but GP${wiring[name]} (${name.toUpperCase()}) is not its pin`);
      }
    }
    if (gpio[wiring.cs]?.functionSelect !== FUNCSEL_SIO) {
      this.report(`SPI0 sends, but GP${wiring.cs} (CSn) is not under program control`);
    }
    if (!gpio[wiring.miso]?.inputEnable) this.report("the pad of MISO has its input disabled");
    if (!gpio[wiring.interrupt]?.inputEnable) this.report("the pad of INTn has its input disabled");
    const { frequency, mode } = this.spi;
    if (Math.abs(frequency - wiring.spiHz) > 1) {
      this.report(`SPI0 runs at ${frequency} Hz, the board promises ${wiring.spiHz}`);
    }
    if (!wiring.spiModes.includes(mode))
      this.report(`SPI0 is in mode ${mode}, unknown to the chip`);
  }

  /** Reports accesses to a block that is held in reset, and use of the timer without its tick. */
  private guardPeripherals(): void {
    const { mcu, resets } = this;
    const find = mcu.findPeripheral.bind(mcu);
    const watchdog = mcu.peripherals[0x40058] as unknown as Watchdog;
    watchdog.tickEnable = false;
    mcu.findPeripheral = (address: number): Peripheral => {
      const where = address >>> 0;
      if (where >= 0x40000000 && resets.holds(where)) {
        this.report(`access to 0x${where.toString(16)}, whose block is held in reset`);
      }
      if (where >>> 12 === 0x40054 && !watchdog.tickEnable) {
        this.report("the timer is used before the watchdog's tick is on: it stands still");
      }
      return find(where);
    };
  }

  private watchForResets(): void {
    const watchdog = this.mcu.peripherals[0x40058] as unknown as Watchdog;
    watchdog.onWatchdogTrigger = () => {
      // The emulator would call again and again.
      watchdog.alarm.enable = false;
      watchdog.timer.enable = false;
      this.fail("the watchdog has reset the board");
    };
  }

  /** A word of the emulator: an access to nothing, or something that it does not know. */
  private complaint(component: string, message: string): void {
    if (component === "CortexM0Core" && /not implemented/.test(message)) {
      this.fail(`the processor has run into ${message.replace(/^Warning: /, "")}`);
    } else this.report(`${component}: ${message}`);
  }

  private report(message: string): void {
    if (this.reported.has(message)) return;
    this.reported.add(message);
    this.options.onViolation(message);
  }
}

/** The emulator's watchdog, private parts included. */
interface Watchdog {
  tickEnable: boolean;
  onWatchdogTrigger: () => void;
  timer: { enable: boolean };
  alarm: { enable: boolean };
}
