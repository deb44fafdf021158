import type { Clock } from "../../types.js";
import type { Violation } from "./options.js";

/** SCSn high between two frames, ns (datasheet 5.5.4, TCS). */
const CS_HIGH_NS = 30;
/** SCLK that is guaranteed, with the rounding of clock dividers, and SCLK of the design. */
const SCLK_GUARANTEED_HZ = 33.4e6;
const SCLK_DESIGN_HZ = 80e6;

/** What a frame addresses: the low two bits of the block select bits; the other three are the socket. */
export const COMMON_BLOCK = 0;
export const SOCKET_BLOCK = 1;
export const TX_BLOCK = 2;
export const RX_BLOCK = 3;
/** Block select bits that are reserved, or memory that a socket does not have. */
export const NO_BLOCK = 4;

/** Data bytes of a frame by operation mode (OM1..0): variable, then fixed. */
const FIXED_BYTES = [0, 1, 2, 4];

/** The registers and memories behind the SPI port. */
export interface SpiTarget {
  /** False in reset and before the PLL has locked. */
  ready(): boolean;
  /** True if the socket has memory in this direction (TX_BLOCK or RX_BLOCK). */
  hasMemory(block: number, socket: number): boolean;
  read(block: number, socket: number, address: number): number;
  write(block: number, socket: number, address: number, value: number): void;
  /** Bytes of a memory. */
  readMemory(block: number, socket: number, address: number, to: Uint8Array): void;
  writeMemory(block: number, socket: number, address: number, from: Uint8Array): void;
}

/**
 * The SPI port (datasheet 2): a frame is a 16-bit address, a control byte and data, whose address counts up by itself.
 * Data has any length until SCSn goes high (VDM), or 1, 2 or 4 bytes (FDM), after which the next frame may follow.
 *
 *     control   7          3   2    1    0
 *              +--------------+-----+---------+
 *              | block select | RWB | OM1 OM0 |
 *              +--------------+-----+---------+
 */
export class SpiFrame {
  private selected = false;
  private deselectedNs = -Infinity;
  /** Header bytes taken: 0 to 3. */
  private phase = 0;
  private address = 0;
  private block = NO_BLOCK;
  private socket = 0;
  private writing = false;
  private fixedLeft = 0;
  private dataBytes = 0;

  constructor(
    private readonly clock: Clock,
    private readonly target: SpiTarget,
    private readonly violation: Violation,
  ) {}

  /** Reports a clock that is too fast (datasheet 5.5.4). */
  checkClock(spiHz: number): void {
    if (spiHz > SCLK_DESIGN_HZ) this.violation("spi-clock", "SCLK is above 80 MHz");
    else if (spiHz > SCLK_GUARANTEED_HZ) {
      this.violation("spi-clock", "SCLK is above 33.3 MHz, which is all that is guaranteed");
    }
  }

  select(): void {
    // A thousandth of a nanosecond for the rounding of sums of times.
    if (this.clock.nowNs - this.deselectedNs < CS_HIGH_NS - 1e-3) {
      this.violation("cs-high-time", `SCSn was high for less than ${CS_HIGH_NS} ns`);
    }
    this.restart();
    this.selected = true;
  }

  /** False when SCSn was high already. */
  deselect(): boolean {
    if (!this.selected) return false;
    this.selected = false;
    this.deselectedNs = this.clock.nowNs;
    const cut = this.phase === 3 ? this.dataBytes === 0 || this.fixedLeft > 0 : this.phase > 0;
    if (cut) this.violation("frame-cut", "SCSn goes high before the frame has its data");
    return true;
  }

  /** The port forgets the frame. */
  restart(): void {
    this.phase = 0;
    this.dataBytes = 0;
    this.fixedLeft = 0;
  }

  exchange(mosi: number): number {
    if (!this.selected) return 0xff;
    if (this.phase === 3) return this.data(mosi);
    if (!this.target.ready()) return 0;
    switch (this.phase++) {
      case 0:
        this.address = mosi << 8;
        return 0x01;
      case 1:
        this.address |= mosi;
        return 0x02;
      default:
        this.control(mosi);
        return 0x03;
    }
  }

  /** Data of a memory at once; false where bytes are more than that. */
  burst(data: Uint8Array, writing: boolean): boolean {
    if (!this.selected || this.phase !== 3 || this.fixedLeft > 0) return false;
    if (this.writing !== writing || this.block < TX_BLOCK || this.block === NO_BLOCK) return false;
    if (writing) this.target.writeMemory(this.block, this.socket, this.address, data);
    else this.target.readMemory(this.block, this.socket, this.address, data);
    this.address = (this.address + data.length) & 0xffff;
    this.dataBytes += data.length;
    return true;
  }

  private control(byte: number): void {
    const blockSelect = byte >> 3;
    this.writing = (byte & 4) !== 0;
    this.fixedLeft = FIXED_BYTES[byte & 3] as number;
    this.block = blockSelect & 3;
    this.socket = blockSelect >> 2;
    this.dataBytes = 0;
    if (this.block === COMMON_BLOCK && blockSelect !== 0) {
      this.block = NO_BLOCK;
      this.violation("reserved-block", `block select bits ${blockSelect} are reserved`);
    } else if (this.block >= TX_BLOCK && !this.target.hasMemory(this.block, this.socket)) {
      this.block = NO_BLOCK;
      this.violation("buffer-size", `socket ${this.socket} has no memory in this direction`);
    }
  }

  private data(mosi: number): number {
    const address = this.address;
    this.address = (address + 1) & 0xffff;
    this.dataBytes++;
    let value = 0;
    if (this.block !== NO_BLOCK) {
      if (this.writing) this.target.write(this.block, this.socket, address, mosi);
      else value = this.target.read(this.block, this.socket, address);
    }
    if (this.fixedLeft > 0 && --this.fixedLeft === 0) this.phase = 0;
    return value;
  }
}
