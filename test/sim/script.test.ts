/** `sim --net none --script FILE`: the example of docs/simulator.md, every verb, and one line for each mistake. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

const TWO = /^# two\.script:[^]*?(?=^```$)/m.exec(docs)?.[0] ?? "";

test.serial(
  "two devices without this computer, by the other example; one seed is one run",
  async (t) => {
    const file = join(home, "two.script");
    writeFileSync(file, TWO);
    const args = ["sim", "--device", "web=web", "get=get", "--net", "none", "--script", file];
    const { code, stdout, stderr } = await runCli(...args, "--pcap", join(home, "two.pcap"));
    t.is(code, 0, stdout + stderr);
    t.regex(stdout, /get: GET 200: /);
    t.regex(stdout, /web: .*link down/);
    t.true(existsSync(join(home, "two-web.pcap")) && existsSync(join(home, "two-get.pcap")));
    t.is((await runCli(...args)).stdout, stdout);
  },
);

test.serial("of several devices the one that fails, hangs or says the word is named", async (t) => {
  const several = (app: string, ...more: string[]): Promise<Ended> =>
    runCli("sim", "--device", "good=blank", `bad=${app}`, "--net", "none", ...more);
  const trap = await several("test/device/trap");
  t.is(trap.code, 1);
  t.regex(trap.stderr, /^as-tcpip: the device bad has stopped: .*test\/device\/trap\/main\.ts:9/);
  const failed = await several("test/device/hello", "--fail-text", "hello");
  t.is(failed.code, 1);
  t.regex(failed.stderr, /^as-tcpip: the device bad said 'hello': /);
  const expected = await several("blank", "--expect", "turn 2");
  t.is(expected.code, 0, expected.stderr);
  const timeout = await several("blank", "--json", "--timeout", "5");
  t.is(timeout.code, 0);
  t.regex(timeout.stdout, /"event":"end","reason":"timeout","time":5/);
  const real = await runCli("sim", "--device", "a=blank@w5500-evb-pico", "--net", "none");
  t.regex(real.stderr, /several devices need virtual boards, as virtual-w5500, and w5500-evb-pico/);
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

test("two presses in a row are two", async (t) => {
  const script = 'expect log "lease"\npress\npress\nexpect led on\nexpect led off';
  t.is(await run(script, "test/device/pins"), undefined);
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
  ["pin 3 toString", /cannot read/],
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

const NAMED: [string, RegExp][] = [
  ["press", /^x:1: which device\? Write it first, as in web: press$/],
  ["expect led on", /^x:1: which device\? .*as in web: expect led on$/],
  ["1 wep: press", /^x:1: no device is named 'wep'; did you mean web\?$/],
  ["nobody: press", /^x:1: no device is named 'nobody'; there are: web, get$/],
  ['web: send "a"', /^x:1: 'send "a"' is not about one device; leave web: out$/],
  ['get: expect tcp "a"', /is not about one device; leave get: out$/],
];
for (const [text, message] of NAMED) {
  test(`of two devices, a script with '${text}' is refused with one line`, (t) => {
    const error = t.throws(() => parseScript(text, "x", ["web", "get"]), { instanceOf: UserError });
    t.regex(error?.message ?? "", message);
  });
}

test("a folder in place of a script is one line", async (t) => {
  const { code, stderr } = await runCli("sim", "--net", "none", "--script", home);
  t.is(code, 1);
  t.is(stderr, `as-tcpip: ${home} is a folder, not a file\n`);
});

test("--script without --net none, or a file that is not there, is refused", async (t) => {
  t.regex((await runCli("sim", "--script", "x")).stderr, /--script needs --net none/);
  const { stderr } = await runCli("sim", "--net", "none", "--script", "no.script");
  t.regex(stderr, /there is no file no\.script/);
});
