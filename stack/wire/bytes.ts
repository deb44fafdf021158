import { rev16 } from "cpu";

/**
 * Big-endian fields of wire formats. 16-bit fields at any even address, 32-bit fields at any even address too (composed of
 * halves: a Cortex-M0+ faults on an unaligned word).
 */
export class Be {
  @inline static load16(at: usize): u32 {
    return rev16(<u32>load<u16>(at));
  }
  @inline static store16(at: usize, value: u32): void {
    store<u16>(at, <u16>rev16(value));
  }
  static load32(at: usize): u32 {
    return (Be.load16(at) << 16) | Be.load16(at + 2);
  }
  static store32(at: usize, value: u32): void {
    Be.store16(at, value >>> 16);
    Be.store16(at + 2, value & 0xffff);
  }
}
