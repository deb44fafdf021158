/** Functions whose machine code is looked at and counted. The test calls them one by one; main is never run. */
import { checksumOf, halfSipHash, wordsClear, wordsCopy } from "cpu";
import * as portable from "../../../hal/cpu/portable";

const RING_BYTES: u32 = 1024;
const RING: usize = memory.data(RING_BYTES, 4);
let put: u32 = 0;

export function checksum(at: usize, bytes: u32): u32 {
  return checksumOf(at, bytes);
}

export function checksumPortable(at: usize, bytes: u32): u32 {
  return portable.checksumOf(at, bytes);
}

export function copy(to: usize, from: usize, bytes: u32): void {
  memory.copy(to, from, bytes);
}

export function fill(at: usize, value: u32, bytes: u32): void {
  memory.fill(at, <u8>value, bytes);
}

/** Records of constant sizes. */
export function clear(at: usize): void {
  wordsClear(at, 44);
}

export function copyRecord(to: usize, from: usize): void {
  wordsCopy(to, from, 36);
}

/** Under the key of the reference's test vectors. */
export function sip(a: u32, b: u32, c: u32): u32 {
  return halfSipHash(0x03020100, 0x07060504, a, b, c);
}

export function sipPortable(a: u32, b: u32, c: u32): u32 {
  return portable.halfSipHash(0x03020100, 0x07060504, a, b, c);
}

export function divide(a: u32, b: u32): u32 {
  return a / b;
}

export function rest(a: u32, b: u32): u32 {
  return a % b;
}

export function lowestBit(word: u32): u32 {
  return <u32>ctz(word);
}

/** A copy of a constant size, which the compiler turns into loads and stores. */
export function copyFour(to: usize, from: usize): void {
  memory.copy(to, from, 4);
}

/** Byte by byte into a ring. */
export function ringPut(from: usize, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) {
    store<u8>(RING + (put & (RING_BYTES - 1)), load<u8>(from + i));
    put++;
  }
}

export function main(): void {}
