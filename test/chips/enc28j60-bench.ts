import {
  Enc28j60,
  type Enc28j60Options,
  type Erratum,
} from "../../host-tools/sim/chips/enc28j60/index.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";

/** Common registers of all banks. */
export const EIE = 0x1b;
export const EIR = 0x1c;
export const ESTAT = 0x1d;
export const ECON2 = 0x1e;
export const ECON1 = 0x1f;

/** Pointers of bank 0, low byte. */
export const ERDPT = 0x00;
export const EWRPT = 0x02;
export const ETXST = 0x04;
export const ETXND = 0x06;
export const ERXST = 0x08;
export const ERXND = 0x0a;
export const ERXRDPT = 0x0c;
export const ERXWRPT = 0x0e;
export const EDMAST = 0x10;
export const EDMAND = 0x12;
export const EDMADST = 0x14;
export const EDMACS = 0x16;

export const MAC = Uint8Array.of(0x02, 0x11, 0x22, 0x33, 0x44, 0x55);
export const BROADCAST = new Uint8Array(6).fill(0xff);

/** A test says which errata it wants, so that the others do not get in its way. */
export const NO_ERRATA: readonly Erratum[] = [];

/** Eight clocks of 20 MHz. */
const BYTE_NS = 400;

/**
 * An ENC28J60 model on a bench with wires to its SPI pins. It speaks in instructions of the data sheet, knows no driver, and
 * collects violations instead of throwing.
 */
export class Bench {
  readonly clock = new VirtualClock();
  readonly chip: Enc28j60;
  readonly sent: Uint8Array[] = [];
  readonly violations: string[] = [];

  constructor(options: Partial<Enc28j60Options> = {}) {
    this.chip = new Enc28j60({
      clock: this.clock,
      spiHz: 20_000_000,
      seed: 1,
      errata: NO_ERRATA,
      onViolation: (message) => void this.violations.push(message),
      ...options,
    });
    this.chip.onTransmit = (frame) => void this.sent.push(frame);
  }

  /** One transaction: MOSI bytes in, MISO bytes out. `holdNs`: last clock to CSn high. */
  spi(bytes: ArrayLike<number>, holdNs = 210): number[] {
    const out: number[] = [];
    this.chip.select();
    this.clock.advance(50);
    for (let i = 0; i < bytes.length; i++) {
      this.clock.advance(BYTE_NS);
      out.push(this.chip.exchange(bytes[i] as number));
    }
    this.clock.advance(holdNs);
    this.chip.deselect();
    this.clock.advance(50);
    return out;
  }

  /** RCR of an ETH register. */
  read(address: number): number {
    return this.spi([address, 0])[1] as number;
  }

  /** RCR of a MAC or MII register, with its dummy byte. */
  readMac(address: number): number {
    return this.spi([address, 0, 0])[2] as number;
  }

  read16(address: number): number {
    return this.read(address) | (this.read(address + 1) << 8);
  }

  write(address: number, value: number): void {
    this.spi([0x40 | address, value]);
  }

  write16(address: number, value: number): void {
    this.write(address, value & 0xff);
    this.write(address + 1, value >> 8);
  }

  set(address: number, mask: number): void {
    this.spi([0x80 | address, mask]);
  }

  clear(address: number, mask: number): void {
    this.spi([0xa0 | address, mask]);
  }

  bank(bank: number): void {
    this.clear(ECON1, 3);
    this.set(ECON1, bank);
  }

  /** In another bank, then back to bank 0. */
  inBank<T>(bank: number, action: () => T): T {
    this.bank(bank);
    const result = action();
    this.bank(0);
    return result;
  }

  /** RBM: bytes from ERDPT. */
  readMemory(count: number): Uint8Array {
    return Uint8Array.from(this.spi([0x3a, ...new Uint8Array(count)]).slice(1));
  }

  /** WBM: bytes to EWRPT. */
  writeMemory(bytes: ArrayLike<number>): void {
    this.spi([0x7a, ...Array.from(bytes)]);
  }

  phyRead(register: number): number {
    return this.inBank(2, () => {
      this.write(0x14, register);
      this.write(0x12, 0x01);
      this.advanceUs(11);
      this.write(0x12, 0x00);
      return this.readMac(0x18) | (this.readMac(0x19) << 8);
    });
  }

  phyWrite(register: number, value: number): void {
    this.inBank(2, () => {
      this.write(0x14, register);
      this.write(0x16, value & 0xff);
      this.write(0x17, value >> 8);
      this.advanceUs(11);
    });
  }

  packets(): number {
    return this.inBank(1, () => this.read(0x19));
  }

  advanceUs(us: number): void {
    this.clock.advance(us * 1000);
  }

  /** Waits out the start of the chip. */
  settle(): this {
    this.advanceUs(2000);
    return this;
  }

  /**
   * Configures the chip by the book: receive buffer 0..rxEnd, transmit behind it, address MAC, link up, reception on.
   * @param filter ERXFCON
   */
  start({
    rxEnd = 0x13ff,
    filter = 0xa1,
    fullDuplex = false,
    macon1 = 0x01,
    macon3 = 0x32,
  }: Partial<{
    rxEnd: number;
    filter: number;
    fullDuplex: boolean;
    macon1: number;
    macon3: number;
  }> = {}): this {
    this.settle();
    this.write16(ERXST, 0);
    this.write16(ERXND, rxEnd);
    this.write16(ERXRDPT, rxEnd);
    this.write16(ERDPT, 0);
    this.inBank(1, () => this.write(0x18, filter));
    this.inBank(2, () => {
      this.write(0x00, macon1);
      this.write(0x02, macon3 | (fullDuplex ? 1 : 0));
      this.write(0x03, 0x40);
      this.write(0x04, fullDuplex ? 0x15 : 0x12);
      this.write(0x06, 0x12);
      this.write(0x07, 0x0c);
      this.write(0x0a, 0xee);
      this.write(0x0b, 0x05);
    });
    this.setAddress(MAC);
    this.phyWrite(0x00, fullDuplex ? 0x0100 : 0);
    this.phyWrite(0x10, fullDuplex ? 0 : 0x0100);
    this.chip.setLink(true);
    this.advanceUs(100_000);
    this.set(ECON1, 0x04);
    return this;
  }

  setAddress(mac: Uint8Array): void {
    this.inBank(3, () => {
      [4, 5, 2, 3, 0, 1].forEach((octet, address) => this.write(address, mac[octet] as number));
    });
  }

  /** Puts a frame to send into memory; the next `send` sends it. */
  load(frame: ArrayLike<number>, at = 0x1400, control = 0): void {
    this.write16(EWRPT, at);
    this.writeMemory([control, ...Array.from(frame)]);
    this.write16(ETXST, at);
    this.write16(ETXND, at + frame.length);
  }

  /** Loads a frame, starts it, waits until it must be gone and gives the status vector. */
  send(frame: ArrayLike<number>, at = 0x1400, control = 0): Uint8Array {
    this.load(frame, at, control);
    this.clear(EIR, 0x0a);
    this.set(ECON1, 0x08);
    this.advanceUs(2000);
    return this.status();
  }

  /** The status vector behind ETXND. */
  status(): Uint8Array {
    const at = this.read16(ETXND) + 1;
    return this.chip.memory.slice(at, at + 7);
  }

  /** Lets a frame arrive and waits until it is over. */
  arrive(frame: Uint8Array, fcsGood = true): void {
    this.chip.receive(frame, fcsGood);
    this.advanceUs((8 + frame.length + 4) * 0.8 + 10);
  }

  /** Takes the oldest packet at `at`: pointer, status and bytes with FCS; frees it. */
  take(at: number): { next: number; status: number; bytes: Uint8Array } {
    this.write16(ERDPT, at);
    const header = this.readMemory(6);
    const view = new DataView(header.buffer);
    const next = view.getUint16(0, true);
    const status = view.getUint32(2, true);
    const bytes = this.readMemory(status & 0xffff);
    const end = this.read16(ERXND);
    this.write16(ERXRDPT, next === 0 ? end : next - 1);
    this.set(ECON2, 0x40);
    return { next, status, bytes };
  }
}

/** A frame with a counting payload; type 88B5 unless given. */
export function frame(
  bytes: number,
  destination: Uint8Array = MAC,
  seed = 0,
  type = 0x88b5,
): Uint8Array {
  const result = new Uint8Array(bytes);
  for (let i = 14; i < bytes; i++) result[i] = (i * 3 + seed) & 0xff;
  result.set(destination.subarray(0, Math.min(6, bytes)));
  if (bytes >= 14) result.set([0x02, 0, 0, 0, 0, 9, type >> 8, type & 0xff], 6);
  return result;
}

/** CRC-32 as the wire has it, computed bit by bit and independently of the model. */
export function fcs(bytes: Uint8Array): Uint8Array {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  crc = ~crc >>> 0;
  return Uint8Array.of(crc, crc >>> 8, crc >>> 16, crc >>> 24);
}
