import { hashIndex, internetChecksum } from "./crc.js";
import type { Core } from "./core.js";
import { ERXFCON, R } from "./registers.js";

/** MAADR in the order of the wire: octet 1 first. */
export function macAddress(core: Core): Uint8Array {
  const at = [R.MAADR1, R.MAADR2, R.MAADR3, R.MAADR4, R.MAADR5, R.MAADR6];
  return Uint8Array.from(at, (index) => core.registers[index] as number);
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array, at = 0): boolean {
  return prefix.every((byte, i) => bytes[at + i] === byte);
}

const BROADCAST = new Uint8Array(6).fill(0xff);

/** Six bytes FF, then the station's address 16 times, somewhere behind the source address (DS39662E 8.3). */
function isMagic(frame: Uint8Array, mac: Uint8Array): boolean {
  if (!startsWith(frame, mac)) return false;
  const pattern = new Uint8Array(6 + 16 * 6).fill(0xff);
  for (let i = 0; i < 16; i++) pattern.set(mac, 6 + 6 * i);
  for (let at = 12; at + pattern.length <= frame.length - 4; at++) {
    if (startsWith(frame, pattern, at)) return true;
  }
  return false;
}

/** Checksum of the bytes that the mask selects in a window of 64 (DS39662E 8.2); a window past the FCS never matches. */
function matchesPattern(core: Core, frame: Uint8Array): boolean {
  const offset = core.pair(R.EPMOL);
  if (offset + 64 > frame.length) return false;
  const selected: number[] = [];
  for (let i = 0; i < 64; i++) {
    const mask = core.registers[R.EPMM0 + (i >> 3)] as number;
    if ((mask >> (i & 7)) & 1) selected.push(frame[offset + i] as number);
  }
  return internetChecksum(selected) === core.pair(R.EPMCSL) || core.strikes(18, "pattern");
}

/**
 * The receive filters (DS39662E 8, ERXFCON): whether a frame is kept.
 * @param frame from the destination address to the FCS
 */
export function filterAccepts(core: Core, frame: Uint8Array, fcsGood: boolean): boolean {
  const enabled = core.registers[R.ERXFCON] as number;
  if (enabled & ERXFCON.CRCEN && !fcsGood) return false;
  const mac = macAddress(core);
  const bit = hashIndex(frame);
  const tests: [number, () => boolean][] = [
    [ERXFCON.UCEN, () => startsWith(frame, mac)],
    [ERXFCON.PMEN, () => matchesPattern(core, frame)],
    [ERXFCON.MPEN, () => isMagic(frame, mac)],
    [
      ERXFCON.HTEN,
      () => (((core.registers[R.EHT0 + (bit >> 3)] as number) >> (bit & 7)) & 1) === 1,
    ],
    [ERXFCON.MCEN, () => ((frame[0] as number) & 1) === 1],
    [ERXFCON.BCEN, () => startsWith(frame, BROADCAST)],
  ];
  const active = tests.filter(([mask]) => enabled & mask);
  if (active.length === 0) return true;
  if (enabled & ERXFCON.ANDOR) return active.every(([, test]) => test());
  return active.some(([, test]) => test());
}
