import test from "ava";
import { DeviceTime } from "../../host-tools/monitor/device-time.js";
import {
  clockTime,
  fileLine,
  jsonLine,
  passes,
  printable,
  terminalLine,
} from "../../host-tools/monitor/render.js";

const timeMs = new Date(2026, 0, 2, 3, 4, 5, 67).getTime();

test("lines for terminal, file and scripts", (t) => {
  const line = { timeMs, level: "warn" as const, text: "link lost" };
  const plain = { timeMs, text: "hello" };
  const style = { color: false, timestamps: true };
  t.is(clockTime(timeMs), "03:04:05.067");
  t.is(terminalLine(line, style), "03:04:05.067  warn   link lost");
  t.is(terminalLine(plain, style), "03:04:05.067  hello");
  t.is(terminalLine(line, { color: false, timestamps: false }), "warn   link lost");
  t.true(terminalLine(line, { color: true, timestamps: true }).includes("\x1b[33mwarn"));
  const iso = new Date(timeMs).toISOString();
  t.is(fileLine(line), `${iso}  warn   link lost`);
  t.deepEqual(JSON.parse(jsonLine(line)), { time: iso, level: "warn", text: "link lost" });
  t.deepEqual(JSON.parse(jsonLine(plain)), { time: iso, level: null, text: "hello" });
});

test("levels: graver ones pass, text without a level always does", (t) => {
  const shown = (["error", "warn", "info", "debug"] as const).filter((l) => passes(l, "warn"));
  t.deepEqual(shown, ["error", "warn"]);
  t.true(passes(undefined, "error"));
});

test("a board cannot drive the terminal: control characters are shown as numbers", (t) => {
  t.is(printable("a\tb\x1b[2J\x07\x9b31m grün"), "a\tb\\x1b[2J\\x07\\x9b31m grün");
});

test("device time: the board's distances, across the wrap of 32 bits", (t) => {
  const time = new DeviceTime();
  const start = 1_700_000_000_000_000;
  const device = 2 ** 32 - 1000;
  t.is(time.toHostUs(device, start), start);
  t.is(time.toHostUs(device + 400, start + 450), start + 400);
  t.is(time.toHostUs(500, start + 1600), start + 1500);
});

test("device time: a silence of several wraps, a drifting crystal, a reset", (t) => {
  const time = new DeviceTime();
  const start = 1_700_000_000_000_000;
  time.toHostUs(100, start);
  const silence = 3 * 2 ** 32 + 5000;
  t.is(time.toHostUs(5100, start + silence + 2000), start + silence);
  // 1000 ppm for two hours adds up to more than the tolerance, but never between two frames.
  let device = 5100;
  let host = start + silence;
  for (let second = 0; second < 7200; second++) {
    device = (device + 1_000_000) % 2 ** 32;
    host += 1_001_000;
    const result = time.toHostUs(device, host);
    if (second === 7199) t.is(result, start + silence + 7200 * 1_000_000);
  }
  const rebooted = host + 60_000_000;
  t.is(time.toHostUs(77, rebooted), rebooted);
});
