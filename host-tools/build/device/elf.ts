/**
 * Sections and symbols of an ELF32 file: what a size table needs. (Its loadable bytes: host-tools/flash/image/elf.ts.)
 */

export interface ElfSection {
  name: string;
  address: number;
  bytes: number;
  /** Where its bytes begin in the file. */
  offset: number;
  /** Takes room in memory (SHF_ALLOC). */
  allocated: boolean;
  /** Has bytes in the file; false for memory that start-up clears or nobody touches (SHT_NOBITS). */
  stored: boolean;
}

export interface ElfSymbol {
  name: string;
  address: number;
  bytes: number;
  kind: "function" | "object" | "other";
  /** Index into `sections`; undefined for absolute symbols and undefined ones. */
  section: number | undefined;
}

export interface ElfTables {
  sections: ElfSection[];
  symbols: ElfSymbol[];
}

const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHF_ALLOC = 2;

/** Reads section headers and the symbol table (System V ABI, chapter 4). The file is one that the build just made. */
export function readElfTables(file: Uint8Array): ElfTables {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const u16 = (at: number): number => view.getUint16(at, true);
  const u32 = (at: number): number => view.getUint32(at, true);
  const text = (at: number): string => {
    let end = at;
    while (file[end] !== 0) end++;
    return Buffer.from(file.subarray(at, end)).toString("latin1");
  };
  const tableAt = u32(32);
  const recordBytes = u16(46);
  const count = u16(48);
  const header = (index: number): number => tableAt + index * recordBytes;
  const namesAt = u32(header(u16(50)) + 16);
  const sections: ElfSection[] = [];
  const symbols: ElfSymbol[] = [];
  for (let i = 0; i < count; i++) {
    const at = header(i);
    const type = u32(at + 4);
    sections.push({
      name: text(namesAt + u32(at)),
      address: u32(at + 12),
      bytes: u32(at + 20),
      offset: u32(at + 16),
      allocated: (u32(at + 8) & SHF_ALLOC) !== 0,
      stored: type !== SHT_NOBITS,
    });
    if (type !== SHT_SYMTAB) continue;
    const stringsAt = u32(header(u32(at + 24)) + 16);
    for (let symbol = u32(at + 16); symbol < u32(at + 16) + u32(at + 20); symbol += 16) {
      const kind = file[symbol + 12]! & 15;
      const section = u16(symbol + 14);
      symbols.push({
        name: text(stringsAt + u32(symbol)),
        // Bit 0 of a function's address says Thumb.
        address: kind === 2 ? (u32(symbol + 4) & ~1) >>> 0 : u32(symbol + 4),
        bytes: u32(symbol + 8),
        kind: kind === 2 ? "function" : kind === 1 ? "object" : "other",
        section: section > 0 && section < 0xff00 ? section : undefined,
      });
    }
  }
  return { sections, symbols };
}
