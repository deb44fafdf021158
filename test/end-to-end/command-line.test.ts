import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { hostedFirmware } from "../../host-tools/net/hosted-stack.js";
import { readPcap } from "../../host-tools/net/pcap.js";
import { packageRoot } from "../../host-tools/root.js";
import { Cli, freePort, runCli, runCliAt, endCommands } from "../support/cli.js";

test.after.always(endCommands);

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-cli-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const alone = ["sim", "--net", "none", "--app", "echo"];

// Compiled once, so that the commands below find it in the cache.
test.before(async () => {
  await hostedFirmware();
  for (const app of ["echo", "demo"]) await compileFirmware({ board: "virtual-w5500", app });
});

const MISTAKES: [string, RegExp][] = [
  ["sim --board nonsense", /^as-tcpip: unknown board 'nonsense'; there are: .*virtual-w5500/],
  ["sim --app nonsense", /^as-tcpip: unknown application 'nonsense'; there are: .*demo/],
  ["sim --board w5500-evb-pico2", /^as-tcpip: unknown board/],
  [
    "sim --board hosted",
    /^as-tcpip: the board hosted cannot be simulated; use --board virtual-w5500/,
  ],
  ["sim --loss 200", /^as-tcpip: --loss cannot be '200'; give a number/],
  ["sim --net nowhere", /^as-tcpip: --net does not know 'nowhere'; it takes forward:/],
  ["sim --net", /^as-tcpip: .*argument missing/],
  ["sim --nett none", /^as-tcpip: unknown option '--nett' \(Did you mean --net\?\)/],
  ["sim surplus", /^as-tcpip: too many arguments for 'sim'/],
  ["sim --nonsense", /^as-tcpip: unknown option '--nonsense'; --help lists them$/m],
  ["nonsense", /^as-tcpip: unknown command 'nonsense'; --help lists them$/m],
  ["sim --app docs", /^as-tcpip: 'docs' has no main\.ts, with which firmware begins$/m],
  ["simm", /^as-tcpip: unknown command 'simm' \(Did you mean sim\?\)/],
  [
    "sim --net stream:/nonexistent/socket",
    /^as-tcpip: no connection to \/nonexistent\/socket \(ENOENT\); /,
  ],
  ["sim --net none --pcap /nonexistent/a.pcap", /^as-tcpip: cannot write .*ENOENT/],
];
for (const [args, expected] of MISTAKES) {
  test.serial(`'${args}' gives one line and a failure`, async (t) => {
    const { code, stderr, signal } = await runCli(...args.split(" "));
    t.is(signal, null);
    t.is(code, 1);
    t.regex(stderr, expected);
    t.is(stderr.trimEnd().split("\n").length, 1, stderr);
  });
}

test.serial("a busy port is named, with the way to choose another", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await runCli("start", "--net", `forward:${port}=80`);
  server.close();
  t.is(code, 1);
  t.regex(stderr, new RegExp(`^as-tcpip: TCP port ${port} of 127\\.0\\.0\\.1 is in use; `));
  t.regex(stderr, /--net forward:\d+=80 \(behind 'npm start --'\)\n$/);
});

test.serial("--help ends with exit code 0 and lists the commands", async (t) => {
  const { code, stdout } = await runCli("--help");
  t.is(code, 0);
  for (const name of ["start", "sim", "build", "flash", "monitor"])
    t.regex(stdout, new RegExp(`^ +${name} `, "m"));
});

test.serial("--expect ends the run at once with exit code 0 when the text comes", async (t) => {
  const { code, stdout } = await runCli(
    ...alone,
    "--expect",
    "lease",
    "--timeout",
    "100",
    "--json",
  );
  t.is(code, 0);
  const lines = stdout.trimEnd().split("\n");
  const objects = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  t.regex(String(objects.at(-2)?.["text"]), /lease/);
  t.like(objects.at(-1), { event: "end", reason: "expected" });
  t.true((objects.at(-1)?.["time"] as number) < 10);
});

test.serial(
  "H5: an expected text wins, though the device fails or ends right behind it",
  async (t) => {
    const app = join(packageRoot, "test/device/returns");
    t.is((await runCli("sim", "--net", "none", "--app", app, "--expect", "done")).code, 0);
    t.is((await runCli("sim", "--net", "none", "--app", app, "--expect", "never")).code, 1);
  },
);

test.serial(
  "--timeout ends a run with exit code 0, or 1 when an expected text did not come",
  async (t) => {
    t.is((await runCli(...alone, "--timeout", "0.5")).code, 0);
    const { code, stderr } = await runCli(...alone, "--timeout", "0.5", "--expect", "never");
    t.is(code, 1);
    t.is(stderr, "as-tcpip: 'never' did not come within 0.5 simulated seconds\n");
  },
);

test.serial(
  "a folder whose name has spaces and other signs of URLs can hold the package",
  async (t) => {
    const home = join(folder, "my code, 100% #1");
    const parts = ["package.json", "build/js/host-tools", "build/js/stack"];
    for (const part of [...parts, "hal", "drivers", "stack", "firmware"])
      cpSync(join(packageRoot, part), join(home, part), { recursive: true });
    symlinkSync(join(packageRoot, "node_modules"), join(home, "node_modules"));
    const options = ["--timeout", "5", "--expect", "lease"];
    const { code, stdout, stderr } = await runCliAt(home, ...alone, ...options);
    t.is(code, 0, stdout + stderr);
  },
);

test.serial("a device that fails ends the command with one line that says so", async (t) => {
  const app = join(packageRoot, "test/device/trap");
  for (const net of ["none", `forward:${await freePort()}=7`]) {
    const { code, stdout, stderr } = await runCli("sim", "--app", app, "--net", net);
    t.is(code, 1);
    t.regex(stdout, /about to fail/);
    t.regex(
      stderr,
      /^as-tcpip: the device has stopped: the firmware has trapped \(unreachable\).*\n$/,
    );
  }
});

test.serial(
  "two runs with one seed give byte-identical captures, another seed another one",
  async (t) => {
    const capture = async (name: string, seed: string): Promise<Buffer> => {
      const pcap = join(folder, name);
      const options = ["--loss", "20", "--timeout", "20", "--seed", seed, "--pcap", pcap];
      t.is((await runCli(...alone, ...options)).code, 0);
      return readFileSync(pcap);
    };
    const [first, second, other] = [
      await capture("a.pcap", "5"),
      await capture("b.pcap", "5"),
      await capture("c.pcap", "6"),
    ];
    t.true(readPcap(first).length > 4);
    t.is(Buffer.compare(first, second), 0);
    t.not(Buffer.compare(first, other), 0);
  },
);

test.serial("--vcd writes the SPI signals", async (t) => {
  const vcd = join(folder, "spi.vcd");
  t.is((await runCli(...alone, "--timeout", "0.1", "--vcd", vcd)).code, 0);
  const text = readFileSync(vcd, "utf8");
  for (const name of ["CSn", "SCK", "MOSI", "MISO", "INTn", "RSTn"]) {
    t.regex(text, new RegExp(`^\\$var wire 1 \\S ${name} \\$end$`, "m"));
  }
  let last = -1;
  for (const [, time] of text.matchAll(/^#(\d+)$/gm)) {
    t.true(Number(time) > last);
    last = Number(time);
  }
  t.true(last > 0);
});

test.serial("--ip, --mac and --hostname reach the device", async (t) => {
  const { stdout } = await runCli(
    ...alone,
    ...[
      "--ip",
      "10.0.0.7/24",
      "--mac",
      "02:00:00:00:00:2a",
      "--hostname",
      "lamp",
      "--timeout",
      "3",
    ],
  );
  t.regex(stdout, /10\.0\.0\.7/);
  t.regex(stdout, /02:00:00:00:00:2a/);
});

test.serial(
  "Ctrl-C ends a run in virtual time promptly with exit code 0, its files complete",
  async (t) => {
    const pcap = join(folder, "interrupted.pcap");
    const cli = new Cli([...alone, "--timeout", "1000000000", "--pcap", pcap]);
    await cli.line((line) => line.includes("lease"));
    const { code } = await cli.interrupt();
    t.is(code, 0);
    t.true(existsSync(pcap) && readPcap(readFileSync(pcap)).length > 2);
  },
);

test.serial(
  "the address of a forward is told when the device listens there, of no other",
  async (t) => {
    const [page, echo] = [await freePort(), await freePort()];
    const cli = new Cli(["sim", "--app", "echo", "--net", `forward:${page}=80,${echo}=7`]);
    await cli.line((line) => line.includes(`TCP echo    127.0.0.1:${echo}`));
    await cli.line((line) => line.includes("Ctrl-C ends"));
    const { code, stdout } = await cli.interrupt();
    t.is(code, 0);
    t.false(stdout.includes("web page"));
  },
);

test.serial("--fail-text ends the run with exit code 1, and tells the line", async (t) => {
  const { code, stderr } = await runCli(...alone, "--fail-text", "lease", "--expect", "lease");
  t.is(code, 1);
  t.regex(stderr, /^as-tcpip: the device said 'lease': lease 192\.168\.77\.50 /);
});

test.serial("--limit ends a device that never looks at its hardware", async (t) => {
  const app = join(packageRoot, "test/device/spin");
  const spin = ["sim", "--app", app, "--net", "none", "--limit", "0.3"];
  t.is((await runCli(...spin)).code, 0);
  const { code, stderr } = await runCli(...spin, "--expect", "never");
  t.is(code, 1);
  t.is(stderr.trim(), "as-tcpip: 'never' did not come within 0.3 seconds");
});

test.serial("Ctrl-C ends a device that never looks at its hardware", async (t) => {
  const app = join(packageRoot, "test/device/spin");
  const cli = new Cli(["sim", "--app", app, "--net", "none"]);
  await cli.line((line) => line.includes("spinning"));
  t.is((await cli.interrupt()).code, 0);
});
