/**
 * Parameters: the pairs of a query or of a form (`application/x-www-form-urlencoded`, WHATWG URL 5.1), decoded where they are
 * compared or copied.
 */
import { Text, textAddress, textBytes } from "board";
import { httpBody, httpKeptAt, httpKeptBytes, httpQuery } from "./call";
import { hexValue } from "./message";

/** The value that was found, as it came. */
let valueAt: usize = 0;
let valueEnd: usize = 0;

/** Where the next byte is read, and the end of what is read. */
let at: usize = 0;
let end: usize = 0;

const NO_MORE: i32 = -1;
const BAD: i32 = -2;

/** The next decoded byte of what is being read; NO_MORE, or BAD for a `%` without two hexadecimal digits. */
function nextByte(): i32 {
  if (at >= end) return NO_MORE;
  const byte = <u32>load<u8>(at++);
  if (byte == 0x2b) return 0x20;
  if (byte != 0x25) return <i32>byte;
  if (end - at < 2) return BAD;
  const high = hexValue(load<u8>(at));
  const low = hexValue(load<u8>(at + 1));
  at += 2;
  return high < 0 || low < 0 ? BAD : (high << 4) | low;
}

/** True when what lies between two places is, decoded, a text. */
function reads(from: usize, to: usize, wanted: Text): bool {
  at = from;
  end = to;
  const expected = textAddress(wanted);
  for (let i: u32 = 0, n = textBytes(wanted); i < n; i++) {
    if (nextByte() != <i32>load<u8>(expected + <usize>i)) return false;
  }
  return at >= end;
}

/** Looks for a name in pairs; true when it is there. */
function findIn(from: usize, bytes: u32, name: Text): bool {
  const last = from + <usize>bytes;
  for (let pair = from; pair < last;) {
    let pairEnd = pair;
    while (pairEnd < last && load<u8>(pairEnd) != 0x26) pairEnd++;
    let nameEnd = pair;
    while (nameEnd < pairEnd && load<u8>(nameEnd) != 0x3d) nameEnd++;
    if (reads(pair, nameEnd, name)) {
      valueAt = min<usize>(nameEnd + 1, pairEnd);
      valueEnd = pairEnd;
      return true;
    }
    pair = pairEnd + 1;
  }
  return false;
}

/** Looks for a parameter, in the query first, then in the form that was sent: true when it is there. */
export function httpParam(name: Text): bool {
  if (httpQuery() && findIn(httpKeptAt(), httpKeptBytes(), name)) return true;
  if (httpBody() && findIn(httpKeptAt(), httpKeptBytes(), name)) return true;
  valueAt = 0;
  valueEnd = 0;
  return false;
}

/** True when the parameter that was found is a text. */
export function httpParamIs(value: Text): bool {
  return reads(valueAt, valueEnd, value);
}

/** Copies the parameter that was found: its bytes, or -1 when it is longer or badly escaped. */
export function httpParamCopy(to: usize, capacity: u32): i32 {
  at = valueAt;
  end = valueEnd;
  let bytes: u32 = 0;
  let byte = nextByte();
  while (byte >= 0 && bytes < capacity) {
    store<u8>(to + <usize>bytes, <u8>byte);
    bytes++;
    byte = nextByte();
  }
  return byte == NO_MORE ? <i32>bytes : -1;
}

/** The parameter that was found as a decimal number; `otherwise` when it is none. */
export function httpParamNumber(otherwise: u32): u32 {
  at = valueAt;
  end = valueEnd;
  if (at >= end) return otherwise;
  let value: u32 = 0;
  for (let byte = nextByte(); byte != NO_MORE; byte = nextByte()) {
    const digit = <u32>byte - 0x30;
    if (digit > 9 || value > (0xffffffff - digit) / 10) return otherwise;
    value = value * 10 + digit;
  }
  return value;
}
