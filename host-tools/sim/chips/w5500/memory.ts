import type { Random } from "../../random.js";

/** Bytes of packet memory in each direction (datasheet 3). */
export const MEMORY_BYTES = 16384;

/**
 * The packet memory of one direction, shared out to the sockets in their order: socket n begins where n-1 ends. Any
 * 16-bit address is valid and is masked by the size of the socket's share, also in the middle of a burst.
 */
export class PacketMemory {
  private readonly ram = new Uint8Array(MEMORY_BYTES);
  private readonly sizes = new Uint16Array(8);
  private readonly bases = new Uint16Array(8);

  constructor(random: Random) {
    random.fill(this.ram);
    this.reset();
  }

  /** Shares after reset: 2 KB each. The contents stay. */
  reset(): void {
    this.sizes.fill(2048);
    this.layOut();
  }

  setSize(socket: number, bytes: number): void {
    this.sizes[socket] = bytes;
    this.layOut();
  }

  size(socket: number): number {
    return this.sizes[socket] as number;
  }

  get total(): number {
    return this.sizes.reduce((sum, bytes) => sum + bytes, 0);
  }

  read(socket: number, address: number): number {
    return this.ram[this.locate(socket, address)] as number;
  }

  write(socket: number, address: number, value: number): void {
    this.ram[this.locate(socket, address)] = value;
  }

  /** Bytes from an address on, which wraps inside the share. */
  readBytes(socket: number, address: number, to: Uint8Array): void {
    for (let done = 0; done < to.length;) {
      const at = this.locate(socket, address + done);
      const bytes = Math.min(to.length - done, this.straight(socket, address + done, at));
      to.set(this.ram.subarray(at, at + bytes), done);
      done += bytes;
    }
  }

  writeBytes(socket: number, address: number, from: Uint8Array): void {
    for (let done = 0; done < from.length;) {
      const at = this.locate(socket, address + done);
      const bytes = Math.min(from.length - done, this.straight(socket, address + done, at));
      this.ram.set(from.subarray(done, done + bytes), at);
      done += bytes;
    }
  }

  /** Bytes from an address to where the share, or the memory, ends. */
  private straight(socket: number, address: number, at: number): number {
    const size = this.sizes[socket] as number;
    return Math.min(size - (address & (size - 1)), MEMORY_BYTES - at);
  }

  private locate(socket: number, address: number): number {
    const mask = (this.sizes[socket] as number) - 1;
    return ((this.bases[socket] as number) + (address & mask)) & (MEMORY_BYTES - 1);
  }

  private layOut(): void {
    let base = 0;
    for (let n = 0; n < 8; n++) {
      this.bases[n] = base;
      base = (base + (this.sizes[n] as number)) & (MEMORY_BYTES - 1);
    }
  }
}
