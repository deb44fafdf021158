import test from "ava";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { boot2Crc, boot2Valid } from "../../host-tools/build/device/boot2.js";
import { buildImage, imagePath } from "../../host-tools/build/device/build.js";
import { checkBudgets, printSize } from "../../host-tools/build/device/size.js";
import { UserError } from "../../host-tools/errors.js";
import { readElf } from "../../host-tools/flash/image/elf.js";
import { readHex } from "../../host-tools/flash/image/hex.js";
import { flatten } from "../../host-tools/flash/image/segments.js";
import { readUf2 } from "../../host-tools/flash/image/uf2.js";
import { packageRoot } from "../../host-tools/root.js";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";

const BOARD = "w5500-evb-pico";
const withCompiler = hasCrossCompiler() ? test.serial : test.serial.skip;
const app = (name: string): string => join(packageRoot, "test/device", name);

test("RP2040 datasheet 2.8.1.3.1: the CRC of the second-stage loader is CRC-32/MPEG-2", (t) => {
  t.is(boot2Crc(Buffer.from("123456789")), 0x0376e6e7);
});

withCompiler("ELF, BIN, HEX and UF2 hold the same bytes, from 0x10000000 on", async (t) => {
  const image = await buildImage({ board: BOARD, app: app("hello") });
  t.deepEqual(image.files, ["elf", "bin", "hex", "uf2"]);
  const bin = readFileSync(`${image.path}.bin`);
  const end = 0x10000000 + bin.length;
  const elf = readElf(readFileSync(`${image.path}.elf`));
  t.deepEqual(Buffer.from(flatten(elf.segments, 0x10000000, end)), bin);
  t.deepEqual(
    Buffer.from(flatten(readHex(readFileSync(`${image.path}.hex`, "latin1")), 0x10000000, end)),
    bin,
  );
  const uf2 = readUf2(readFileSync(`${image.path}.uf2`));
  t.is(uf2[0]?.address, 0x10000000);
  t.deepEqual(Buffer.from(flatten(uf2, 0x10000000, end)), bin);
});

withCompiler(
  "RP2040 datasheet 2.8.1.3: the image begins with a loader whose CRC is right, then the vectors",
  async (t) => {
    const image = await buildImage({ board: BOARD, app: app("hello") });
    const bin = readFileSync(`${image.path}.bin`);
    t.true(boot2Valid(bin));
    const stack = bin.readUInt32LE(0x100);
    const reset = bin.readUInt32LE(0x104);
    // The stack is at the bottom of RAM; a reset vector is odd (Thumb) and in flash.
    t.is(stack, 0x20000000 + image.size.stack.reserved);
    t.is(reset & 1, 1);
    t.true(reset > 0x10000100 && reset < 0x10000000 + bin.length);
  },
);

withCompiler("the same sources give the same bytes, in every file", async (t) => {
  const read = (path: string, files: string[]): Buffer[] =>
    [...files, "messages.json", "size.json"].map((extension) =>
      readFileSync(`${path}.${extension}`),
    );
  const first = await buildImage({ board: BOARD, app: app("hello") });
  const before = read(first.path, first.files);
  // Without one of its files an image is made anew, in another folder of work.
  rmSync(`${first.path}.${first.files.at(-1)}`);
  const second = await buildImage({ board: BOARD, app: app("hello") });
  t.deepEqual(read(second.path, second.files), before);
  t.false(
    before.some((bytes) => bytes.includes("work-")),
    "a path of this build is in an image",
  );
});

withCompiler("RAM and flash are accounted for to the byte, RAM by owner", async (t) => {
  const { size, path } = await buildImage({ board: BOARD, app: app("hello") });
  const sum = (shares: { bytes: number }[]): number => shares.reduce((a, b) => a + b.bytes, 0);
  t.is(sum(size.flash.shares), size.flash.bytes);
  t.is(sum(size.ram.shares), size.ram.bytes);
  t.is(size.flash.bytes, readFileSync(`${path}.bin`).length);
  const owner = (name: string): number | undefined =>
    size.ram.shares.find((share) => share.owner === name)?.bytes;
  // The ring of the log, and two words before it.
  t.is(owner("hal/rp2040/uart.ts"), 1032);
  t.is(owner("(stack)"), 4096);
  t.true(size.stack.bytes > 100 && size.stack.bytes < 400);
  const ring = size.ram.buffers.find(
    ({ file, name }) => file === "hal/rp2040/uart.ts" && name === "STATE",
  );
  t.is(ring?.bytes, 1032);
  t.is((ring?.address ?? 0) & 3, 0);
  t.regex(printSize(size), /^RAM: [\d,]+ of 270,336 bytes/m);
});

withCompiler(
  "an image over the board's RAM is refused: by how much, and who is largest",
  async (t) => {
    const error = await t.throwsAsync(buildImage({ board: BOARD, app: app("greedy") }), {
      instanceOf: UserError,
    });
    t.regex(
      error.message,
      /needs 30\d,\d{3} bytes of RAM, 3\d,\d{3} over the budget of 270,336; largest: test\/device\/greedy\/main\.ts 300,000/,
    );
  },
);

withCompiler("an image over its flash, or its stack, is refused", async (t) => {
  const { size } = await buildImage({ board: BOARD, app: app("hello") });
  const flash = { ...size, flash: { ...size.flash, budget: 2000 } };
  const error = t.throws(() => checkBudgets(flash), { instanceOf: UserError });
  t.regex(error.message, /bytes of flash, \d+ over the budget of 2,000; largest: /);
  const stack = { ...size, stack: { ...size.stack, reserved: 64 } };
  t.regex(
    t.throws(() => checkBudgets(stack)).message,
    /needs a stack of \d+ bytes, its board.json reserves 64; deepest calls: start > /,
  );
});

withCompiler("firmware that allocates memory is refused", async (t) => {
  const error = await t.throwsAsync(buildImage({ board: BOARD, app: app("allocates") }), {
    instanceOf: UserError,
  });
  t.regex(error.message, /main\.ts:\d+: .* allocates memory at run time/);
});

withCompiler("a debug build has its own files, with line numbers", async (t) => {
  const image = await buildImage({ board: BOARD, app: app("hello"), debug: true });
  t.is(image.path, imagePath(BOARD, app("hello"), true));
  t.true(readFileSync(`${image.path}.elf`).includes(".debug_line"));
});

test("a virtual board has no image, and says how it is run", async (t) => {
  const error = await t.throwsAsync(buildImage({ board: "virtual-w5500", app: app("hello") }), {
    instanceOf: UserError,
  });
  t.regex(error.message, /virtual board: it needs no image, run it with/);
});
