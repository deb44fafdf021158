import test from "ava";
import { UserError } from "../../host-tools/errors.js";
import { flashEspruino } from "../../host-tools/flash/espruino.js";
import type { SerialJob } from "../../host-tools/flash/serial-job.js";
import { EXIT, TIMING } from "../../host-tools/flash/timing.js";
import { systemBinding } from "../../host-tools/serial/line.js";
import { encodeSettings } from "../../host-tools/settings.js";
import { memoryBinding } from "../support/bootloader-binding.js";
import {
  BOARDS,
  pattern,
  SHORT,
  stm32Job,
  testHost,
  type JobChange,
} from "../support/bootloader-host.js";
import { hasPty, openPty } from "../support/bootloader-pty.js";
import { BootLoaderSimulator, CHIPS } from "../support/bootloader.js";

const PORT = "/dev/espruino";
const APP = 0x08010000;
const SETTINGS = 0x08040000;

const PROGRAM = { address: APP, data: pattern(4001) };

const job = (change: JobChange = {}): SerialJob =>
  stm32Job({
    facts: BOARDS.espruinoPico,
    segments: [PROGRAM],
    port: PORT,
    ...change,
  });

test("EspruinoTools writes behind the boot loader, our client reads back", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.espruinoPico);
  const { binding, record } = memoryBinding(PORT, simulator);
  const result = await flashEspruino(job(), testHost({ binding }));
  t.deepEqual(result, { chipId: 0x6433, verified: true, started: false });
  t.deepEqual(simulator.content(APP, 4001), pattern(4001));
  t.true(
    simulator.content(0x08000000, 16384).every((byte) => byte === 0x5a),
    "boot loader",
  );
  t.deepEqual(simulator.content(APP + 4001, 3), Uint8Array.of(0xff, 0xff, 0xff));
  t.is(record.openNow, 0);
  t.is(record.opened.length, 1, "one opening for both clients");
});

test("settings survive the erase of everything; new ones replace them", async (t) => {
  const old = encodeSettings({ hostName: "old" });
  const simulator = new BootLoaderSimulator(CHIPS.espruinoPico);
  simulator.flash.set(old, SETTINGS - 0x08000000);
  const { binding } = memoryBinding(PORT, simulator);
  await flashEspruino(job(), testHost({ binding }));
  t.deepEqual(simulator.content(SETTINGS, 128), Uint8Array.from(old));

  const fresh = new BootLoaderSimulator(CHIPS.espruinoPico);
  fresh.flash.set(old, SETTINGS - 0x08000000);
  const data = encodeSettings({ hostName: "new" });
  const segments = [PROGRAM, { address: SETTINGS, data }];
  const second = memoryBinding(PORT, fresh);
  await flashEspruino(job({ segments }), testHost({ binding: second.binding }));
  t.deepEqual(fresh.content(SETTINGS, 128), Uint8Array.from(data));
  t.deepEqual(fresh.content(APP, 4001), pattern(4001));
});

test("over a pseudo-terminal: the flashed bytes equal the image", async (t) => {
  if (!hasPty) return t.pass("no pseudo-terminals on this system");
  const simulator = new BootLoaderSimulator(CHIPS.espruinoPico);
  const pty = openPty(simulator);
  try {
    const host = testHost({ binding: await systemBinding() });
    const result = await flashEspruino(job({ port: pty.path }), host);
    t.true(result.verified);
    t.deepEqual(simulator.content(APP, 4001), pattern(4001));
  } finally {
    pty.close();
  }
});

for (const step of ["erase-units", "write-data"] as const) {
  test(`NACK at ${step}: EspruinoTools' first word is passed on, exit code 2`, async (t) => {
    const simulator = new BootLoaderSimulator(CHIPS.espruinoPico);
    simulator.fault = (at) => (at === step ? "nack" : undefined);
    const { binding } = memoryBinding(PORT, simulator);
    const error = await t.throwsAsync(flashEspruino(job(), testHost({ binding })), {
      instanceOf: UserError,
    });
    t.regex(error?.message ?? "", /EspruinoTools says: Expected ACK but got 31.*incomplete/);
    t.is(error?.exitCode, EXIT.BOARD);
  });
}

test("a board that falls silent: EspruinoTools' time limit counts, or ours", async (t) => {
  for (const [stallMs, message] of [
    [60_000, /EspruinoTools says: Timeout waiting for ACK.*incomplete/],
    [1, /EspruinoTools makes no progress.*incomplete/],
  ] as const) {
    const simulator = new BootLoaderSimulator(CHIPS.espruinoPico);
    simulator.fault = (step, nth) => (step === "write-data" && nth > 2 ? "silence" : undefined);
    const { binding } = memoryBinding(PORT, simulator);
    const host = testHost({ binding, timing: { ...TIMING, stallMs } });
    const error = await t.throwsAsync(flashEspruino(job(), host), { instanceOf: UserError });
    t.regex(error?.message ?? "", message);
    t.is(error?.exitCode, EXIT.BOARD);
  }
});

test("unplugged while EspruinoTools writes: exit code 2, no success", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.espruinoPico);
  simulator.fault = (step, nth) => (step === "write-data" && nth === 5 ? "unplug" : undefined);
  const { binding } = memoryBinding(PORT, simulator);
  const error = await t.throwsAsync(flashEspruino(job(), testHost({ binding })), {
    instanceOf: UserError,
  });
  t.regex(error?.message ?? "", /lost the board: the port \/dev\/espruino went away.*incomplete/);
  t.is(error?.exitCode, EXIT.BOARD);
});

test("a block that is lost in between is found by the verify of our client", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.espruinoPico);
  simulator.worn = APP + 0x201;
  const { binding } = memoryBinding(PORT, simulator);
  const error = await t.throwsAsync(flashEspruino(job(), testHost({ binding })), {
    instanceOf: UserError,
  });
  t.regex(error?.message ?? "", /verify failed at 0x08010201/);
  t.is(error?.exitCode, EXIT.VERIFY);
});

test("wrong chip and silence end before the package is started", async (t) => {
  const simulator = new BootLoaderSimulator({ ...CHIPS.espruinoPico, id: 0x6431 });
  const { binding } = memoryBinding(PORT, simulator);
  await t.throwsAsync(flashEspruino(job(), testHost({ binding })), {
    message: /reports id 0x6431, espruino-pico-w5500 has 0x433; nothing was written/,
  });
  t.true(simulator.flash.every((byte) => byte === 0x5a));

  const silent = new BootLoaderSimulator(CHIPS.espruinoPico);
  silent.fault = () => "silence";
  const other = memoryBinding(PORT, silent);
  await t.throwsAsync(flashEspruino(job(), testHost({ binding: other.binding, timing: SHORT })), {
    message: /no boot loader answers on the port; hold BTN1/,
  });
});
