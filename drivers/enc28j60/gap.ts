/**
 * The gap before a frame in half duplex. Who leaves a longer one than the link partner lets it go first if it has something to send, and
 * hears it in time, because the carrier is sensed through all of the gap: with the same gap both would begin at once after each
 * frame, collide, and back off. But a partner that always has something to send would then have the wire for itself. So a
 * frame that was kept from it for too long is sent with the gap that the data sheet recommends, and for a while those behind it.
 */
import { OPTIONS } from "options";
import { MABBIPG, MAIPGH, MAIPGL } from "./registers";
import { selectBank, writeVerified } from "./spi";

/** Both share the wire, unless the build says that the link partner is forced to 10 Mbit/s full duplex. */
export const HALF_DUPLEX: bool = OPTIONS.ENC28J60_FULL_DUPLEX == 0;
/** 12.8 us, 3.2 more than others leave, in nibbles of 0.4 us and less six (DS39662E 6.5). */
const YIELDING: u32 = 0x1a;
/** What the data sheet recommends for half duplex: 9.6 us, of which the carrier is sensed through the first 7.2 only. */
const USUAL: u32 = 0x12;
const USUAL_SENSED: u32 = 0x0c;
/** The same for full duplex, where a gap has three nibbles less. */
const FULL: u32 = 0x15;

/** The partner does not go first now. */
let contends: bool = false;

/** The chip starts anew: the partner goes first. */
export function gapReset(): void {
  contends = false;
}

/** True while the recommended gap is in use because a frame had to wait for too long. */
export function gapContends(): bool {
  return contends;
}

/** What MABBIPG, MAIPGL or MAIPGH is to hold. */
export function gapOf(register: u32): u32 {
  if (!HALF_DUPLEX && register == MABBIPG) return FULL;
  if (HALF_DUPLEX && !contends) return YIELDING;
  return register == MAIPGH ? USUAL_SENSED : USUAL;
}

/** Lets the partner go first, or not. Nothing may be under way to the wire. */
export function gapContend(wanted: bool): void {
  if (!HALF_DUPLEX || wanted == contends) return;
  contends = wanted;
  selectBank(2);
  // One that cannot be written is found by the audit of the configuration.
  writeVerified(MABBIPG, gapOf(MABBIPG));
  writeVerified(MAIPGL, gapOf(MAIPGL));
  writeVerified(MAIPGH, gapOf(MAIPGH));
  selectBank(0);
}
