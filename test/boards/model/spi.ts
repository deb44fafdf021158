import type { SpiSlave } from "../../../host-tools/sim/types.js";
import type { VirtualClock } from "../../../host-tools/sim/virtual-clock.js";
import { Violation, type Peripheral } from "./bus.js";

/** What a chip asks of chip select and clock: nanoseconds and hertz. */
export interface ChipLimits {
  setupNs: number;
  holdNs: number;
  highNs: number;
  maxHz: number;
}

/** W5500 datasheet 5.5.4; ENC28J60 datasheet table 16-6, with the hold time of its MAC and MII registers. */
export const LIMITS: Record<"w5500" | "enc28j60", ChipLimits> = {
  w5500: { setupNs: 5, holdNs: 5, highNs: 30, maxHz: 33.3e6 },
  enc28j60: { setupNs: 50, holdNs: 210, highNs: 50, maxHz: 20e6 },
};

/** A DMA channel or stream, seen from the SPI. */
export interface DmaPort {
  /** Does it take the request now? */
  ready(): boolean;
  /** Next byte from memory. */
  load(): number;
  /** Byte to memory. */
  store(byte: number): void;
}

const CR1 = { MSTR: 1 << 2, SPE: 1 << 6, LSBFIRST: 1 << 7, SSI: 1 << 8, SSM: 1 << 9, DFF: 1 << 11 };
const MODE_BITS = 3;

/**
 * An SPI master of the STM32F1 and F4 (RM0008 25, RM0368 20) with a chip on it: one byte in the shift register, one behind it,
 * one received. Bytes take their time; chip select and clock are held against the chip's limits.
 */
export class Spi implements Peripheral {
  transmitDma: DmaPort | undefined;
  receiveDma: DmaPort | undefined;
  bytes = 0;
  /** Bytes that DMA has moved. */
  dmaBytes = 0;
  private cr1 = 0;
  private cr2 = 0;
  private shifting = false;
  private waiting: number | undefined;
  private received: number | undefined;
  private overrun = false;
  private drRead = false;
  private selected = false;
  private changedNs = -1e9;
  private lastBitNs = -1e9;

  constructor(
    private readonly clock: VirtualClock,
    private readonly chip: SpiSlave,
    private readonly limits: ChipLimits,
    private readonly busHz: () => number,
    /** Are SCK, MISO, MOSI the SPI's, and CSn an output? */
    private readonly wired: () => boolean,
  ) {}

  /** Level of CSn. */
  select(low: boolean): void {
    if (low === this.selected) return;
    const { nowNs } = this.clock;
    if (this.shifting) throw new Violation("CSn changes while a byte is under way");
    if (low && nowNs - this.changedNs < this.limits.highNs)
      throw new Violation("CSn was high too short");
    if (!low && nowNs - this.lastBitNs < this.limits.holdNs) {
      throw new Violation(`CSn goes high ${nowNs - this.lastBitNs} ns after the last bit`);
    }
    this.selected = low;
    this.changedNs = nowNs;
    if (low) this.chip.select();
    else this.chip.deselect();
  }

  reset(): void {
    this.cr1 = this.cr2 = 0;
  }

  read(offset: number): number {
    switch (offset) {
      case 0x00:
        return this.cr1;
      case 0x04:
        return this.cr2;
      case 0x08:
        return this.status();
      case 0x0c: {
        const value = this.received ?? 0;
        this.received = undefined;
        this.drRead = true;
        return value;
      }
      default:
        throw new Violation(`SPI register ${offset}`);
    }
  }

  write(offset: number, value: number): void {
    switch (offset) {
      case 0x00:
        this.cr1 = value;
        if (value & CR1.SPE) this.checkMode();
        return;
      case 0x04:
        this.cr2 = value;
        return this.request();
      case 0x0c:
        if (!(this.cr1 & CR1.SPE)) throw new Violation("SPI_DR is written while the SPI is off");
        if (this.waiting !== undefined) throw new Violation("SPI_DR is written while TXE is 0");
        this.waiting = value & 0xff;
        return this.shift();
      default:
        throw new Violation(`SPI register ${offset}`);
    }
  }

  /** DMA has been started or stopped: requests that are up are served. */
  request(): void {
    const { transmitDma } = this;
    if (!(this.cr2 & 2) || this.waiting !== undefined || !transmitDma?.ready()) return;
    this.waiting = transmitDma.load();
    this.dmaBytes++;
    this.shift();
  }

  /** Clock on SCK. */
  get sckHz(): number {
    return this.busHz() / 2 ** (((this.cr1 >>> 3) & 7) + 1);
  }

  private status(): number {
    if (this.drRead) this.overrun = false;
    this.drRead = false;
    const busy = this.shifting || this.waiting !== undefined;
    return (
      (this.received === undefined ? 0 : 1) |
      (this.waiting === undefined ? 2 : 0) |
      (this.overrun ? 0x40 : 0) |
      (busy ? 0x80 : 0)
    );
  }

  private checkMode(): void {
    const wanted = CR1.MSTR | CR1.SSM | CR1.SSI | CR1.SPE;
    const fixed = wanted | MODE_BITS | CR1.LSBFIRST | CR1.DFF;
    if ((this.cr1 & fixed) !== wanted) throw new Violation("SPI is not master in mode 0, 8 bits");
    if (this.sckHz > this.limits.maxHz) throw new Violation(`SCK is ${this.sckHz / 1e6} MHz`);
  }

  private shift(): void {
    if (this.shifting || this.waiting === undefined) return;
    if (!this.wired()) throw new Violation("a byte is sent while the pins are not the SPI's");
    if (!this.selected) throw new Violation("a byte is sent while CSn is high");
    if (this.clock.nowNs - this.changedNs < this.limits.setupNs) {
      throw new Violation("the first bit comes too soon after CSn");
    }
    const byte = this.waiting;
    this.waiting = undefined;
    this.shifting = true;
    this.clock.schedule(8e9 / this.sckHz, () => this.complete(byte));
    this.request();
  }

  private complete(mosi: number): void {
    const miso = this.chip.exchange(mosi);
    this.bytes++;
    this.shifting = false;
    this.lastBitNs = this.clock.nowNs;
    if (this.received === undefined) this.received = miso;
    else this.overrun = true;
    if (this.cr2 & 1 && this.receiveDma?.ready()) {
      if (this.overrun) throw new Violation("a byte is lost under DMA");
      this.receiveDma.store(this.received);
      this.received = undefined;
    }
    this.shift();
  }
}
