import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { readPcap } from "../../host-tools/net/pcap.js";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";
import type { Rp2040Machine } from "../../host-tools/sim/machine-rp2040.js";
import { Random } from "../../host-tools/sim/random.js";
import { DEVICE, deviceBench, talk, type DeviceBenchOptions } from "../support/device-bench.js";
import { parseFrame } from "../support/wire-parse.js";

const withCompiler = hasCrossCompiler() ? test.serial : test.serial.skip;
const CHIPS = [
  ["w5500-evb-pico", "virtual-w5500"],
  ["pico-enc28j60", "virtual-enc28j60"],
] as const;

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-rp2040-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** One conversation with the demo: what the device has answered, and its log. */
async function converse(
  options: DeviceBenchOptions,
  port: number,
  data: Uint8Array,
): Promise<{ answer: Buffer; errors: string[]; machine: Rp2040Machine }> {
  const here = await deviceBench(options);
  const result: { answer?: Buffer } = {};
  here.peer.run(talk(here, port, data, result));
  const { reason, message } = here.world.run();
  if (reason !== "stopped") throw new Error(`${reason}: ${message ?? ""}`);
  return {
    answer: result.answer ?? Buffer.of(),
    errors: here.world.log.filter(({ level }) => level === "error").map(({ text }) => text),
    machine: here.world.device.machine as Rp2040Machine,
  };
}

const GET = Buffer.from("GET / HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n");

for (const [board] of CHIPS) {
  withCompiler(`${board}: the Thumb code of the flashed image serves the page`, async (t) => {
    const { answer, errors } = await converse({ board }, 80, GET);
    t.regex(answer.toString("latin1"), /^HTTP\/1\.1 200 [\s\S]*<\/html>\s*$/);
    t.deepEqual(errors, []);
  });

  withCompiler(`${board}: 64 KiB come back identical under 5 % loss`, async (t) => {
    const data = Buffer.alloc(1 << 16);
    new Random(5).fill(data);
    const { answer, errors } = await converse({ board, impairments: { lossPercent: 5 } }, 7, data);
    t.is(Buffer.compare(answer, data), 0);
    t.deepEqual(errors, []);
  });
}

/** Segments of a capture: flags, numbers relative to each side's first, and data. Times and options' times are left out. */
function segments(file: string): string[] {
  const first = new Map<boolean, number>();
  const lines: string[] = [];
  for (const { frame } of readPcap(readFileSync(file))) {
    const { ip, tcp } = parseFrame(frame);
    if (!ip || !tcp) continue;
    const sent = ip.source === DEVICE;
    if (!first.has(sent)) first.set(sent, tcp.seq);
    const seq = (tcp.seq - (first.get(sent) ?? 0)) >>> 0;
    const ack = (tcp.ack - (first.get(!sent) ?? 0)) >>> 0;
    const who = sent ? "device" : "peer";
    const data = Buffer.from(tcp.data).toString("latin1");
    lines.push(
      `${who} ${tcp.flags.toString(2)} ${seq} ${tcp.flags & 16 ? ack : 0} ${tcp.window} ${data}`,
    );
  }
  return lines;
}

for (const [pico, virtual] of CHIPS) {
  withCompiler(`${pico} sends the very segments that ${virtual} sends`, async (t) => {
    const captures = await Promise.all(
      [pico, virtual].map(async (board) => {
        const pcap = join(folder, `${board}.pcap`);
        await converse(
          { board, pcap, app: "echo" },
          7,
          Buffer.from("the same source on host and device"),
        );
        return segments(pcap);
      }),
    );
    // Handshake, text, its echo with the acknowledgment, and both FINs.
    t.true((captures[0]?.length ?? 0) >= 7);
    t.deepEqual(captures[0], captures[1]);
  });
}

withCompiler("the cost of an echoed byte on the Pico stays where it is", async (t) => {
  const cost = async (bytes: number): Promise<number> => {
    const { machine } = await converse({ board: "w5500-evb-pico" }, 7, Buffer.alloc(bytes, "cost"));
    return machine.board.count.cycles;
  };
  const each = ((await cost(1 << 17)) - (await cost(1 << 15))) / ((1 << 17) - (1 << 15));
  t.log(`${each.toFixed(1)} cycles of the processor for a byte in and out, without sleep`);
  t.true(each < 35, `${each}`);
});
