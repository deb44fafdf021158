import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { readPcap } from "../../host-tools/net/pcap.js";
import { Cli, runCli, endCommands } from "../support/cli.js";
import { TAP, inside, namespaceTest, peer } from "../support/namespace.js";

test.after.always(endCommands);

const run = promisify(execFile);
const DEVICE = "192.168.77.2";

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-tap-"));
const pcaps: string[] = [];

test.before(async () => {
  for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
    await compileFirmware({ board, app: "demo" });
  }
});

test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** A program of Node: bytes to the echo port of a host and back, and how many came back as they went. */
const ECHO = `
const [host, bytes] = [process.argv[1], Number(process.argv[2])];
const block = Buffer.from(Array.from({ length: 65521 }, (_, i) => (i * 31 + (i >> 8)) & 255));
const socket = require("node:net").connect(7, host);
let sent = 0, same = 0;
const pour = () => { while (sent < bytes) { const part = block.subarray(0, bytes - sent); sent += part.length; if (!socket.write(part)) return socket.once("drain", pour); } };
socket.on("connect", pour);
socket.on("data", (data) => {
  for (const byte of data) { if (byte !== block[same % block.length]) process.exit(1); same++; }
  if (same === bytes) { socket.destroy(); console.log(same); }
});`;

/** Starts the demo on a TAP interface in the namespace and waits until it has checked its address (RFC 5227). */
async function demo(t: ExecutionContext, board: string, ...args: string[]): Promise<Cli> {
  const pcap = join(folder, `${pcaps.length}.pcap`);
  pcaps.push(pcap);
  const options = ["--board", board, "--net", `tap:${TAP}`, "--ip", `${DEVICE}/24`, "--pcap", pcap];
  const cli = new Cli(["sim", "--json", ...options, ...args], inside);
  // A test that fails must not leave the interface in use.
  t.teardown(() => cli.end());
  await cli.line((line) => line.includes("in use"));
  return cli;
}

/** ICMP messages of a type in a capture: identifier and sequence number of each. */
function echoes(pcap: string, type: number): string[] {
  return readPcap(readFileSync(pcap))
    .map(({ frame }) => Buffer.from(frame))
    .filter((frame) => frame.readUInt16BE(12) === 0x0800 && frame[23] === 1 && frame[34] === type)
    .map((frame) => frame.toString("hex", 38, 42));
}

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  namespaceTest(`${board}: Linux pings without loss, also with 1472 bytes`, ["ping"], async (t) => {
    const cli = await demo(t, board);
    for (const size of ["56", "1472"]) {
      const output = await peer("ping", "-c", "100", "-i", "0.01", "-q", "-s", size, DEVICE);
      // For the last answer ping waits an interval or twice its slowest round trip only, which a computer that is busy elsewhere exceeds.
      t.regex(output, /100 packets transmitted, (99|100) received/);
    }
    t.is((await cli.interrupt()).code, 0);
    const pcap = pcaps.at(-1) as string;
    t.is(echoes(pcap, 8).length, 200);
    t.deepEqual(echoes(pcap, 0), echoes(pcap, 8));
  });

  namespaceTest(`${board}: curl gets the page from Linux`, ["curl"], async (t) => {
    const cli = await demo(t, board);
    const output = await peer("curl", "-sf", "-w", "%{http_code}", `http://${DEVICE}/`);
    t.regex(output, /<html[^]*200$/);
    t.is((await cli.interrupt()).code, 0);
  });

  namespaceTest(
    `${board}: 3 MiB through the echo port are whole, and neither driver nor chip model finds a fault`,
    [],
    async (t) => {
      const cli = await demo(t, board);
      const bytes = `${3 << 20}`;
      t.is(await peer(process.execPath, "-e", ECHO, DEVICE, bytes), `${bytes}\n`);
      const { code, stdout } = await cli.interrupt();
      t.is(code, 0);
      // A driver that has to bring up its chip anew loses no byte either, but time.
      t.deepEqual(stdout.match(/.*"level":"(warn|error)".*/g), null);
    },
  );

  namespaceTest(`${board}: iperf sends into port 5001`, ["iperf"], async (t) => {
    const cli = await demo(t, board);
    const output = await peer(
      "iperf",
      "-c",
      DEVICE,
      "-p",
      "5001",
      "-n",
      "1M",
      "-f",
      "k",
      "-y",
      "C",
    );
    t.is(Number(output.trim().split(",")[7]), 1 << 20);
    t.is((await cli.interrupt()).code, 0);
  });
}

namespaceTest(
  "tshark finds no malformed frame and no bad checksum from the device in all of it",
  ["tshark"],
  async (t) => {
    const checks = ["ip", "tcp", "udp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);
    const bad = ["ip", "tcp", "udp", "icmp"].map((name) => `${name}.checksum.status == "Bad"`);
    t.true(pcaps.length >= 2);
    for (const pcap of pcaps) {
      const show = async (filter: string): Promise<string> =>
        (await run("tshark", ["-r", pcap, ...checks, "-Y", filter])).stdout;
      t.is(await show(`ip.src == ${DEVICE} && (_ws.malformed || ${bad.join(" || ")})`), "");
      t.true((await show(`ip.src == ${DEVICE}`)).length > 0);
    }
  },
);

namespaceTest(
  "an interface that the command made gives the device an address by DHCP",
  ["curl"],
  async (t) => {
    const cli = new Cli(["sim", "--json", "--net", `tap:${TAP}`], inside);
    await cli.line((line) => line.includes("192.168.77.50"));
    t.regex(await peer("curl", "-sf", "http://192.168.77.50/api/status"), /^\{/);
    t.is((await cli.interrupt()).code, 0);
  },
);

namespaceTest("a name that is not a TAP interface is refused with one line", [], async (t) => {
  const { code, stderr } = await new Cli(["sim", "--net", "tap:lo"], inside).ended;
  t.is(code, 1);
  t.is(stderr, "as-tcpip: lo exists and is not a TAP interface; choose another name\n");
});

namespaceTest(
  "many interfaces of one process: one listener for its end, and what is closed can be opened again",
  [],
  async (t) => {
    const module = new URL("../../host-tools/net/tap.js", import.meta.url).href;
    const program = `
      const { TapAdapter } = await import(${JSON.stringify(module)});
      for (let round = 0; round < 2; round++) {
        const taps = [];
        for (let i = 0; i < 12; i++)
          taps.push(await TapAdapter.open("asmany" + i, { address: 0x0a4e0001, mask: 0xffffff00 }));
        const listeners = process.listenerCount("exit");
        for (const tap of taps) tap.close();
        console.log(listeners - process.listenerCount("exit"));
      }`;
    const [command, ...rest] = inside as [string, ...string[]];
    const args = [...rest, process.execPath, "--input-type=module", "-e", program];
    const { stdout, stderr } = await run(command, args);
    t.is(stdout, "1\n1\n");
    t.is(stderr, "");
  },
);

const RIGHTS =
  /^as-tcpip: no right to use TAP interface \w+; run as root, or let root make it: .*\n$/;

namespaceTest(
  "without the right to use TAP: one line that says what to do",
  ["setpriv"],
  async (t) => {
    const without = [...inside, "setpriv", "--bounding-set=-net_admin"];
    const { code, stderr } = await new Cli(["sim", "--net", "tap:as9"], without).ended;
    t.is(code, 1);
    t.regex(stderr, RIGHTS);
  },
);

if (process.platform === "linux" && process.getuid?.() !== 0) {
  test("without root: one line that says what to do", async (t) => {
    const { code, stderr } = await runCli("sim", "--net", "tap:as9");
    t.is(code, 1);
    t.regex(stderr, /^as-tcpip: .*TAP interface.*\n$/);
  });
}
