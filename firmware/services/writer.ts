/** Composes short texts in a given piece of memory: words from flash, numbers, addresses. */
import { Text, textAddress, textBytes } from "board";

let start: usize = 0;
let at: usize = 0;
let end: usize = 0;
let before: u32 = 0;

/** Begins a text; it may not grow beyond `capacity`. */
export function writeTo(to: usize, capacity: u32): void {
  start = to;
  at = to;
  end = to + <usize>capacity;
  before = 0;
}

/** The text goes on with what was written elsewhere, whose last character this was. */
export function writeAfter(character: u32): void {
  before = character;
}

/** The last character of the text; 0 = there is none. */
export function lastCharacter(): u32 {
  return at == start ? before : <u32>load<u8>(at - 1);
}

/** Bytes that the text may still grow. */
export function roomLeft(): u32 {
  return <u32>(end - at);
}

/** Takes the last bytes of the text back. */
export function takeBack(bytes: u32): void {
  assert(bytes <= written());
  at -= <usize>bytes;
}

/** Bytes written since `writeTo`. */
export function written(): u32 {
  return <u32>(at - start);
}

/** Appends one character. */
export function putCharacter(character: u32): void {
  assert(at < end);
  store<u8>(at++, <u8>character);
}

/** Appends bytes. */
export function putBytes(from: usize, bytes: u32): void {
  assert(bytes <= <u32>(end - at));
  memory.copy(at, from, bytes);
  at += <usize>bytes;
}

/** Appends a constant text. */
export function putText(t: Text): void {
  putBytes(textAddress(t), textBytes(t));
}

/** Appends a number, decimal, without leading zeros. */
export function putNumber(value: u32): void {
  let power: u32 = 1;
  while (value / 10 >= power) power *= 10;
  for (; power != 0; power /= 10) {
    const digit = value / power;
    putCharacter(0x30 + digit);
    value -= digit * power;
  }
}

/** Appends the lowest `digits` hexadecimal digits of a number. */
export function putHex(value: u32, digits: u32): void {
  for (let shift = digits * 4; shift != 0;) {
    shift -= 4;
    const digit = (value >>> shift) & 15;
    putCharacter(digit < 10 ? 0x30 + digit : 0x57 + digit);
  }
}

/** Appends an IPv4 address (host order) in dotted notation. */
export function putAddress(address: u32): void {
  for (let shift: u32 = 32; shift != 0;) {
    shift -= 8;
    putNumber((address >>> shift) & 255);
    if (shift != 0) putCharacter(0x2e);
  }
}

/** Appends the six bytes of a MAC address. */
export function putMac(mac: usize): void {
  for (let i: usize = 0; i < 6; i++) {
    if (i != 0) putCharacter(0x3a);
    putHex(load<u8>(mac + i), 2);
  }
}
