import test from "ava";
import { boot2Crc } from "../../host-tools/build/device/boot2.js";
import { DeviceTrap, StopSimulation } from "../../host-tools/sim/machine.js";
import { PINS } from "../../host-tools/sim/machine-rp2040.js";
import { VirtualTime } from "../../host-tools/sim/machine-time.js";
import { Rp2040Board } from "../../host-tools/sim/rp2040/board.js";
import { ScriptedSlave } from "../support/rp2040.js";

const SSI = 0x18000000;
const [CTRLR0, CTRLR1, SSIENR, BAUDR, DR0, SPI_CTRLR0] = [0x00, 0x04, 0x08, 0x14, 0x60, 0xf4];
const FLASH = 0x10000000;
const PROGRAM = FLASH + 0x200;

/** A second-stage loader in Thumb that makes some writes to the SSI and jumps to the program. */
function loader(writes: readonly (readonly [number, number])[]): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  const pool = 252 - 8 * writes.length - 4;
  let code = 0;
  let literal = pool;
  const load = (register: number, value: number): void => {
    // LDR (literal): the offset counts words from the aligned PC, which is 4 ahead.
    view.setUint16(code, 0x4800 | (register << 8) | ((literal - ((code + 4) & ~3)) / 4), true);
    view.setUint32(literal, value, true);
    code += 2;
    literal += 4;
  };
  for (const [register, value] of writes) {
    load(0, SSI + register);
    load(1, value);
    view.setUint16(code, 0x6001, true); // STR r1, [r0]
    code += 2;
  }
  load(0, PROGRAM + 1);
  view.setUint16(code, 0x4700, true); // BX r0
  view.setUint32(252, boot2Crc(bytes.subarray(0, 252)), true);
  return bytes;
}

/** Boots with that loader and a program that turns in one place; tells how the run has ended. */
function boot(writes: readonly (readonly [number, number])[]): {
  end: string;
  objections: string[];
} {
  const time = new VirtualTime();
  const objections: string[] = [];
  const board = new Rp2040Board({
    time,
    chip: new ScriptedSlave(),
    wiring: { ...PINS, spiHz: 1e6, spiModes: [0], baud: 115200, flashBytes: 1 << 21 },
    seed: 1,
    onByte: () => undefined,
    onViolation: (message) => objections.push(message),
  });
  board.load(FLASH, loader(writes));
  board.load(PROGRAM, Uint8Array.of(0xfe, 0xe7)); // B .
  time.clock.schedule(1e6, () => time.stop("timeout"));
  try {
    return board.run();
  } catch (error) {
    if (error instanceof StopSimulation) return { end: error.reason, objections };
    if (error instanceof DeviceTrap) return { end: error.message, objections };
    throw error;
  }
}

/** What pico-sdk's boot2_generic_03h sets. */
const READ_03H = [
  [SSIENR, 0],
  [BAUDR, 4],
  [CTRLR0, 0x001f0300],
  [SPI_CTRLR0, 0x03000218],
  [CTRLR1, 0],
  [SSIENR, 1],
] as const;

test("the flash executes by plain 03h reads, as with pico-sdk's boot2_generic_03h", (t) => {
  t.deepEqual(boot(READ_03H), { end: "timeout", objections: [] });
});

/** The flash is left without a command (EBh, mode bits A0h), on four lanes. */
const ENTER_CONTINUOUS = [
  [SSIENR, 0],
  [CTRLR0, 0x005f0300],
  [SPI_CTRLR0, 0x00002221],
  [SSIENR, 1],
  [DR0, 0xeb],
  [DR0, 0xa0],
] as const;

for (const [what, writes] of [
  [
    "a read command of which the flash knows nothing",
    [...READ_03H, [SSIENR, 0], [SPI_CTRLR0, 0x13000218], [SSIENR, 1]],
  ],
  [
    "one lane with the settings for four",
    [...READ_03H, [SSIENR, 0], [SPI_CTRLR0, 0xa0002022], [SSIENR, 1]],
  ],
  ["more than one frame for each read", [...READ_03H, [SSIENR, 0], [CTRLR1, 1], [SSIENR, 1]]],
  ["the block left off", READ_03H.slice(0, -1)],
  ["the manual quad read left set", ENTER_CONTINUOUS],
] as const) {
  test(`nothing executes with ${what}`, (t) => {
    t.regex(boot(writes).end, /has not made the flash executable/);
  });
}
