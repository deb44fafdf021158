import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { hostedFirmware, SHUT_WR } from "../../host-tools/net/hosted-stack.js";
import { PERFECT, type Impairments } from "../../host-tools/net/link.js";
import { readPcap } from "../../host-tools/net/pcap.js";
import { encodeSettings } from "../../host-tools/settings.js";
import { Random } from "../../host-tools/sim/random.js";
import { VirtualWorld } from "../../host-tools/sim/world-virtual.js";
import { Peer, type Script } from "../support/peer.js";

const DEVICE = 0xc0a84d02;
const PEER = 0xc0a84d03;
const GATEWAY = 0xc0a84d01;
const BAD = { lossPercent: 5, reorderPercent: 5, duplicatePercent: 2, corruptPercent: 1 };

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-world-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

interface Bench {
  world: VirtualWorld;
  peer: Peer;
}

interface BenchOptions {
  board?: string;
  app?: string;
  impairments?: Partial<Impairments>;
  seed?: number;
  pcap?: string;
}

/** The demo (or another application) at 192.168.77.2, and a scripted peer at .3. */
async function bench(options: BenchOptions = {}): Promise<Bench> {
  const { board = "virtual-w5500", app = "demo", seed = 7, pcap } = options;
  const world = await VirtualWorld.create({
    firmware: await compileFirmware({ board, app }),
    settings: encodeSettings({
      mac: 0x0200_0000_0002,
      address: { address: DEVICE, mask: 0xffffff00, gateway: GATEWAY, dns: 0 },
    }),
    seed,
    impairments: { ...PERFECT, ...options.impairments },
    pcap,
    timeoutNs: 1000e9,
  });
  const peer = new Peer({
    firmware: await hostedFirmware(),
    clock: world.clock,
    ethernet: world.lan.ethernet,
    mac: 0x0200_0000_0003,
    address: PEER,
    seed,
  });
  return { world, peer };
}

/** Sends all of `data` through the echo service while taking what comes back, then stops the world. */
function* echo({ world, peer }: Bench, data: Buffer, result: { echoed?: Buffer }): Script {
  yield* peer.sleep(2000);
  const fd = yield* peer.connect(DEVICE, 7);
  peer.run(
    (function* (): Script {
      yield* peer.send(fd, data);
      peer.stack.shutdown(fd, SHUT_WR);
    })(),
  );
  result.echoed = yield* peer.receive(fd);
  peer.stack.closeSocket(fd);
  yield* peer.sleep(1000);
  world.stop();
}

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  for (const [link, impairments] of [
    ["a good link", {}],
    ["a bad link", BAD],
  ] as const) {
    test(`${board}: 4 MiB of random bytes come back identical through ${link}`, async (t) => {
      const here = await bench({ board, impairments });
      const data = Buffer.alloc(1 << 22);
      new Random(4).fill(data);
      const result: { echoed?: Buffer } = {};
      here.peer.run(echo(here, data, result));
      const { reason } = here.world.run();
      t.is(reason, "stopped");
      t.is(Buffer.compare(result.echoed ?? Buffer.of(), data), 0);
    });
  }
}

test("one seed gives byte-identical captures of a conversation over a bad link", async (t) => {
  const capture = async (name: string, seed: number): Promise<Buffer> => {
    const pcap = join(folder, name);
    const here = await bench({ impairments: BAD, seed, pcap });
    here.peer.run(echo(here, Buffer.alloc(50_000, "seed"), {}));
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
  const here = await bench({ pcap, board: "virtual-enc28j60" });
  here.peer.run(echo(here, Buffer.alloc(20_000), {}));
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
