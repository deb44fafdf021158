/**
 * Log lines as frames for a serial line (docs/log-wire.md): SLIP framing, number of the format, arguments. The text of a
 * format stays on the host. A board hands each byte to its UART: `uartPut` of the MCU's HAL, bound by the board's own
 * `lines.ts`, because device code has no function values.
 */

/** SLIP (RFC 1055): end of frame, escape, and what follows an escape for each of the two. */
export const SLIP_END: u32 = 0xc0;
export const SLIP_ESC: u32 = 0xdb;
export const SLIP_ESC_END: u32 = 0xdc;
export const SLIP_ESC_ESC: u32 = 0xdd;

/** First byte of a frame: what it is. */
const FRAME_LOG: u32 = 0x01;
export const FRAME_MIRROR: u32 = 0x02;

/** An escaped log frame of four arguments: both ends, and every byte between them escaped. */
const LOG_BYTES_MAX: usize = 2 + 2 * (1 + 2 + 1 + 16);
const FRAME: usize = memory.data(LOG_BYTES_MAX, 4);
let bytes: u32 = 0;

function put(byte: u32): void {
  if (byte == SLIP_END || byte == SLIP_ESC) {
    store<u8>(FRAME + bytes, <u8>SLIP_ESC);
    bytes++;
    byte = byte == SLIP_END ? SLIP_ESC_END : SLIP_ESC_ESC;
  }
  store<u8>(FRAME + bytes, <u8>byte);
  bytes++;
}

function putWord(word: u32): void {
  put(word & 0xff);
  put((word >>> 8) & 0xff);
  put((word >>> 16) & 0xff);
  put(word >>> 24);
}

/** Makes the frame of a log line with `count` arguments (0 to 4) and returns its bytes; they lie at `logFrame()`. */
export function logEncode(id: u32, count: u32, a: u32, b: u32, c: u32, d: u32): u32 {
  store<u8>(FRAME, <u8>SLIP_END);
  bytes = 1;
  put(FRAME_LOG);
  put(id & 0xff);
  put((id >>> 8) & 0xff);
  put(count);
  if (count > 0) putWord(a);
  if (count > 1) putWord(b);
  if (count > 2) putWord(c);
  if (count > 3) putWord(d);
  store<u8>(FRAME + bytes, <u8>SLIP_END);
  return bytes + 1;
}

/** Address of the frame made last. */
export function logFrame(): usize {
  return FRAME;
}
