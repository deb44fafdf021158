import test, { type ExecutionContext } from "ava";
import { UserError } from "../../host-tools/errors.js";
import { padToBlocks } from "../../host-tools/flash/image/segments.js";
import { parseModemLines } from "../../host-tools/flash/modem-lines.js";
import { flashStm32 } from "../../host-tools/flash/stm32.js";
import { EXIT } from "../../host-tools/flash/timing.js";
import { SerialLine } from "../../host-tools/serial/line.js";
import { encodeSettings } from "../../host-tools/settings.js";
import { memoryBinding, mockBinding, type Peer } from "../support/bootloader-binding.js";
import {
  BOARDS,
  pattern,
  SHORT,
  stm32Job,
  testHost,
  type JobChange,
} from "../support/bootloader-host.js";
import { BootLoaderSimulator, CHIPS, type Fault, type Step } from "../support/bootloader.js";

const PORT = "/dev/board";

/** Flashes a simulator in memory; `short` where the test is about silence. */
async function run(
  simulator: Peer,
  change: JobChange = {},
  short = false,
): ReturnType<typeof flashStm32> {
  const { binding } = memoryBinding(PORT, simulator);
  return flashStm32(stm32Job(change), testHost({ binding, ...(short && { timing: SHORT }) }));
}

async function failure(
  t: ExecutionContext,
  simulator: Peer,
  change: JobChange = {},
  short = false,
): Promise<UserError> {
  const error = await t.throwsAsync(run(simulator, change, short), { instanceOf: UserError });
  t.false(error?.message.includes("\n"), "one line");
  return error as UserError;
}

test("AN3155 3.6 Erase (0x43): pages of the image are erased, written, verified, started", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  const result = await run(simulator);
  t.deepEqual(result, { chipId: 0x410, verified: true, started: true });
  t.deepEqual(simulator.content(0x08000000, 5001), pattern(5001));
  t.true(simulator.content(0x08000000 + 5001, 119).every((byte) => byte === 0xff));
  t.deepEqual(simulator.content(0x08001400, 4), Uint8Array.of(0x5a, 0x5a, 0x5a, 0x5a));
  t.is(simulator.started, 0x08000000);
});

test("AN3155 3.7 Extended Erase (0x44): sectors of unequal size by their numbers", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f401);
  const segments = [
    { address: 0x08000000, data: pattern(300) },
    { address: 0x0800fff0, data: pattern(70000, 3) },
  ];
  const result = await run(simulator, { facts: BOARDS.f401, segments });
  t.is(result.chipId, 0x433);
  for (const { address, data } of segments) {
    t.deepEqual(simulator.content(address, data.length), data);
  }
  t.is(simulator.content(0x08004000, 1)[0], 0x5a, "sector 1 is not the image's");
  t.is(simulator.content(0x0803ffff, 1)[0], 0xff, "sector 5 is erased to its end");
});

for (const chip of ["f103", "f401"] as const) {
  test(`AN3155: mass erase of ${chip} clears everything`, async (t) => {
    const simulator = new BootLoaderSimulator(CHIPS[chip]);
    const facts = chip === "f103" ? BOARDS.bluepill : BOARDS.f401;
    await run(simulator, { facts, erase: "all", verify: false, go: false });
    t.true(simulator.flash.subarray(5004).every((byte) => byte === 0xff));
    t.is(simulator.started, undefined);
  });
}

test("AN3155 2.2: the port is opened with 8 data bits and even parity, and closed again", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  const { binding, record } = memoryBinding(PORT, simulator);
  await flashStm32(stm32Job({ baudRate: 57600 }), testHost({ binding }));
  const [options] = record.opened;
  t.like(options, { baudRate: 57600, dataBits: 8, parity: "even", stopBits: 1 });
  t.is(record.openNow, 0);
});

test("the same over the mock binding of the serialport project", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  const binding = mockBinding("/dev/mock-stm32", simulator);
  const result = await flashStm32(stm32Job({ port: "/dev/mock-stm32" }), testHost({ binding }));
  t.true(result.verified);
  t.deepEqual(simulator.content(0x08000000, 5001), pattern(5001));
});

test("a boot loader that is in step already answers NACK to the second 0x7F and is used", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  simulator.receive(Uint8Array.of(0x7f));
  t.true((await run(simulator, {}, true)).verified);
});

test("a half command left behind by another program is cleared away", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  simulator.receive(Uint8Array.of(0x7f, 0x31));
  t.true((await run(simulator, {}, true)).verified);
});

test("the program that still runs may print until the person presses reset", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  let heard = 0;
  const peer: Peer = {
    onSend: () => undefined,
    onUnplug: () => undefined,
    receive: (bytes) => {
      heard += 1;
      if (heard <= 5) return peer.onSend(Buffer.from("yes, still running\r\n"));
      simulator.onSend = (answer) => peer.onSend(answer);
      simulator.receive(bytes);
    },
  };
  const { binding } = memoryBinding(PORT, peer);
  const host = testHost({ binding, timing: SHORT });
  const result = await flashStm32(stm32Job({ waitMs: 2000 }), host);
  t.true(result.verified);
  t.true(host.said.some((line) => /BOOT0 to 1.*press reset/.test(line)));
});

const STEPS: Step[] = [
  "get",
  "id",
  "erase",
  "erase-units",
  "write",
  "write-address",
  "write-data",
  "read",
  "read-address",
  "read-count",
  "go",
  "go-address",
];

for (const fault of ["nack", "silence", "garbage", "unplug"] as Fault[]) {
  test(`${fault} at each step is an error with exit code 2, never a success`, async (t) => {
    for (const step of STEPS) {
      const simulator = new BootLoaderSimulator(CHIPS.f103);
      // Get is asked again while the boot loader is looked for: there the fault stays.
      simulator.fault = (at, nth) => {
        const repeated = step === "get" || nth === (step.startsWith("write") ? 3 : 1);
        return at === step && repeated ? fault : undefined;
      };
      const error = await failure(t, simulator, {}, true);
      t.is(error.exitCode, EXIT.BOARD, `${step}: ${error.message}`);
      // NACK to the erase command itself: protected, and as it was.
      const refused = step === "erase" && fault === "nack";
      const touched = !refused && !["get", "id", "go", "go-address"].includes(step);
      t.is(/incomplete, run flash again/.test(error.message), touched, `${step}: ${error.message}`);
    }
  });
}

test("a board that never answers: what to press is said while waiting and at the end", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  simulator.fault = () => "silence";
  const { binding } = memoryBinding(PORT, simulator);
  const host = testHost({ binding, timing: SHORT });
  const error = await t.throwsAsync(flashStm32(stm32Job(), host), { instanceOf: UserError });
  t.regex(error?.message ?? "", /no boot loader answers on the port; set BOOT0 to 1/);
  t.true(host.said.some((line) => line.startsWith("Waiting for the boot loader: set BOOT0")));
});

test("something else on the port is told from a boot loader", async (t) => {
  const peer: Peer = {
    onSend: () => undefined,
    onUnplug: () => undefined,
    receive: () => peer.onSend(Buffer.from("yyyyyyyyyyyyyyyyyy")),
  };
  const error = await failure(t, peer, {}, true);
  t.regex(error.message, /what talks on the port is not a boot loader|no boot loader answers/);
});

test("AN2606: another chip's id is refused before anything is erased", async (t) => {
  const simulator = new BootLoaderSimulator({ ...CHIPS.f103, id: 0x414 });
  const error = await failure(t, simulator);
  t.regex(error.message, /reports id 0x414, bluepill-w5500 has 0x410; nothing was written/);
  t.true(simulator.flash.every((byte) => byte === 0x5a));
  t.false(simulator.steps.includes("erase"));
});

test("a cell that does not take its bit fails the verify with exit code 3 and its address", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  simulator.worn = 0x08000401;
  const error = await failure(t, simulator);
  t.is(error.exitCode, EXIT.VERIFY);
  const wrote = pattern(5001)[0x401] as number;
  const two = (byte: number): string => byte.toString(16).padStart(2, "0");
  t.true(
    error.message.includes(
      `verify failed at 0x08000401: wrote ${two(wrote)}, read ${two(wrote & 0xfe)}`,
    ),
    error.message,
  );
  t.is(simulator.started, undefined);
});

test("after any failure the port is free for the next program", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  simulator.fault = (step) => (step === "write-data" ? "nack" : undefined);
  const { binding, record } = memoryBinding(PORT, simulator);
  await t.throwsAsync(flashStm32(stm32Job(), testHost({ binding })));
  t.is(record.openNow, 0);
});

test("a port in use and a port that is not there are told apart", async (t) => {
  const { binding } = memoryBinding(PORT, new BootLoaderSimulator(CHIPS.f103));
  const other = await SerialLine.open({ path: PORT, baudRate: 115200, binding });
  const busy = flashStm32(stm32Job(), testHost({ binding }));
  await t.throwsAsync(busy, { instanceOf: UserError, message: /in use by another program/ });
  await other.close();
  const missing = flashStm32(stm32Job({ port: "/dev/none" }), testHost({ binding }));
  await t.throwsAsync(missing, { instanceOf: UserError, message: /there is no port \/dev\/none/ });
});

const SETTINGS = { address: 0x0800fc00, data: encodeSettings({ hostName: "kitchen" }) };

function boardWithSettings(): BootLoaderSimulator {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  simulator.flash.set(SETTINGS.data, SETTINGS.address - 0x08000000);
  return simulator;
}

test("settings survive a new program, by pages and by mass erase", async (t) => {
  for (const erase of ["pages", "all"] as const) {
    const simulator = boardWithSettings();
    await run(simulator, { erase });
    t.deepEqual(simulator.content(SETTINGS.address, 128), Uint8Array.from(SETTINGS.data), erase);
    t.deepEqual(simulator.content(0x08000000, 5001), pattern(5001));
  }
});

test("writing only the settings keeps what shares their page", async (t) => {
  const simulator = boardWithSettings();
  const data = encodeSettings({ hostName: "cellar" });
  const segments = [{ address: SETTINGS.address, data }];
  await run(simulator, { segments, settingsOnly: true });
  t.deepEqual(simulator.content(SETTINGS.address, 128), Uint8Array.from(data));
  t.true(simulator.content(SETTINGS.address + 128, 896).every((byte) => byte === 0x5a));
  t.true(simulator.flash.subarray(0, 0xfc00).every((byte) => byte === 0x5a));
});

test("modem lines: BOOT0 high and a reset pulse, then BOOT0 low and a reset instead of Go", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  const { binding, record } = memoryBinding(PORT, simulator);
  const lines = parseModemLines("rts=nrst,dtr=!boot0");
  await flashStm32(stm32Job({ lines }), testHost({ binding }));
  // Asserted is 0 V; DTR goes through an inverting transistor.
  const pins = record.lines.map(({ rts, dtr }) => ({ rts, dtr }));
  t.deepEqual(pins, [
    { rts: true, dtr: true },
    { rts: false, dtr: true },
    { rts: true, dtr: false },
    { rts: false, dtr: false },
  ]);
  t.is(simulator.started, undefined);
  t.throws(() => parseModemLines("cts=nrst"), { instanceOf: UserError });
});

test("G9: a port in use is waited for", async (t) => {
  const { binding } = memoryBinding(PORT, new BootLoaderSimulator(CHIPS.f103));
  const other = await SerialLine.open({ path: PORT, baudRate: 115200, binding });
  const host = testHost({ binding });
  const busy = flashStm32(stm32Job({ waitMs: 60_000 }), host);
  while (host.said.length === 0) await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(host.said, [`Waiting for ${PORT}: another program has it open`]);
  await other.close();
  t.true((await busy).verified);
});

test("G9: a protected chip refuses the erase: nothing was erased, and --unprotect is named", async (t) => {
  for (const what of ["readProtected", "writeProtected"] as const) {
    const simulator = new BootLoaderSimulator(CHIPS.f103);
    simulator[what] = true;
    // No settings block is looked for: the erase is the first to be refused.
    const { settings, ...facts } = BOARDS.bluepill;
    t.truthy(settings);
    const error = await failure(t, simulator, { facts });
    t.regex(error.message, /nothing was erased.*--unprotect/);
    t.notRegex(error.message, /incomplete/);
    t.true(simulator.flash.every((byte) => byte === 0x5a));
  }
});

test("G9, AN3155 3.10 and 3.12: --unprotect lifts both protections and writes", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  simulator.readProtected = true;
  simulator.writeProtected = true;
  const refused = await failure(t, simulator);
  t.regex(refused.message, /--unprotect/);
  const protectedChip = new BootLoaderSimulator(CHIPS.f103);
  protectedChip.readProtected = true;
  protectedChip.writeProtected = true;
  t.true((await run(protectedChip, { unprotect: true })).verified);
  t.deepEqual(protectedChip.content(0x08000000, 5001), pattern(5001));
  t.is(protectedChip.content(0x0800f000, 1)[0], 0xff, "lifting the read protection erases all");
});

test("odd ends are filled with 0xFF to whole words, as AN3155 3.5 asks for", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  const segments = [{ address: 0x08000002, data: pattern(513) }];
  await run(simulator, { segments });
  const [padded] = padToBlocks(segments, 4);
  t.deepEqual(simulator.content(0x08000000, 516), Uint8Array.from(padded?.data ?? []));
});
