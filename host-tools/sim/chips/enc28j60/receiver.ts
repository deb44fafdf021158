import { BYTE_NS, MEMORY_BYTES, type Core } from "./core.js";
import { fcsOf } from "./crc.js";
import { filterAccepts, macAddress } from "./filters.js";
import { controlKind, isBroadcast, isMulticast, lengthIsWrong, typeOf } from "./frames.js";
import { ECON1, EIR, ESTAT, MACON1, MACON3, R } from "./registers.js";
import type { WireReceiver } from "./wire.js";

/** Next packet pointer and receive status vector before each frame. */
const HEADER_BYTES = 6;
/** The longest frame with its header: closer to ERXRDPT erratum 14 shows. */
const NEARLY_FULL_BYTES = HEADER_BYTES + 1518;
/** Shorter frames are always rejected (DS39662E 7.2). */
const SHORTEST_BYTES = 18;
const PREAMBLE_NS = 8 * BYTE_NS;

interface Incoming {
  /** From the destination address to the FCS. */
  bytes: Uint8Array;
  fcsGood: boolean;
  startNs: number;
  /** It passes the filters, so its bytes go to memory. */
  wanted: boolean;
  cancelCheck?: () => void;
}

/** The receive logic: frames from the wire into the circular buffer ERXST..ERXND (DS39662E 7.2). */
export class Receiver implements WireReceiver {
  /** Where the next frame will be written. Not ERXWRPT, which moves only when a frame is accepted. */
  private writePointer = 0;
  private incoming: Incoming | undefined;
  private dropped = false;
  /** Set by the chip: a PAUSE frame for the transmitter, in quanta of 512 bit times. */
  onPause: (quanta: number) => void = () => undefined;
  /** Set by the chip: a frame has begun to arrive. */
  onBegin: () => void = () => undefined;

  constructor(private readonly core: Core) {}

  /** ESTAT.RXBUSY. */
  get busy(): boolean {
    return this.incoming !== undefined;
  }

  reset(): void {
    this.cancel();
    this.writePointer = this.core.pair(R.ERXSTL);
    this.dropped = false;
  }

  /** ERXST or ERXND has been written: the internal pointer follows (erratum 5: sometimes to 0000). */
  boundsWritten(): void {
    this.writePointer = this.core.strikes(5, "writePointer") ? 0 : this.core.pair(R.ERXSTL);
  }

  begin(frame: Uint8Array, fcsGood: boolean): void {
    const { core } = this;
    const enabled = core.bit(R.ECON1, ECON1.RXEN) && core.bit(R.MACON1, MACON1.MARXEN);
    if (!enabled || !core.ready) return;
    const bytes = new Uint8Array(frame.length + 4);
    bytes.set(frame);
    const fcs = (fcsGood ? fcsOf(frame) : ~fcsOf(frame)) >>> 0;
    for (let i = 0; i < 4; i++) bytes[frame.length + i] = fcs >>> (8 * i);
    this.incoming = { bytes, fcsGood, startNs: core.clock.nowNs, wanted: true };
    this.incoming.wanted = this.isWanted(this.incoming);
    if (this.incoming.wanted) this.watchSpace(this.incoming);
    this.onBegin();
  }

  end(): void {
    const incoming = this.incoming;
    if (!incoming) return;
    this.cancel();
    if (incoming.wanted) this.accept(incoming);
  }

  /** The frame that is arriving breaks off without a trace: receive reset, link lost. */
  cancel(): void {
    this.incoming?.cancelCheck?.();
    this.incoming = undefined;
  }

  /** The frame that is arriving is lost, and the host is told: no room, or erratum 17. */
  abort(): void {
    const incoming = this.incoming;
    if (!incoming?.wanted) return;
    incoming.cancelCheck?.();
    incoming.wanted = false;
    this.lose();
    this.core.registers[R.ESTAT] = (this.core.registers[R.ESTAT] as number) | ESTAT.BUFER;
  }

  /** What the MAC and the filters let through. */
  private isWanted({ bytes, fcsGood }: Incoming): boolean {
    const { core } = this;
    if (bytes.length < SHORTEST_BYTES) return false;
    const huge = core.bit(R.MACON3, MACON3.HFRMEN);
    if (bytes.length > core.pair(R.MAMXFLL) && !huge) return false;
    const kind = controlKind(bytes, macAddress(core));
    if (kind !== "none" && fcsGood) {
      const pauses = core.fullDuplex && core.bit(R.MACON1, MACON1.RXPAUS);
      if (kind === "pause" && pauses) {
        this.onPause(((bytes[16] as number) << 8) | (bytes[17] as number));
      }
      if (!core.bit(R.MACON1, MACON1.PASSALL)) return false;
    }
    return filterAccepts(core, bytes, fcsGood);
  }

  private get bufferBytes(): number {
    return this.core.pair(R.ERXNDL) - this.core.pair(R.ERXSTL) + 1;
  }

  private advance(address: number, bytes: number): number {
    const start = this.core.pair(R.ERXSTL);
    const end = this.core.pair(R.ERXNDL);
    for (let i = 0; i < bytes; i++) {
      address = address === end ? start : (address + 1) % MEMORY_BYTES;
    }
    return address;
  }

  /** Bytes that may be written: up to, not into, ERXRDPT (DS39662E 7.2.4). */
  private freeBytes(): number {
    const size = this.bufferBytes;
    const read = this.core.pair(R.ERXRDPTL);
    if (size <= 0 || read < this.core.pair(R.ERXSTL) || read > this.core.pair(R.ERXNDL)) {
      return Math.max(0, size - 1);
    }
    const distance = (((read - this.writePointer) % size) + size) % size;
    return (distance === 0 ? size : distance) - 1;
  }

  /** Frames begin at even addresses, so an odd one takes a byte more. */
  private static footprint(bytes: Uint8Array): number {
    return (HEADER_BYTES + bytes.length + 1) & ~1;
  }

  /** Looks again when the bytes written would reach ERXRDPT, which the host may move until then. */
  private watchSpace(incoming: Incoming): void {
    const free = this.freeBytes();
    if (Receiver.footprint(incoming.bytes) <= free) return;
    const blocked = Math.max(0, free - HEADER_BYTES);
    const atNs = incoming.startNs + PREAMBLE_NS + (blocked + 1) * BYTE_NS;
    const delay = atNs - this.core.clock.nowNs;
    if (delay <= 0) {
      this.write(incoming.bytes.subarray(0, blocked));
      this.abort();
      return;
    }
    incoming.cancelCheck = this.core.clock.schedule(delay, () => this.watchSpace(incoming));
  }

  private lose(): void {
    this.dropped = true;
    this.core.raise(EIR.RXERIF);
  }

  private write(bytes: Uint8Array): void {
    let address = this.advance(this.writePointer, HEADER_BYTES);
    for (const byte of bytes) {
      this.core.ram[address] = byte;
      address = this.advance(address, 1);
    }
  }

  private accept({ bytes, fcsGood }: Incoming): void {
    const { core } = this;
    const count = core.registers[R.EPKTCNT] as number;
    const footprint = Receiver.footprint(bytes);
    // Between the last look and now nothing has been written that was not free.
    const left = this.freeBytes() - footprint;
    if (count === 255 || left < 0) return this.lose();
    this.write(bytes);
    const next = this.advance(this.writePointer, footprint);
    this.writeHeader(next, statusOf(core, bytes, fcsGood, this.dropped), left);
    this.dropped = false;
    this.writePointer = next;
    core.setPair(R.ERXWRPTL, next);
    core.registers[R.EPKTCNT] = count + 1;
    core.updateInterrupt();
  }

  private writeHeader(next: number, status: number, left: number): void {
    const { core } = this;
    const even = (core.pair(R.ERXRDPTL) & 1) === 0;
    const near = left < NEARLY_FULL_BYTES;
    let pointer = next;
    if (core.takeFault("badNextPointers"))
      pointer = (next + 2 * (1 + core.random.below(900))) % 8192;
    else if (even && near && core.strikes(14, "evenReadPointer"))
      pointer = core.random.below(MEMORY_BYTES);
    if (core.takeFault("badByteCounts")) status = (status ^ 0x2a55) >>> 0;
    const header = [pointer & 0xff, pointer >> 8];
    for (let i = 0; i < 4; i++) header.push((status >>> (8 * i)) & 0xff);
    let address = this.writePointer;
    for (const byte of header) {
      core.ram[address] = byte;
      address = this.advance(address, 1);
    }
  }
}

/** The receive status vector (DS39662E table 7-3) of a frame with FCS. */
function statusOf(core: Core, bytes: Uint8Array, fcsGood: boolean, dropped: boolean): number {
  const type = typeOf(bytes);
  const control = controlKind(bytes, macAddress(core));
  const bits: [number, boolean][] = [
    [16, dropped],
    [20, !fcsGood],
    [21, lengthIsWrong(core, bytes)],
    [22, type > 1500],
    [23, fcsGood],
    [24, isMulticast(bytes)],
    [25, isBroadcast(bytes)],
    [27, control !== "none"],
    [28, control === "pause"],
    [29, control === "unknown"],
    [30, type === 0x8100],
  ];
  return bits.reduce((status, [bit, set]) => (set ? status + 2 ** bit : status), bytes.length);
}
