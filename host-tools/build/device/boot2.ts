import type { ElfTables } from "./elf.js";

/** Bytes of the RP2040's second-stage loader, and where in it the CRC stands. */
const BOOT2_BYTES = 256;
const CRC_AT = 252;

/** CRC-32 as the RP2040's boot ROM counts it: polynomial 0x04C11DB7, initial value all ones, no reflection, no final xor. */
export function boot2Crc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** True when the first 256 bytes of a flash image carry the CRC that the boot ROM asks for (RP2040 datasheet 2.8.1.3.1). */
export function boot2Valid(flash: Uint8Array): boolean {
  if (flash.length < BOOT2_BYTES) return false;
  const view = new DataView(flash.buffer, flash.byteOffset, BOOT2_BYTES);
  return view.getUint32(CRC_AT, true) === boot2Crc(flash.subarray(0, CRC_AT));
}

/** Puts the CRC into the linked file's `.boot2` section; nothing happens where there is none. */
export function signBoot2(elf: Uint8Array, tables: ElfTables): void {
  const section = tables.sections.find((s) => s.name === ".boot2" && s.bytes === BOOT2_BYTES);
  if (!section) return;
  const bytes = elf.subarray(section.offset, section.offset + BOOT2_BYTES);
  new DataView(elf.buffer, elf.byteOffset + section.offset).setUint32(
    CRC_AT,
    boot2Crc(bytes.subarray(0, CRC_AT)),
    true,
  );
}
