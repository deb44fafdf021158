import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { readPcap } from "../../host-tools/net/pcap.js";
import { encodeSettings } from "../../host-tools/settings.js";
import { Random } from "../../host-tools/sim/random.js";
import { VirtualWorld } from "../../host-tools/sim/world-virtual.js";
import { deviceBench, talk } from "../support/device-bench.js";

const GATEWAY = 0xc0a84d01;
const BAD = { lossPercent: 5, reorderPercent: 5, duplicatePercent: 2, corruptPercent: 1 };

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-world-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  for (const [link, impairments] of [
    ["a good link", {}],
    ["a bad link", BAD],
  ] as const) {
    test(`${board}: 4 MiB of random bytes come back identical through ${link}`, async (t) => {
      const here = await deviceBench({ board, impairments, timeoutNs: 1000e9 });
      const data = Buffer.alloc(1 << 22);
      new Random(4).fill(data);
      const result: { answer?: Buffer } = {};
      here.peer.run(talk(here, 7, data, result));
      const { reason } = here.world.run();
      t.is(reason, "stopped");
      t.is(Buffer.compare(result.answer ?? Buffer.of(), data), 0);
    });
  }
}

test("one seed gives byte-identical captures of a conversation over a bad link", async (t) => {
  const capture = async (name: string, seed: number): Promise<Buffer> => {
    const pcap = join(folder, name);
    const here = await deviceBench({ board: "virtual-w5500", impairments: BAD, seed, pcap });
    here.peer.run(talk(here, 7, Buffer.alloc(50_000, "seed"), {}));
    t.is(here.world.run().reason, "stopped");
    return readFileSync(pcap);
  };
  const first = await capture("first.pcap", 11);
  t.true(readPcap(first).length > 70);
  t.is(Buffer.compare(first, await capture("second.pcap", 11)), 0);
  t.not(Buffer.compare(first, await capture("third.pcap", 12)), 0);
});

test("time stamps of a capture are simulated time and never go back", async (t) => {
  const pcap = join(folder, "times.pcap");
  const here = await deviceBench({ pcap, board: "virtual-enc28j60" });
  here.peer.run(talk(here, 7, Buffer.alloc(20_000), {}));
  const { simulatedMs } = here.world.run();
  const times = readPcap(readFileSync(pcap)).map((record) => record.timeNs);
  t.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  t.true((times.at(-1) as number) <= simulatedMs * 1e6);
});

test("without --ip the device gets the first address of the pool, and says so", async (t) => {
  const world = await VirtualWorld.create({
    firmware: await compileFirmware({ board: "virtual-w5500", app: "echo" }),
    settings: encodeSettings({ hostName: "lamp" }),
    seed: 1,
    expect: "192.168.77.50",
    timeoutNs: 60e9,
    onLease: (lease) => leases.push(`${lease.hostName} ${lease.address - GATEWAY}`),
  });
  const leases: string[] = [];
  t.is(world.run().reason, "expected");
  t.deepEqual(leases, ["lamp 49"]);
  t.true(world.log.length > 2);
});

test("a run ends after its simulated time, exactly", async (t) => {
  const world = await VirtualWorld.create({
    firmware: await compileFirmware({ board: "virtual-w5500", app: "echo" }),
    settings: encodeSettings({}),
    seed: 1,
    timeoutNs: 5e9,
  });
  const { reason, simulatedMs } = world.run();
  t.is(reason, "timeout");
  t.true(simulatedMs >= 5000 && simulatedMs < 5001);
});
