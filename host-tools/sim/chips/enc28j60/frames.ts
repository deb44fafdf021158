import { MACON3, R } from "./registers.js";
import type { Core } from "./core.js";

/** Type/length field. */
export function typeOf(frame: ArrayLike<number>): number {
  return ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
}

export function isBroadcast(frame: Uint8Array): boolean {
  return frame.length >= 6 && frame.subarray(0, 6).every((byte) => byte === 0xff);
}

/** A group address other than broadcast. */
export function isMulticast(frame: Uint8Array): boolean {
  return !isBroadcast(frame) && ((frame[0] ?? 0) & 1) === 1;
}

/**
 * MACON3.FRMLNEN: a field that is a length is not that of the data; where it is less than the minimum, padding is allowed.
 * @param frame from the destination address to the FCS
 */
export function lengthIsWrong(core: Core, frame: Uint8Array): boolean {
  const type = typeOf(frame);
  const dataBytes = frame.length - 18;
  if (!core.bit(R.MACON3, MACON3.FRMLNEN) || type > 1500) return false;
  return type !== dataBytes && !(type < 46 && dataBytes === 46);
}

/** A PAUSE frame: type 8808, opcode 1, to the reserved address or to this station (802.3 annex 31B). */
export function controlKind(frame: Uint8Array, mac: Uint8Array): "none" | "pause" | "unknown" {
  if (typeOf(frame) !== 0x8808) return "none";
  const reserved = [0x01, 0x80, 0xc2, 0x00, 0x00, 0x01];
  const forUs = reserved.every((b, i) => frame[i] === b) || mac.every((b, i) => frame[i] === b);
  return forUs && frame[14] === 0 && frame[15] === 1 ? "pause" : "unknown";
}
