/**
 * UF2, the file format of drag-and-drop boot loaders: a row of 512-byte blocks (little-endian),
 * each of which says by itself where its payload belongs.
 *
 *     0    u32 magic 0x0A324655      16  u32 payload bytes      28   u32 family
 *     4    u32 magic 0x9E5D5157      20  u32 block number       32   payload, up to 476 bytes
 *     8    u32 flags                 24  u32 block count        508  u32 magic 0x0AB16F30
 *     12   u32 address
 *
 * The RP2040 boot ROM takes payloads of exactly 256 bytes at 256-byte boundaries (RP2040 datasheet
 * 2.8.4.2). It erases a 4 KiB sector when the *block number* enters a new group of sixteen, so a
 * sector that is only partly in the file is written wrongly (erratum RP2040-E14): every sector that
 * is touched is therefore written whole.
 */
import { UserError } from "../../errors.js";
import { hex, joinSegments, padToBlocks, type Segment } from "./segments.js";

/** Family ids: which chip a block is for. */
export const UF2_FAMILY = { RP2040: 0xe48bff56 } as const;

const MAGIC_START0 = 0x0a324655;
const MAGIC_START1 = 0x9e5d5157;
const MAGIC_END = 0x0ab16f30;
const FLAG_NOT_MAIN_FLASH = 0x00000001;
const FLAG_FAMILY_ID = 0x00002000;
const BLOCK_BYTES = 512;
const PAYLOAD_AT = 32;
const PAYLOAD_BYTES_MAX = 476;
const RP2040_PAYLOAD_BYTES = 256;
const RP2040_SECTOR_BYTES = 4096;

/** True when the bytes begin as a UF2 file does. */
export function isUf2(file: Uint8Array): boolean {
  if (file.length < BLOCK_BYTES) return false;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return view.getUint32(0, true) === MAGIC_START0 && view.getUint32(4, true) === MAGIC_START1;
}

/** The UF2 file for an RP2040 from an image in its flash; gaps within a 4 KiB sector hold 0xFF. */
export function writeUf2(
  segments: readonly Segment[],
  family: number = UF2_FAMILY.RP2040,
): Uint8Array {
  const padded = padToBlocks(segments, RP2040_SECTOR_BYTES);
  const count = padded.reduce((sum, s) => sum + s.data.length / RP2040_PAYLOAD_BYTES, 0);
  const file = new Uint8Array(count * BLOCK_BYTES);
  const view = new DataView(file.buffer);
  let number = 0;
  for (const segment of padded) {
    for (let offset = 0; offset < segment.data.length; offset += RP2040_PAYLOAD_BYTES) {
      const at = number * BLOCK_BYTES;
      const header = [
        MAGIC_START0,
        MAGIC_START1,
        FLAG_FAMILY_ID,
        segment.address + offset,
        RP2040_PAYLOAD_BYTES,
        number,
        count,
        family,
      ];
      header.forEach((value, word) => view.setUint32(at + word * 4, value, true));
      file.set(segment.data.subarray(offset, offset + RP2040_PAYLOAD_BYTES), at + PAYLOAD_AT);
      view.setUint32(at + BLOCK_BYTES - 4, MAGIC_END, true);
      number += 1;
    }
  }
  return file;
}

/**
 * Reads a UF2 file back into the bytes that it writes to the main flash.
 *
 * @param family what every block must be for; blocks without one or for another are refused.
 * @throws UserError when the file is damaged, incomplete, or for another chip.
 */
export function readUf2(file: Uint8Array, family: number = UF2_FAMILY.RP2040): Segment[] {
  if (file.length === 0 || file.length % BLOCK_BYTES !== 0) {
    throw new UserError(
      `a UF2 file of ${file.length} bytes is not a whole number of 512-byte blocks; build it again`,
    );
  }
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const total = file.length / BLOCK_BYTES;
  const segments: Segment[] = [];
  for (let number = 0; number < total; number++) {
    const at = number * BLOCK_BYTES;
    const word = (offset: number): number => view.getUint32(at + offset, true);
    const damaged = (what: string): UserError =>
      new UserError(`the UF2 file is damaged: block ${number} ${what}; build it again`);
    if (word(0) !== MAGIC_START0 || word(4) !== MAGIC_START1 || word(508) !== MAGIC_END) {
      throw damaged("has no UF2 marks");
    }
    const flags = word(8);
    if (flags & FLAG_NOT_MAIN_FLASH) continue;
    if (word(16) > PAYLOAD_BYTES_MAX) throw damaged(`claims ${word(16)} bytes`);
    if (word(20) !== number || word(24) !== total) {
      throw damaged(`says it is ${word(20)} of ${word(24)} where ${number} of ${total} stands`);
    }
    const found = flags & FLAG_FAMILY_ID ? word(28) : undefined;
    if (found !== family) {
      const name = found === undefined ? "no family" : `family ${hex(found)}`;
      throw new UserError(
        `the UF2 file is for another chip: it has ${name}, the board needs ${hex(family)}`,
      );
    }
    const data = file.subarray(at + PAYLOAD_AT, at + PAYLOAD_AT + word(16));
    segments.push({ address: word(12), data });
  }
  return joinSegments(segments);
}
