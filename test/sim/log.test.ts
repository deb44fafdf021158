import test from "ava";
import { decodeLog } from "../../host-tools/log/decode.js";
import { jsonLogLine } from "../../host-tools/log/print.js";

const MESSAGES = [
  "info: link up, %u Mbit/s",
  "warn: %d %x",
  "error: lease %i from %i",
  "debug: mac %m, then %u",
  "no level %c%c",
  "info: 100%% of %u and %u",
  "note: this is not a level",
];

const text = (id: number, ...args: number[]): string => decodeLog(MESSAGES, id, args, 0).text;

test("log: every verb shows its argument", (t) => {
  t.is(text(0, 100), "link up, 100 Mbit/s");
  t.is(text(1, -5, 0xdeadbeef), "-5 deadbeef");
  t.is(text(2, 0xc0a84d32, 0xc0a84d01), "lease 192.168.77.50 from 192.168.77.1");
  t.is(text(3, 0x0200, 0x00123456, 7), "mac 02:00:00:12:34:56, then 7");
  t.is(text(4, 0x41, 7), "no level A.");
});

test("log: unsigned numbers stay unsigned", (t) => {
  t.is(text(0, -1), "link up, 4294967295 Mbit/s");
});

test("log: a percent sign is doubled, and a missing argument leaves its verb", (t) => {
  t.is(text(5, 3), "100% of 3 and %u");
});

test("log: the level is taken from the format, and is information where it has none", (t) => {
  const levels = MESSAGES.map((_, id) => decodeLog(MESSAGES, id, [1, 2, 3, 4], 0).level);
  t.deepEqual(levels, ["info", "warn", "error", "debug", "info", "info", "info"]);
  t.is(text(6), "note: this is not a level");
});

test("log: a number that this build does not know is said so, with the arguments", (t) => {
  t.is(text(99, 1, 2), "log message 99 (1 2) is not in the message table of this build");
});

test("log: a JSON line has time, level and text", (t) => {
  const line = decodeLog(MESSAGES, 0, [10], 1234.56789);
  t.deepEqual(JSON.parse(jsonLogLine(line)), {
    time: 1.234568,
    level: "info",
    text: "link up, 10 Mbit/s",
  });
});
