import test from "ava";
import { Command } from "commander";
import {
  addSimOptions,
  parseSimOptions,
  type RawSimOptions,
  type SimOptions,
} from "../../host-tools/commands/sim-options.js";
import type { SimDevice } from "../../host-tools/commands/sim-devices.js";
import { UserError } from "../../host-tools/errors.js";
import type { Settings } from "../../host-tools/settings.js";

function parse(...args: string[]): SimOptions {
  const command = addSimOptions(new Command("sim"))
    .exitOverride()
    .configureOutput({
      writeErr: () => undefined,
    });
  return parseSimOptions(command.parse(args, { from: "user" }).opts<RawSimOptions>());
}

function settingsOf(...args: string[]): Settings {
  return (parse(...args).devices[0] as SimDevice).settings;
}

test("without options: the demo on virtual-w5500 behind the two forwards", (t) => {
  const options = parse();
  t.is(options.devices.length, 1);
  t.like(options.devices[0], { name: undefined, board: "virtual-w5500", app: "demo" });
  t.deepEqual(options.net, {
    kind: "forward",
    forwards: [
      { protocol: "tcp", hostPort: 8080, devicePort: 80 },
      { protocol: "tcp", hostPort: 7007, devicePort: 7 },
    ],
  });
  t.is(options.devices[0]?.settings.address, undefined);
});

test("a run in virtual time without --seed is always the same one, others are not", (t) => {
  t.is(parse("--net", "none").seed, parse("--net", "none").seed);
  t.is(parse("--net", "none", "--seed", "9").seed, 9);
  t.not(parse().seed, parse().seed);
});

test("in virtual time a run ends by itself; otherwise only when asked to", (t) => {
  t.is(parse("--net", "none").timeoutNs, 60e9);
  t.is(parse().timeoutNs, undefined);
  t.is(parse("--timeout", "2.5").timeoutNs, 2.5e9);
});

test("--ip writes the settings and moves the network; the gateway is the first other host", (t) => {
  const { devices, subnet } = parse("--ip", "10.1.0.1/16");
  t.deepEqual(devices[0]?.settings.address, {
    address: 0x0a010001,
    mask: 0xffff0000,
    gateway: 0x0a010002,
    dns: 0x0a010002,
  });
  t.deepEqual(subnet, { address: 0x0a010002, mask: 0xffff0000 });
  t.is(parse("--ip", "10.1.0.1/16", "--gateway", "10.1.2.3").subnet.address, 0x0a010203);
});

test("--mac and --hostname write the settings; a paced device keeps its address from run to run", (t) => {
  const settings = settingsOf("--mac", "02:00:00:00:00:07", "--hostname", "lamp");
  t.is(settings.mac, 0x0200_0000_0007);
  t.is(settings.hostName, "lamp");
  t.is(settingsOf().mac, settingsOf().mac);
  t.is(Math.floor((settingsOf().mac as number) / 2 ** 40), 2);
  t.is(settingsOf("--net", "none").mac, undefined);
  // A digest of the name alone: the same on every computer.
  t.is(settingsOf("--device", "web=http", "--net", "none").mac, 0x024b_5e57_f6eb);
});

test("impairments are read with their units", (t) => {
  const words = "--loss 5 --reorder 2.5 --duplicate 2 --corrupt 1 --delay 20 --rate 1.5M";
  t.deepEqual(parse(...words.split(" ")).impairments, {
    lossPercent: 5,
    reorderPercent: 2.5,
    duplicatePercent: 2,
    corruptPercent: 1,
    delayMs: 20,
    rateBps: 1.5e6,
  });
});

const MISTAKES = [
  "--loss 101",
  "--loss five",
  "--loss -1",
  "--delay 1e3",
  "--rate 0",
  "--rate 10X",
  "--seed -1",
  "--seed 1.5",
  "--seed 4294967296",
  "--timeout 0",
  "--timeout soon",
  "--limit 0",
  "--limit 1e9",
  "--ip 10.0.0.1",
  "--ip 10.0.0.1/24 --dhcp",
  "--ip 10.0.0.1/24 --gateway 10.0.1.1",
  "--ip 10.0.0.1/24 --gateway 10.0.0.1",
  "--ip 10.0.0.1/24 --gateway 10.0.0.255",
  "--gateway 10.0.0.1",
  "--gateway2 10.0.0.1",
  "--ip2 10.0.0.1/24 --gateway2 10.0.1.1",
  "--mac 1",
  "--hostname -x",
  "--net nonsense",
];
for (const mistake of MISTAKES) {
  test(`'${mistake}' is refused with one line`, (t) => {
    const [option, ...rest] = mistake.split(" ") as [string, ...string[]];
    // An argument that begins with a hyphen is only taken behind '='.
    const args = rest.length === 1 ? [`${option}=${rest[0]}`] : [option, ...rest];
    const error = t.throws(() => parse(...args), { instanceOf: UserError });
    t.notRegex(error?.message ?? "\n", /\n/);
  });
}

test("--ip2 is the second interface's, with a router of its own; one alone may be given", (t) => {
  const { settings } = parse("--ip2", "10.5.0.2/24").devices[0] ?? {};
  t.is(settings?.address, undefined);
  t.deepEqual(settings?.second, {
    address: 0x0a050002,
    mask: 0xffffff00,
    gateway: 0x0a050001,
    dns: 0x0a050001,
  });
  const both = parse("--ip", "10.1.0.1/16", "--ip2", "10.5.0.2/24", "--gateway2", "10.5.0.9");
  t.is(both.subnet.address, 0x0a010002);
  t.is(both.devices[0]?.settings.second?.gateway, 0x0a050009);
});

test("--dns names the servers behind the gateway", (t) => {
  t.deepEqual(parse("--dns", "10.0.0.1", "10.0.0.2:5353").resolvers, [
    { host: "10.0.0.1", port: 53 },
    { host: "10.0.0.2", port: 5353 },
  ]);
  t.is(parse().resolvers, undefined);
});

test("--device: names, applications and boards, MACs of their own, addresses in order, names of the others", (t) => {
  const options = parse(
    "--device",
    "web=http",
    "get=./app@virtual-enc28j60",
    "--board",
    "virtual-w5500",
  );
  const [web, get] = options.devices as [SimDevice, SimDevice];
  t.like(web, { name: "web", app: "http", board: "virtual-w5500" });
  t.like(get, { name: "get", app: "./app", board: "virtual-enc28j60" });
  t.not(web.settings.mac, get.settings.mac);
  t.is(get.settings.hostName, "get");
  t.deepEqual(web.settings.hosts, [{ name: "get", address: 0xc0a84d33 }]);
  t.deepEqual(get.settings.hosts, [{ name: "web", address: 0xc0a84d32 }]);
  t.deepEqual(options.net, {
    kind: "forward",
    forwards: [
      { protocol: "tcp", hostPort: 8080, device: "web", devicePort: 80 },
      { protocol: "tcp", hostPort: 8081, device: "get", devicePort: 80 },
    ],
  });
});

test("--device: forwards name their device; the only one need not be named", (t) => {
  const two = parse("--device", "a=x", "--device", "b=y", "--net", "forward:99=b:80,udp:9=a:7");
  t.deepEqual(two.net, {
    kind: "forward",
    forwards: [
      { protocol: "tcp", hostPort: 99, device: "b", devicePort: 80 },
      { protocol: "udp", hostPort: 9, device: "a", devicePort: 7 },
    ],
  });
  const one = parse("--device", "a=x", "--net", "forward:99=80");
  t.like(one.net, { forwards: [{ device: "a" }] });
});

const OF_DEVICES: [string, RegExp][] = [
  ["--device a", /NAME=APP@BOARD/],
  ["--device 1=x", /NAME=APP@BOARD/],
  ["--device a=x@", /NAME=APP@BOARD/],
  ["--device a=x A=y", /names 'A' twice/],
  ["--device a=x --ip 10.0.0.1/24", /--ip is for one device/],
  ["--device a=x b=y --net forward:8080=80", /names none of the devices; .* a, b/],
  ["--device a=x --net forward:8080=c:80", /names none of the devices/],
  ["--net forward:8080=a:80", /--device a=APP@BOARD/],
];
for (const [mistake, message] of OF_DEVICES) {
  test(`'${mistake}' is refused with the way out`, (t) => {
    const error = t.throws(() => parse(...mistake.split(" ")), { instanceOf: UserError });
    t.regex(error?.message ?? "", message);
    t.notRegex(error?.message ?? "\n", /\n/);
  });
}

test("an empty --expect is refused", (t) => {
  t.throws(() => parse("--expect="), { instanceOf: UserError });
  t.throws(() => parse("--fail-text="), { instanceOf: UserError });
});
