import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { readPcap } from "../../host-tools/net/pcap.js";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";
import type { Rp2040Machine } from "../../host-tools/sim/machine-rp2040.js";
import type { MirroredFrame } from "../../host-tools/sim/rp2040/log-line.js";
import { deviceBench, talk } from "../support/device-bench.js";

const withCompiler = hasCrossCompiler() ? test : test.skip;
const SNAP = 64;
/** The log line takes 7 ms for a mirrored frame: time for all of them. */
const LINE_MS = 2000;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

withCompiler(
  "docs/log-wire.md: a firmware built with --mirror tells of every frame, first bytes and length",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "as-tcpip-mirror-"));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const pcap = join(folder, "wire.pcap");
    const bench = await deviceBench({
      board: "w5500-evb-pico",
      app: "echo",
      pcap,
      options: { MIRROR_BYTES: SNAP },
    });
    const mirrored: MirroredFrame[] = [];
    (bench.world.device.machine as Rp2040Machine).onMirror = (frame) => mirrored.push(frame);
    const result: { answer?: Buffer } = {};
    const data = Buffer.alloc(3000, "mirror ");
    bench.peer.run(talk(bench, 7, data, result, LINE_MS));
    t.is(bench.world.run().reason, "stopped");
    t.deepEqual(result.answer, data);

    const wire = readPcap(readFileSync(pcap)).map(({ frame }) => frame);
    const first = (frame: Uint8Array): string =>
      `${Math.max(frame.length, 60)} ${hex(frame.subarray(0, 40))}`;
    const seen = new Set(wire.map(first));
    t.true(mirrored.length >= 10);
    for (const { frame, bytes } of mirrored) {
      t.is(frame.length, Math.min(bytes, SNAP));
      t.true(seen.has(`${Math.max(bytes, 60)} ${hex(frame.subarray(0, 40))}`));
    }
    t.true(mirrored.some(({ direction }) => direction === "received"));
    t.true(mirrored.some(({ direction }) => direction === "sent"));
    // From the device's first frame on: what the peer said before, its address probes, met a link that was down.
    const device = wire.findIndex((frame) => hex(frame.subarray(6, 12)) === "020000000002");
    const told = new Set(
      mirrored.map(({ frame, bytes }) => `${Math.max(bytes, 60)} ${hex(frame.subarray(0, 40))}`),
    );
    const lost = wire.slice(device).filter((frame) => !told.has(first(frame)));
    t.true(device >= 0 && wire.length - device > 10);
    t.deepEqual(lost.map(first), []);
    t.true(mirrored.length >= wire.length - device - 1);
  },
);
