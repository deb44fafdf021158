import { BasePeripheral, type RP2040 } from "rp2040js";
import type { VirtualClock } from "../virtual-clock.js";

const DR = 0x00;
const FR = 0x18;
const IBRD = 0x24;
const FBRD = 0x28;
const LCR_H = 0x2c;
const CR = 0x30;
const DMACR = 0x48;
const UARTEN = 1 << 0;
const TXE = 1 << 8;
const TXDMAE = 1 << 1;
const DREQ_TX = 20;
const FIFO_BYTES = 32;

/** The log line's settings, for whoever checks them. */
export interface UartOptions {
  /** Rate that the board promises, baud; the divider may be off by two per cent, as receivers allow. */
  baud: number;
  onByte: (byte: number) => void;
  onViolation: (message: string) => void;
}

/**
 * UART0, a PL011 (RP2040 datasheet 4.2), in place of the emulator's, which sends in no time: here bytes leave at the
 * line's rate. Sending only.
 */
export class Pl011 extends BasePeripheral {
  private control = 0;
  private line = 0;
  private integer = 0;
  private fraction = 0;
  /** Divider in force: IBRD and FBRD count only from a write to LCR_H on. */
  private divider = 0;
  private dma = 0;
  private readonly fifo: number[] = [];
  private sending = false;

  constructor(
    mcu: RP2040,
    private readonly clock: VirtualClock,
    private readonly options: UartOptions,
  ) {
    super(mcu, "UART0");
  }

  /** True when DMA is enabled for sending. */
  get asks(): boolean {
    return (this.dma & TXDMAE) !== 0;
  }

  override readUint32(offset: number): number {
    switch (offset) {
      case FR:
        return (
          (this.sending ? 1 << 3 : 0) |
          (1 << 4) |
          (this.fifo.length >= FIFO_BYTES ? 1 << 5 : 0) |
          (this.fifo.length === 0 ? 1 << 7 : 0)
        );
      case IBRD:
        return this.integer;
      case FBRD:
        return this.fraction;
      case LCR_H:
        return this.line;
      case CR:
        return this.control;
      case DMACR:
        return this.dma;
      default:
        return super.readUint32(offset);
    }
  }

  override writeUint32(offset: number, value: number): void {
    switch (offset) {
      case DR:
        return this.put(value & 0xff);
      case IBRD:
        this.integer = value & 0xffff;
        return;
      case FBRD:
        this.fraction = value & 0x3f;
        return;
      case LCR_H:
        this.line = value;
        this.divider = this.integer + this.fraction / 64;
        return;
      case CR:
        this.control = value;
        if (value & UARTEN) this.checkSetUp();
        return this.changed();
      case DMACR:
        this.dma = value;
        return this.changed();
      default:
        super.writeUint32(offset, value);
    }
  }

  private get baud(): number {
    return this.rp2040.clkPeri / (16 * this.divider);
  }

  private checkSetUp(): void {
    const { baud, onViolation } = this.options;
    if (!(Math.abs(this.baud / baud - 1) < 0.02)) {
      onViolation(`UART0: runs at ${Math.round(this.baud)} baud, the board promises ${baud}`);
    }
    if ((this.line & 0x70) !== 0x70) onViolation("UART0: not 8 bits with FIFO");
  }

  private put(byte: number): void {
    if ((this.control & (UARTEN | TXE)) !== (UARTEN | TXE)) {
      return this.options.onViolation("UART0: a byte is written while sending is off");
    }
    if (this.fifo.length >= FIFO_BYTES) {
      return this.options.onViolation("UART0: a byte is written to the full FIFO and lost");
    }
    this.fifo.push(byte);
    this.next();
    this.changed();
  }

  private next(): void {
    if (this.sending) return;
    const byte = this.fifo.shift();
    if (byte === undefined) return;
    this.sending = true;
    this.clock.schedule(10e9 / this.baud, () => {
      this.sending = false;
      this.options.onByte(byte);
      this.next();
      this.changed();
    });
  }

  private changed(): void {
    const { dma } = this.rp2040;
    const room = this.fifo.length < FIFO_BYTES;
    if (this.control & UARTEN && this.asks && room) dma.setDREQ(DREQ_TX);
    else dma.clearDREQ(DREQ_TX);
  }
}
