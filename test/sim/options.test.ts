import test from "ava";
import { Command } from "commander";
import {
  addSimOptions,
  parseSimOptions,
  type RawSimOptions,
  type SimOptions,
} from "../../host-tools/commands/sim-options.js";
import { UserError } from "../../host-tools/errors.js";

function parse(...args: string[]): SimOptions {
  const command = addSimOptions(new Command("sim"))
    .exitOverride()
    .configureOutput({
      writeErr: () => undefined,
    });
  return parseSimOptions(command.parse(args, { from: "user" }).opts<RawSimOptions>());
}

test("without options: the demo on virtual-w5500 behind the two forwards", (t) => {
  const options = parse();
  t.is(options.board, "virtual-w5500");
  t.is(options.app, "demo");
  t.deepEqual(options.net, {
    kind: "forward",
    forwards: [
      { protocol: "tcp", hostPort: 8080, devicePort: 80 },
      { protocol: "tcp", hostPort: 7007, devicePort: 7 },
    ],
  });
  t.is(options.settings.address, undefined);
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
  const { settings, subnet } = parse("--ip", "10.1.0.1/16");
  t.deepEqual(settings.address, {
    address: 0x0a010001,
    mask: 0xffff0000,
    gateway: 0x0a010002,
    dns: 0x0a010002,
  });
  t.deepEqual(subnet, { address: 0x0a010002, mask: 0xffff0000 });
  t.is(parse("--ip", "10.1.0.1/16", "--gateway", "10.1.2.3").subnet.address, 0x0a010203);
});

test("--mac and --hostname write the settings; a paced device keeps its address from run to run", (t) => {
  const { settings } = parse("--mac", "02:00:00:00:00:07", "--hostname", "lamp");
  t.is(settings.mac, 0x0200_0000_0007);
  t.is(settings.hostName, "lamp");
  t.is(parse().settings.mac, parse().settings.mac);
  t.is(Math.floor((parse().settings.mac as number) / 2 ** 40), 2);
  t.is(parse("--net", "none").settings.mac, undefined);
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
  "--ip 10.0.0.1",
  "--ip 10.0.0.1/24 --dhcp",
  "--ip 10.0.0.1/24 --gateway 10.0.1.1",
  "--ip 10.0.0.1/24 --gateway 10.0.0.1",
  "--ip 10.0.0.1/24 --gateway 10.0.0.255",
  "--gateway 10.0.0.1",
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

test("an empty --expect is refused", (t) => {
  t.throws(() => parse("--expect="), { instanceOf: UserError });
});
