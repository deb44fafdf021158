/**
 * Frames of the wire, mirrored over the log line (docs/log-wire.md, type 02): encoded here into one static buffer, sent byte
 * by byte by the board's log (`lines.ts`). Only a firmware that is built with MIRROR_BYTES has the buffer and the code.
 */
import { OPTIONS } from "options";
import { FRAME_MIRROR, SLIP_END, SLIP_ESC, SLIP_ESC_END, SLIP_ESC_ESC } from "./frames";

/** Type, direction, time, length, the snapped bytes, all escaped, and both ends. */
const ENCODED_BYTES_MAX: usize =
  OPTIONS.MIRROR_BYTES == 0 ? 1 : 2 + 2 * (8 + <usize>OPTIONS.MIRROR_BYTES);
const ENCODED: usize = memory.data(ENCODED_BYTES_MAX, 1);
let bytes: u32 = 0;

function put(byte: u32): void {
  if (byte == SLIP_END || byte == SLIP_ESC) {
    store<u8>(ENCODED + bytes, <u8>SLIP_ESC);
    bytes++;
    byte = byte == SLIP_END ? SLIP_ESC_END : SLIP_ESC_ESC;
  }
  store<u8>(ENCODED + bytes, <u8>byte);
  bytes++;
}

/**
 * Encodes a frame of `frameBytes` bytes of which the first `snapped` lie at `at`. `direction` is 0 for received, 1 for sent.
 * Returns the bytes at `mirrorEncoded()`.
 */
export function mirrorEncode(
  direction: u32,
  timeUs: u32,
  frameBytes: u32,
  at: usize,
  snapped: u32,
): u32 {
  assert(snapped <= <u32>OPTIONS.MIRROR_BYTES);
  store<u8>(ENCODED, <u8>SLIP_END);
  bytes = 1;
  put(FRAME_MIRROR);
  put(direction);
  for (let shift: u32 = 0; shift < 32; shift += 8) put((timeUs >>> shift) & 0xff);
  put(frameBytes & 0xff);
  put(frameBytes >>> 8);
  for (let i: u32 = 0; i < snapped; i++) put(load<u8>(at + i));
  store<u8>(ENCODED + bytes, <u8>SLIP_END);
  return bytes + 1;
}

/** Address of the frame encoded last. */
export function mirrorEncoded(): usize {
  return ENCODED;
}
