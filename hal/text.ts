/**
 * Constant texts of device code. A device has no string type at run time: the build rewrites `text("…")` to one number
 * that names bytes in the read-only blob (in flash on a device), and adds the bytes to the blob.
 *
 *     Text    31                    10 9          0
 *            +------------------------+------------+
 *            | offset in the blob     | bytes      |
 *            +------------------------+------------+
 */
import { flashBase } from "board";

/** A constant text: offset in the blob and length in one number. */
export type Text = u32;

/** Names a literal. The call never runs: the build puts the number in its place (host-tools/build/literals.ts). */
export function text(_literal: string): Text {
  return ERROR("text() takes a string literal");
}

/** Address of the first byte of a text; the bytes may be read, never written. */
export function textAddress(t: Text): usize {
  return flashBase() + <usize>(t >>> 10);
}

/** `bytes` bytes of a text, `from` bytes behind its first. */
export function textPart(t: Text, from: u32, bytes: u32): Text {
  return (((t >>> 10) + from) << 10) | bytes;
}

/** Length of a text in bytes: 0..1023. */
export function textBytes(t: Text): u32 {
  return t & 1023;
}
