/** lan.json: what it says, and one line with file and line for each mistake. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { Command } from "commander";
import {
  addSimOptions,
  parseSimOptions,
  type RawSimOptions,
  type SimOptions,
} from "../../host-tools/commands/sim-options.js";
import { UserError } from "../../host-tools/errors.js";
import { Lan } from "../../host-tools/testing/index.js";

const home = mkdtempSync(join(tmpdir(), "as-tcpip lan-"));
const file = join(home, "lan.json");
test.after.always(() => rmSync(home, { recursive: true, force: true }));

function parse(text: string, ...args: string[]): SimOptions {
  writeFileSync(file, text);
  const command = addSimOptions(new Command("sim")).exitOverride();
  const given = command.parse(["--lan", file, ...args], { from: "user" });
  return parseSimOptions(given.opts<RawSimOptions>());
}

const NETWORK = `{
  "net": "forward:9099=web:80",
  "devices": [
    { "name": "web", "app": "http", "ip": "192.168.77.60", "options": { "TCP_TCBS": 4 } },
    { "name": "get", "app": "get", "board": "virtual-enc28j60", "link": { "loss": 1, "delay": 5 } },
    { "name": "own", "app": "own", "mac": "02:00:00:00:00:09", "link": { "rate": "10M" } }
  ]
}
`;

test.serial("a lan.json says each device's application, board, options, address and link", (t) => {
  mkdirSync(join(home, "own"), { recursive: true });
  writeFileSync(join(home, "own/main.ts"), "export function main(): void {}\n");
  const { devices, net } = parse(NETWORK, "--loss", "2");
  t.like(devices[0], { name: "web", app: "http", board: "virtual-w5500" });
  t.deepEqual(devices[0]?.options, { TCP_TCBS: 4 });
  t.is(devices[0]?.settings.address?.address, 0xc0a84d3c);
  t.deepEqual(devices[1]?.link, { lossPercent: 1, delayMs: 5 });
  t.is(devices[1]?.board, "virtual-enc28j60");
  t.like(devices[2], { app: join(home, "own"), link: { rateBps: 10e6 } });
  t.is(devices[2]?.settings.mac, 0x0200_0000_0009);
  t.deepEqual(devices[1]?.settings.hosts, [
    { name: "web", address: 0xc0a84d3c },
    { name: "own", address: 0xc0a84d34 },
  ]);
  t.like(net, { forwards: [{ hostPort: 9099, device: "web", devicePort: 80 }] });
});

test.serial("--net of the command line is stronger than that of the file", (t) => {
  t.like(parse(NETWORK, "--net", "forward:1=get:2").net, { forwards: [{ hostPort: 1 }] });
});

const device = (more: string): string =>
  `{ "devices": [\n{ "name": "a", "app": "http" },\n{ "name": "b", "app": "http",\n${more} }\n] }`;

const MISTAKES: [title: string, text: string, message: RegExp][] = [
  ["no JSON", "{", /lan\.json is not JSON: /],
  [
    "a key of the file",
    '{\n"device": [] }',
    /lan\.json:2: unknown key "device" in the file; did you mean devices\?$/,
  ],
  ["no list", '{\n"devices": {} }', /lan\.json:2: "devices" must be a list of 1 to 16/],
  ["no devices at all", '{ "net": "none" }', /lan\.json:1: "devices" must be a list/],
  [
    "a key of a device",
    device('"bord": "x"'),
    /:4: unknown key "bord" in a device; did you mean board\?$/,
  ],
  [
    "a key of a link",
    device('"link": { "los": 1 }'),
    /:4: unknown key "los" in "link"; did you mean loss\?$/,
  ],
  [
    "a percentage",
    device('"link": { "loss": 101 }'),
    /:4: "loss" cannot be '101'; give a number of percent/,
  ],
  ["a rate", device('"link": { "rate": "fast" }'), /:4: "rate" cannot be 'fast'/],
  [
    "a build option",
    device('"options": { "TCP_TCB": 1 }'),
    /:4: unknown build option TCP_TCB; did you mean TCP_TCBS\?$/,
  ],
  [
    "a value of one",
    device('"options": { "TCP_TCBS": "4" }'),
    /:4: build option TCP_TCBS must be a whole number/,
  ],
  [
    "a value out of its range",
    device('"options": { "TCP_RX_BYTES": 1000 }'),
    /:4: build option TCP_RX_BYTES must be a power of two from 16/,
  ],
  ["an address", device('"ip": "1.2.3"'), /:4: .*1\.2\.3/],
  [
    "an address elsewhere",
    device('"ip": "10.0.0.1"'),
    /10\.0\.0\.1 of 'b' is no free address of the network/,
  ],
  ["a MAC", device('"mac": "1"'), /:4: .*'?1'?/],
  ["a number for a text", device('"board": 5'), /:4: "board" of device 2 must be a text$/],
  ["no application", '{ "devices": [\n{ "name": "a" } ] }', /:2: device 1 has no "app"/],
  ["no name", '{ "devices": [\n{ "app": "http" } ] }', /:2: device 1 has no "name"/],
  [
    "a name with a space",
    '{ "devices": [\n{ "name": "a b", "app": "http" } ] }',
    /:2: "name" cannot be 'a b'/,
  ],
  [
    "a name twice",
    '{ "devices": [{ "name": "a", "app": "x" }, { "name": "A", "app": "x" }] }',
    /lan\.json names 'A' twice$/,
  ],
  [
    "an address twice",
    device('"ip": "192.168.77.50"'),
    /lan\.json names '192\.168\.77\.50' twice$/,
  ],
  [
    "a network",
    '{\n"net": "wifi", "devices": [{ "name": "a", "app": "x" }] }',
    /:2: --net does not know 'wifi'/,
  ],
];
for (const [title, text, message] of MISTAKES) {
  test.serial(`lan.json, ${title}: one line that says where`, (t) => {
    const error = t.throws(() => parse(text), { instanceOf: UserError });
    t.regex(error?.message ?? "", message);
    t.notRegex(error?.message ?? "\n", /\n/);
  });
}

test.serial("--lan beside --device, or a file that is not there, is refused", (t) => {
  t.throws(() => parse(NETWORK, "--device", "a=x"), { message: /contradict/ });
  t.throws(() => parse(NETWORK, "--ip", "10.0.0.1/24"), { message: /--ip is for one device/ });
  const command = addSimOptions(new Command("sim")).parse(["--lan", "no.json"], { from: "user" });
  t.throws(() => parseSimOptions(command.opts<RawSimOptions>()), { message: /no file no\.json/ });
});

test.serial(
  "the same file opens a network in virtual time: one device gets a page of another while a third floods it",
  async (t) => {
    const noise = NETWORK.replace('"app": "own"', '"app": "flood"');
    writeFileSync(file, noise);
    const lan = await Lan.open(file, { seed: 3 });
    const [web, get] = [lan.named("web"), lan.named("get")];
    t.regex(await get.logged(/^GET/), /^GET 200: 26 bytes/);
    t.is(web.address, "192.168.77.60");
    t.is(get.address, "192.168.77.51");
    await lan.until(() => (web.counters["UDP_NO_PORT"] ?? 0) > 100, "the flood");
    t.throws(() => lan.named("wep"), {
      message: /no device is named wep; there are: web, get, own/,
    });
    lan.close();
  },
);
