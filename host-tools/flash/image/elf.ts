import { UserError } from "../../errors.js";
import { joinSegments, type Segment } from "./segments.js";

const PT_LOAD = 1;
const EM_ARM = 40;

/** What a flasher needs of an executable. */
export interface ElfImage {
  /** Bytes at their *load* addresses (`p_paddr`): where they lie in flash, not where they run. */
  segments: Segment[];
  /** `e_entry`. */
  entry: number;
}

/** True when the bytes begin as an ELF file does. */
export function isElf(file: Uint8Array): boolean {
  return (
    file.length >= 4 && file[0] === 0x7f && String.fromCharCode(...file.subarray(1, 4)) === "ELF"
  );
}

/**
 * Reads the loadable segments of a 32-bit little-endian ARM executable (System V ABI, chapters 4
 * and 5). Only the bytes that are in the file count (`p_filesz`): the rest of a segment is memory
 * that the start-up code clears.
 *
 * @throws UserError when it is not such a file or its tables point outside of it.
 */
export function readElf(file: Uint8Array): ElfImage {
  const refuse = (what: string): UserError =>
    new UserError(`the ELF file ${what}; give the .elf of a device build`);
  if (!isElf(file) || file.length < 52) throw refuse("has no ELF header");
  if (file[4] !== 1 || file[5] !== 1) throw refuse("is not 32-bit little-endian");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint16(18, true) !== EM_ARM) throw refuse("is not for ARM");
  const entry = view.getUint32(24, true);
  const tableAt = view.getUint32(28, true);
  const recordBytes = view.getUint16(42, true);
  const records = view.getUint16(44, true);
  if (recordBytes < 32 || tableAt + records * recordBytes > file.length) {
    throw refuse("is cut off in its program headers");
  }
  const segments: Segment[] = [];
  for (let index = 0; index < records; index++) {
    const at = tableAt + index * recordBytes;
    if (view.getUint32(at, true) !== PT_LOAD) continue;
    const offset = view.getUint32(at + 4, true);
    const address = view.getUint32(at + 12, true);
    const bytes = view.getUint32(at + 16, true);
    if (offset + bytes > file.length) throw refuse("is cut off in a segment");
    segments.push({ address, data: file.subarray(offset, offset + bytes) });
  }
  if (segments.every((segment) => segment.data.length === 0)) throw refuse("has nothing to load");
  return { segments: joinSegments(segments), entry };
}
