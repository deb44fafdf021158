/** `sim --net none --script FILE`: the example of docs/simulator.md, every verb, and one line for each mistake. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { UserError } from "../../host-tools/errors.js";
import { hostedFirmware } from "../../host-tools/net/hosted-stack.js";
import { packageRoot } from "../../host-tools/root.js";
import { encodeSettings } from "../../host-tools/settings.js";
import { parseScript } from "../../host-tools/sim/script-parse.js";
import { ScriptRun } from "../../host-tools/sim/script-run.js";
import { VirtualWorld } from "../../host-tools/sim/world-virtual.js";
import { endCommands, runCli, type Ended } from "../support/cli.js";

const home = mkdtempSync(join(tmpdir(), "as-tcpip script-"));
test.after.always(endCommands);
test.after.always(() => rmSync(home, { recursive: true, force: true }));

const docs = readFileSync(join(packageRoot, "docs/simulator.md"), "utf8");
const EXAMPLE = /^# lamp\.script:[^]*?(?=^```$)/m.exec(docs)?.[0] ?? "";

function sim(script: string, app: string, ...more: string[]): Promise<Ended> {
  const file = join(home, "lamp.script");
  writeFileSync(file, script);
  return runCli("sim", "--app", app, "--net", "none", "--script", file, ...more);
}

test.serial("the example of docs/simulator.md: page, events, button, LED and cable", async (t) => {
  t.true(EXAMPLE.length > 100);
  const { code, stdout, stderr } = await sim(EXAMPLE, "web");
  t.is(code, 0, stdout + stderr);
  t.regex(stdout, /LED on/);
  t.regex(stdout, /20\.\d+ {2}.*link down/);
});

test.serial(
  "what does not come is told with file and line, and the command ends with 1",
  async (t) => {
    const wrong = EXAMPLE.replace('"link up"', '"link uq" within 2');
    const line = wrong.split("\n").findIndex((text) => text.includes("uq")) + 1;
    const { code, stdout, stderr } = await sim(wrong, "web", "--json");
    t.is(code, 1);
    t.regex(stdout, /"event":"end","reason":"script","time":32/);
    t.is(
      stderr.replace(home, ""),
      `as-tcpip: /lamp.script:${line}: "link uq" did not come (log) within 2 simulated seconds\n`,
    );
  },
);

test.serial("a limit that ends the run before the script does is a failure", async (t) => {
  const { code, stderr } = await sim("5 end\n", "blank", "--timeout", "3");
  t.is(code, 1);
  t.regex(stderr, /lamp\.script:1 was not reached$/m);
});

/** Runs a script without the command line; gives what failed. */
async function run(script: string, app: string): Promise<string | undefined> {
  const firmware = await compileFirmware({ board: "virtual-w5500", app });
  const world: VirtualWorld = await VirtualWorld.create({
    firmware,
    settings: encodeSettings({}),
    seed: 1,
    gateway: await hostedFirmware(),
    onLog: ({ text }) => running?.log(text),
  });
  const { pins } = world.device.machine;
  if (pins) pins.onChange = (pin, high) => pin === 25 && running.led(high);
  const running = new ScriptRun(parseScript(script, "x"), world);
  world.run();
  return running.failure;
}

test("datagrams go out and come back, as text and as hexadecimal digits", async (t) => {
  const script =
    'udp 7 "a\\u00e9\\n"\nexpect udp hex:61c3a90a\nudp 7 hex:00ff\nexpect udp hex:00ff';
  t.is(await run(script, "demo"), undefined);
  t.regex((await run('udp 9999 "a"\nexpect udp "a" within 1', "demo")) ?? "", /^x:2: "a" did not/);
});

test("a port that stays closed, and data without a connection", async (t) => {
  t.is(
    await run("connect 4444", "demo"),
    "x:1: the device takes no connection to port 4444 within 30 simulated seconds",
  );
  t.is(await run('send "a"', "demo"), "x:1: there is no connection; begin with connect PORT");
});

test("a frame as it is: an ARP question comes to the device, whose counters and log live on", async (t) => {
  const question =
    "ffffffffffff 02aa00000001 0806 0001 0800 06 04 0001 02aa00000001 c0a84d09 000000000000 c0a84d32";
  const frame = question.replace(/ /g, "").padEnd(120, "0");
  t.is(await run(`expect log "lease"\nframe ${frame}\n+1 end`, "demo"), undefined);
});

test("pins from outside, and an LED that follows", async (t) => {
  const script =
    'expect log "lease"\npress 0.2\nexpect led on\n+1 pin 22 low\nexpect led off\npin 22 free';
  t.is(await run(script, "test/device/pins"), undefined);
  t.is(
    await run('expect log "lease"\nexpect led on within 1', "test/device/pins"),
    "x:2: the LED is not on within 1 simulated seconds",
  );
});

const MISTAKES: [string, RegExp][] = [
  ["", /^x has no line that does anything$/],
  ["\n# only a comment", /^x has no line/],
  ["\npres", /^x:2: unknown word 'pres'; did you mean press\?$/],
  ["dance", /^x:1: unknown word 'dance'; there are: press, pin, /],
  ["press soon", /^x:1: cannot read 'press soon'; write press \[SECONDS\]$/],
  ["press 0", /cannot read/],
  ["pin 32 high", /write pin NUMBER high\|low\|free/],
  ["pin 3 up", /cannot read/],
  ["cable off", /write cable in\|out/],
  ["frame 00", /write frame HEX/],
  ['udp 0 "a"', /write udp PORT DATA/],
  ["udp 7 a", /write udp PORT DATA/],
  ["connect 65536", /write connect PORT/],
  ["connect", /write connect PORT/],
  ['send "a" "b"', /write send DATA/],
  ['send "a', /^x:1: cannot read '"a'$/],
  ["close now", /write close/],
  ["expect", /write expect log/],
  ['expect log "a" in 3', /write expect log/],
  ['expect log "a" within', /write expect log/],
  ["expect led dim", /write expect log/],
  ["1e3 end", /unknown word '1e3'/],
];
for (const [text, message] of MISTAKES) {
  test(`a script with '${text.trim()}' is refused with one line`, (t) => {
    const error = t.throws(() => parseScript(text, "x"), { instanceOf: UserError });
    t.regex(error?.message ?? "", message);
    t.notRegex(error?.message ?? "\n", /\n/);
  });
}

test("--script without --net none, or a file that is not there, is refused", async (t) => {
  t.regex((await runCli("sim", "--script", "x")).stderr, /--script needs --net none/);
  const { stderr } = await runCli("sim", "--net", "none", "--script", "no.script");
  t.regex(stderr, /there is no file no\.script/);
});
