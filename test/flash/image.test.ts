import test from "ava";
import { readElf } from "../../host-tools/flash/image/elf.js";
import { readHex, writeHex } from "../../host-tools/flash/image/hex.js";
import {
  flatten,
  joinSegments,
  padToBlocks,
  type Segment,
} from "../../host-tools/flash/image/segments.js";
import { isUf2, readUf2, UF2_FAMILY, writeUf2 } from "../../host-tools/flash/image/uf2.js";

const pattern = (bytes: number, salt = 0): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, index) => (index * 31 + salt + (index >> 8)) & 0xff);

const image: Segment[] = [
  { address: 0x10000000, data: pattern(9000) },
  { address: 0x10005010, data: pattern(300, 5) },
];

test("UF2: each block has its marks, number, count, family and 256 bytes", (t) => {
  const file = writeUf2([{ address: 0x10000000, data: pattern(4096) }]);
  t.is(file.length, 16 * 512);
  const view = new DataView(file.buffer);
  for (let block = 0; block < 16; block++) {
    const word = (at: number): number => view.getUint32(block * 512 + at, true);
    t.deepEqual(
      [word(0), word(4), word(8), word(12), word(16), word(20), word(24), word(28), word(508)],
      [
        0x0a324655,
        0x9e5d5157,
        0x2000,
        0x10000000 + block * 256,
        256,
        block,
        16,
        UF2_FAMILY.RP2040,
        0x0ab16f30,
      ],
    );
  }
  t.deepEqual(file.subarray(512 + 32, 512 + 288), pattern(4096).subarray(256, 512));
});

test("RP2040-E14: every sector that is touched is written whole and begins a group of 16 blocks", (t) => {
  const file = writeUf2(image);
  const view = new DataView(file.buffer);
  const addresses = Array.from({ length: file.length / 512 }, (_, block) =>
    view.getUint32(block * 512 + 12, true),
  );
  t.is(addresses.length, 4 * 16);
  addresses.forEach((address, block) => {
    if (block % 16 === 0) t.is(address % 4096, 0);
    else t.is(address, (addresses[block - 1] as number) + 256);
  });
});

test("UF2: what is written reads back, gaps inside a sector as 0xFF", (t) => {
  const file = writeUf2(image);
  t.true(isUf2(file));
  t.deepEqual(readUf2(file), padToBlocks(image, 4096));
  const back = flatten(readUf2(file), 0x10000000, 0x10006000);
  t.deepEqual(back, flatten(image, 0x10000000, 0x10006000));
});

test("UF2: another chip's family, a missing block, a damaged mark and a cut file are refused", (t) => {
  const file = writeUf2(image);
  t.throws(() => readUf2(file, 0xe48bff57), { message: /for another chip.*0xe48bff56/ });
  t.throws(() => readUf2(file.subarray(512)), { message: /block 0 says it is 1 of 64/ });
  t.throws(() => readUf2(file.subarray(0, 1000)), { message: /not a whole number/ });
  const damaged = file.slice();
  damaged[508] = 0;
  t.throws(() => readUf2(damaged), { message: /block 0 has no UF2 marks/ });
  const anonymous = file.slice();
  anonymous[9] = 0;
  t.throws(() => readUf2(anonymous), { message: /no family/ });
});

test("UF2: a view into a larger buffer is read at its own offset", (t) => {
  const file = writeUf2(image);
  const larger = new Uint8Array(file.length + 7);
  larger.set(file, 7);
  t.deepEqual(readUf2(larger.subarray(7)), readUf2(file));
});

/** A 32-bit ARM executable with the given program headers. */
function forgeElf(
  loads: { type: number; paddr: number; vaddr: number; data: Uint8Array }[],
): Uint8Array {
  const table = 52;
  let at = table + loads.length * 32;
  const file = new Uint8Array(at + loads.reduce((sum, l) => sum + l.data.length, 0));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 40, true);
  view.setUint32(24, 0x08000101, true);
  view.setUint32(28, table, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, loads.length, true);
  loads.forEach((load, index) => {
    const header = table + index * 32;
    [load.type, at, load.vaddr, load.paddr, load.data.length, load.data.length + 64, 5, 4].forEach(
      (value, word) => view.setUint32(header + word * 4, value, true),
    );
    file.set(load.data, at);
    at += load.data.length;
  });
  return file;
}

test("ELF: PT_LOAD segments lie at p_paddr, .data behind .text, everything else is left out", (t) => {
  const file = forgeElf([
    { type: 1, paddr: 0x08000000, vaddr: 0x08000000, data: pattern(100) },
    { type: 0x70000001, paddr: 0x08000040, vaddr: 0, data: pattern(8) },
    { type: 1, paddr: 0x08000064, vaddr: 0x20000000, data: pattern(16, 9) },
    { type: 1, paddr: 0x20000010, vaddr: 0x20000010, data: new Uint8Array(0) },
  ]);
  const { segments, entry } = readElf(file);
  t.is(entry, 0x08000101);
  t.deepEqual(segments, [
    { address: 0x08000000, data: Buffer.concat([pattern(100), pattern(16, 9)]) },
  ]);
});

test("ELF: what is not a whole 32-bit ARM executable is refused", (t) => {
  const good = forgeElf([{ type: 1, paddr: 0, vaddr: 0, data: pattern(40) }]);
  t.throws(() => readElf(good.subarray(0, good.length - 1)), { message: /cut off in a segment/ });
  t.throws(() => readElf(good.subarray(0, 60)), { message: /cut off in its program headers/ });
  t.throws(() => readElf(pattern(100)), { message: /no ELF header/ });
  const wide = good.slice();
  wide[4] = 2;
  t.throws(() => readElf(wide), { message: /not 32-bit/ });
  const x86 = good.slice();
  x86[18] = 3;
  t.throws(() => readElf(x86), { message: /not for ARM/ });
});

test("Intel HEX: both ways, above 64 KiB too; checksum and end are checked", (t) => {
  const segments = joinSegments([
    { address: 0x0800fff0, data: pattern(40) },
    { address: 0x08020000, data: pattern(5, 3) },
  ]);
  const text = writeHex(segments);
  t.true(text.endsWith(":00000001FF\n"));
  t.deepEqual(
    readHex(text).map((s) => ({ address: s.address, data: Buffer.from(s.data) })),
    segments.map((s) => ({ address: s.address, data: Buffer.from(s.data) })),
  );
  t.throws(() => readHex(text.replace(":00000001FF\n", "")), { message: /no end record/ });
  t.throws(() => readHex(text.replace(/^(:10FFF0.*)(..)$/m, "$100")), { message: /damaged/ });
});

test("two contents for one address are refused", (t) => {
  const twice = [
    { address: 0x100, data: pattern(16) },
    { address: 0x10f, data: pattern(4) },
  ];
  t.throws(() => joinSegments(twice), { message: /two contents for 0x0000010f/ });
});
