import test from "ava";
import { join } from "node:path";
import { packageRoot } from "../../host-tools/root.js";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";
import { Random } from "../../host-tools/sim/random.js";
import { Core, SCRATCH } from "../support/core.js";

const APP = join(packageRoot, "test/device/code");
const withCompiler = hasCrossCompiler() ? test : test.skip;

/** RFC 1071 by the book: 16-bit words in memory order, carries folded at the end. */
function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

withCompiler(
  "RFC 1071: the assembly loop sums every length and alignment as the definition does",
  async (t) => {
    const core = await Core.load(APP);
    const random = new Random(1);
    const agree: boolean[] = [];
    for (let at = 0; at < 4; at++) {
      for (let bytes = 0; bytes < 90; bytes++) {
        const area = core.scratch.subarray(at, at + bytes);
        // All ones brings out a lost carry; random bytes bring out everything else.
        if (bytes % 3 === 0) area.fill(0xff);
        else random.fill(area);
        const expected = checksum(area);
        for (const name of ["checksum", "checksumPortable"]) {
          agree.push(core.call(name, SCRATCH + at, bytes).result === expected);
        }
      }
    }
    t.is(agree.length, 720);
    t.true(agree.every(Boolean));
  },
);

withCompiler(
  "the checksum of a full segment costs 670 instructions at most, in portable form 3,500",
  async (t) => {
    const core = await Core.load(APP);
    new Random(2).fill(core.scratch);
    const own = core.call("checksum", SCRATCH, 1460);
    const portable = core.call("checksumPortable", SCRATCH, 1460);
    t.is(own.result, portable.result);
    t.log(
      `${own.instructions} instructions, ${own.cycles} cycles; portable ${portable.instructions}`,
    );
    // Plain loads and adds: checked accessors would cost ten times that.
    t.true(own.instructions <= 670, `${own.instructions}`);
    t.true(portable.instructions <= 3500, `${portable.instructions}`);
  },
);

withCompiler(
  "copies are right for every alignment, length and overlap, and never unaligned",
  async (t) => {
    const core = await Core.load(APP);
    const random = new Random(3);
    const area = core.scratch.subarray(0, 512);
    let wrong = 0;
    for (let to = 64; to < 68; to++) {
      for (let from = 40; from < 100; from++) {
        for (const bytes of [0, 1, 3, 4, 11, 12, 13, 15, 16, 17, 31, 64]) {
          random.fill(area);
          const expected = Buffer.from(area);
          expected.copyWithin(to, from, from + bytes);
          core.call("copy", SCRATCH + to, SCRATCH + from, bytes);
          if (Buffer.compare(area, expected) !== 0) wrong++;
        }
      }
    }
    t.is(wrong, 0);
  },
);

withCompiler("quotient, rest and lowest bit are right at all sizes of numbers", async (t) => {
  const core = await Core.load(APP);
  const random = new Random(5);
  const edges = [1, 2, 3, 10, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff];
  const numbers = [...edges, ...Array.from({ length: 16 }, (_, i) => random.u32() >>> (i * 2))];
  const wrong: string[] = [];
  for (const a of [0, ...numbers]) {
    for (const b of numbers.filter((number) => number !== 0)) {
      if (core.call("divide", a, b).result >>> 0 !== Math.floor(a / b)) wrong.push(`${a} / ${b}`);
      if (core.call("rest", a, b).result >>> 0 !== a % b) wrong.push(`${a} % ${b}`);
    }
  }
  for (let bit = 0; bit < 32; bit++) {
    if (core.call("lowestBit", (0xffffffff << bit) >>> 0).result !== bit) wrong.push(`bit ${bit}`);
  }
  if (core.call("lowestBit", 0).result !== 32) wrong.push("none");
  t.deepEqual(wrong, []);
});

withCompiler("fills are right for every alignment and length", async (t) => {
  const core = await Core.load(APP);
  const random = new Random(4);
  const area = core.scratch.subarray(0, 128);
  let wrong = 0;
  for (let at = 16; at < 20; at++) {
    for (let bytes = 0; bytes < 64; bytes++) {
      random.fill(area);
      const expected = Buffer.from(area).fill(0xa5, at, at + bytes);
      core.call("fill", SCRATCH + at, 0xa5, bytes);
      if (Buffer.compare(area, expected) !== 0) wrong++;
    }
  }
  t.is(wrong, 0);
});

withCompiler("a record is cleared or copied whole, and nothing beside it", async (t) => {
  const core = await Core.load(APP);
  const random = new Random(6);
  const area = core.scratch.subarray(0, 256);
  random.fill(area);
  const expected = Buffer.from(area).fill(0, 16, 60);
  core.call("clear", SCRATCH + 16);
  t.is(Buffer.compare(area, expected), 0);
  expected.copyWithin(128, 200, 236);
  core.call("copyRecord", SCRATCH + 128, SCRATCH + 200);
  t.is(Buffer.compare(area, expected), 0);
});

withCompiler("HalfSipHash-2-4 gives the reference's number for eleven bytes", async (t) => {
  const core = await Core.load(APP);
  const random = new Random(7);
  for (const name of ["sip", "sipPortable"]) {
    // vectors_hsip32 of the reference implementation: key 00 to 07, message 00 to 0a.
    t.is(core.call(name, 0x03020100, 0x07060504, 0x0a0908).result >>> 0, 0x50300808, name);
    // The twelfth byte is none of the message.
    t.is(core.call(name, 0x03020100, 0x07060504, 0x550a0908).result >>> 0, 0x50300808, name);
  }
  for (let i = 0; i < 100; i++) {
    const words = [random.u32(), random.u32(), random.u32()] as const;
    t.is(core.call("sip", ...words).result, core.call("sipPortable", ...words).result);
  }
});

withCompiler("a copy costs three cycles a byte at most, whatever the alignment", async (t) => {
  const core = await Core.load(APP);
  const costs = [0, 1, 2, 3].map((off) => core.call("copy", SCRATCH, SCRATCH + 2048 + off, 1024));
  t.log(costs.map(({ cycles }) => `${(cycles / 1024).toFixed(2)} cycles a byte`).join(", "));
  t.true((costs[0]?.cycles ?? Infinity) < 1.1 * 1024);
  for (const { cycles } of costs) t.true(cycles < 3 * 1024, `${cycles}`);
});

withCompiler(
  "a copy of four bytes in place of a call is never an unaligned load or store",
  async (t) => {
    const core = await Core.load(APP);
    for (let off = 0; off < 4; off++) {
      core.scratch.set([1, 2, 3, 4], 16 + off);
      core.call("copyFour", SCRATCH + 33, SCRATCH + 16 + off);
      t.deepEqual([...core.scratch.subarray(33, 37)], [1, 2, 3, 4]);
    }
  },
);

withCompiler(
  "inner loops compile to plain instructions: twelve for a byte into a ring",
  async (t) => {
    const core = await Core.load(APP);
    const short = core.call("ringPut", SCRATCH, 100).instructions;
    const long = core.call("ringPut", SCRATCH, 600).instructions;
    const each = (long - short) / 500;
    t.log(`${each} instructions a byte`);
    t.true(each <= 12, `${each}`);
  },
);
