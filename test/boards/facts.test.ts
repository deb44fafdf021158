import test from "ava";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadBoard } from "../../host-tools/build/boards.js";
import { buildImage } from "../../host-tools/build/device/build.js";
import { targetOf } from "../../host-tools/build/device/target.js";
import { ARM_GCC, hasTool } from "../../host-tools/build/device/tools.js";
import { flashFactsOf } from "../../host-tools/flash/board-facts.js";
import { readElf } from "../../host-tools/flash/image/elf.js";
import { packageRoot } from "../../host-tools/root.js";
import { LIMITS } from "./model/spi.js";
import { BoardWorld } from "./model/world.js";

const BOARDS = [
  "bluepill-w5500",
  "bluepill-enc28j60",
  "espruino-pico-w5500",
  "espruino-pico-enc28j60",
];
const gccTest = hasTool(ARM_GCC) ? test : test.skip;
const document = readFileSync(join(packageRoot, "docs/boards.md"), "utf8");

for (const name of BOARDS) {
  test(`${name}: SCK is within what the chip guarantees (W5500 5.5.4, ENC28J60 16.4, erratum 1)`, (t) => {
    const { spiHz, chip } = loadBoard(name);
    t.true(spiHz <= LIMITS[chip as "w5500" | "enc28j60"].maxHz);
    t.true(spiHz >= 8e6);
  });

  test(`${name}: the wiring table has the pins of the board`, (t) => {
    const pins = loadBoard(name)["pins"] as Record<string, string>;
    const column = name.startsWith("bluepill") ? 4 : 5;
    for (const line of ["CSn", "SCK", "MISO", "MOSI", "RSTn", "INTn", "log", "LED"]) {
      const row = document.split("\n").find((text) => text.startsWith(`| ${line}`));
      const cell = row?.split("|")[column]?.trim() ?? "";
      // Espruino writes B10 for PB10.
      const pin = pins[line] as string;
      t.true(cell.startsWith(column === 5 ? pin.slice(1) : pin), `${line}: ${pin}, table: ${cell}`);
    }
  });

  gccTest(
    `${name}: the demo fits with its stack, and begins with a vector table where it is started`,
    async (t) => {
      const { path, size } = await buildImage({ board: name, app: "demo" });
      const target = targetOf(loadBoard(name));
      t.true(size.ram.bytes <= target.ram.bytes);
      t.true(size.flash.bytes <= target.flash.bytes);
      t.true(size.stack.bytes < size.stack.reserved);
      const { segments } = readElf(readFileSync(`${path}.elf`));
      const first = segments.reduce((a, b) => (a.address < b.address ? a : b));
      t.is(first.address, flashFactsOf(loadBoard(name)).appOrigin);
      const vectors = Buffer.from(first.data);
      t.is(vectors.readUInt32LE(0), target.ram.origin + target.stackBytes);
      const reset = vectors.readUInt32LE(4);
      t.is(reset & 1, 1);
      t.true(reset > first.address && reset < first.address + size.flash.bytes);
      t.is(first.address % target.vectorsAlign, 0);
      t.true(existsSync(`${path}.bin`) && existsSync(`${path}.hex`));
    },
  );
}

for (const name of ["bluepill-w5500", "bluepill-enc28j60"]) {
  gccTest(
    `${name}: 20 KB hold the demo with a stack of 1.5 KB and at least four connections`,
    async (t) => {
      const { size } = await buildImage({ board: name, app: "demo" });
      t.true(size.ram.bytes <= 20480);
      t.true(size.flash.bytes <= 65536 - 1024);
      t.true(size.stack.reserved >= 1536);
      t.true((loadBoard(name).options.TCP_TCBS as number) >= 4);
    },
  );
}

for (const name of ["bluepill-w5500", "espruino-pico-w5500"]) {
  test(`${name}: the microsecond clock never goes back or jumps at a carry (RM0008 15.3.15)`, async (t) => {
    const world = await BoardWorld.create({
      board: name,
      app: "test/device/stm32-clock",
      seconds: 3,
    });
    world.run();
    t.is(world.said[0], `longest step ${name.startsWith("bluepill") ? 3 : 1} us`);
    t.regex(world.said[1] ?? "", /^26\d\d ms in all$/);
  });
}
