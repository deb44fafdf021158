import { BasePeripheral, FIFO, type RP2040 } from "rp2040js";
import type { VirtualClock } from "../virtual-clock.js";

const CR0 = 0x00;
const CR1 = 0x04;
const DR = 0x08;
const SR = 0x0c;
const CPSR = 0x10;
const RIS = 0x18;
const ICR = 0x20;
const DMACR = 0x24;
const SSE = 1 << 1;
const SLAVE = 1 << 2;
const TXDMAE = 1 << 1;
const RXDMAE = 1 << 0;
const DREQ_TX = 16;
const DREQ_RX = 17;
const FIFO_WORDS = 8;

/** Pause between words in modes 0 and 2, where the block raises its own frame signal: 1.5 clocks, an estimate. */
const FRAME_GAP_CLOCKS = 1.5;

/** What is on the other side of the SPI pins. */
export interface SpiLine {
  /** Eight clocks have passed: takes the byte on MOSI, gives the one on MISO. */
  exchange(mosi: number): number;
  /** A byte begins; the line's owner may object to how it is sent. */
  onStart(): void;
}

/**
 * SPI0, a PL022 (RP2040 datasheet 4.4), in place of the emulator's: words take their time on the wire, nothing moves
 * while the block is off, DMA is asked only where it was enabled.
 */
export class Pl022 extends BasePeripheral {
  private control0 = 0;
  private control1 = 0;
  private divisor = 0;
  private dma = 0;
  private overrun = false;
  private shifting = false;
  private readonly receive = new FIFO(FIFO_WORDS);
  private readonly transmit = new FIFO(FIFO_WORDS);

  constructor(
    mcu: RP2040,
    private readonly clock: VirtualClock,
    private readonly line: SpiLine,
    private readonly onViolation: (message: string) => void,
  ) {
    super(mcu, "SPI0");
  }

  /** A word is on the wire or waits for it. */
  get busy(): boolean {
    return this.shifting || !this.transmit.empty;
  }

  /** SPI mode: clock polarity in bit 1, phase in bit 0. */
  get mode(): number {
    return ((this.control0 >> 6) & 1) * 2 + ((this.control0 >> 7) & 1);
  }

  /** Frequency of SCK, Hz. */
  get frequency(): number {
    return this.rp2040.clkPeri / (this.divisor * (1 + ((this.control0 >> 8) & 0xff)));
  }

  /** True when a DMA channel that waits for this request line would get an answer. */
  asks(dreq: number): boolean {
    return (this.dma & (dreq === DREQ_TX ? TXDMAE : RXDMAE)) !== 0;
  }

  override readUint32(offset: number): number {
    switch (offset) {
      case CR0:
        return this.control0;
      case CR1:
        return this.control1;
      case DR:
        if (this.receive.empty) {
          this.onViolation("SPI0: a read of the empty receive FIFO");
          return 0;
        }
        return this.changed(this.receive.pull());
      case SR:
        return (
          (this.transmit.empty ? 1 : 0) |
          (this.transmit.full ? 0 : 2) |
          (this.receive.empty ? 0 : 4) |
          (this.receive.full ? 8 : 0) |
          (this.busy ? 16 : 0)
        );
      case CPSR:
        return this.divisor;
      case RIS:
        return this.overrun ? 1 : 0;
      case DMACR:
        return this.dma;
      default:
        return super.readUint32(offset);
    }
  }

  override writeUint32(offset: number, value: number): void {
    switch (offset) {
      case CR0:
        if (this.control1 & SSE) this.onViolation("SPI0: CR0 is written while the block is on");
        this.control0 = value;
        return;
      case CR1:
        this.control1 = value;
        if (value & SSE) this.checkSetUp();
        this.changed();
        return this.next();
      case DR:
        if (!(this.control1 & SSE))
          this.onViolation("SPI0: data is written while the block is off");
        if (this.transmit.full) return this.onViolation("SPI0: a write to the full transmit FIFO");
        this.transmit.push(value & 0xff);
        this.changed();
        return this.next();
      case CPSR:
        this.divisor = value & 0xfe;
        return;
      case ICR:
        if (value & 1) this.overrun = false;
        return;
      case DMACR:
        this.dma = value;
        this.changed();
        return;
      default:
        super.writeUint32(offset, value);
    }
  }

  private checkSetUp(): void {
    if (this.divisor < 2) this.onViolation("SPI0: switched on without a clock divisor");
    if ((this.control0 & 0x3f) !== 7) this.onViolation("SPI0: not 8-bit Motorola frames");
    if (this.control1 & SLAVE) this.onViolation("SPI0: switched on as a slave");
  }

  private next(): void {
    if (this.shifting || this.transmit.empty || !(this.control1 & SSE)) return;
    const mosi = this.transmit.pull();
    this.shifting = true;
    this.line.onStart();
    const bitNs = 1e9 / this.frequency;
    this.clock.schedule(8 * bitNs, () => {
      const miso = this.line.exchange(mosi);
      if (this.receive.full) this.overrun = true;
      else this.receive.push(miso);
      if ((this.mode & 1) === 1) return this.wordDone();
      this.clock.schedule(FRAME_GAP_CLOCKS * bitNs, () => this.wordDone());
    });
    this.changed();
  }

  private wordDone(): void {
    this.shifting = false;
    this.next();
    this.changed();
  }

  private changed<T>(result?: T): T {
    const { dma } = this.rp2040;
    const on = (this.control1 & SSE) !== 0;
    if (on && this.dma & RXDMAE && !this.receive.empty) dma.setDREQ(DREQ_RX);
    else dma.clearDREQ(DREQ_RX);
    if (on && this.dma & TXDMAE && !this.transmit.full) dma.setDREQ(DREQ_TX);
    else dma.clearDREQ(DREQ_TX);
    return result as T;
  }
}
