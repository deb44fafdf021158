import { Enc28j60 } from "../../sim/chips/enc28j60/index.js";
import { W5500 } from "../../sim/chips/w5500/index.js";
import type { SpiSlave } from "../../sim/types.js";
import type { VirtualClock } from "../../sim/virtual-clock.js";
import { NicHarness, testFrame } from "../../testing/nic-harness.js";
import type { BarGroup } from "../chart.js";
import { table } from "../table.js";

/** What something has cost on the bus: bytes in either direction, chip selects. */
export interface BusCost {
  bytes: number;
  transactions: number;
}

export type ChipName = "w5500" | "enc28j60";

/** What another driver pays; `eachPoll` comes on top for each time that it looks whether the frame has gone. */
export interface PeerCost extends BusCost {
  eachPoll?: BusCost;
}

/** What a row costs us, and beside it what the protocol of the chip needs at least and what others pay. */
export interface SpiRow extends BusCost {
  floor?: BusCost;
  peers?: Record<string, PeerCost>;
}

export type SpiResult = Record<ChipName, Record<string, SpiRow>>;

const cost = (bytes: number, transactions: number): BusCost => ({ bytes, transactions });
const polling = (bytes: number, transactions: number, each: BusCost): PeerCost => ({
  ...cost(bytes, transactions),
  eachPoll: each,
});

/** What a full frame costs other drivers, counted from their code. */
const PEERS: Record<ChipName, Record<string, { rx1514?: PeerCost; tx1514?: PeerCost }>> = {
  w5500: {
    Mongoose: { rx1514: cost(1546, 7), tx1514: polling(1544, 7, cost(4, 1)) },
    embassy: { rx1514: cost(1550, 8), tx1514: cost(1536, 5) },
    Zephyr: { rx1514: cost(1586, 20), tx1514: cost(1543, 7) },
    "ioLibrary (MACRAW)": { rx1514: cost(1594, 20), tx1514: cost(1607, 22) },
  },
  enc28j60: {
    // And EPKTCNT each time.
    RIOT: { rx1514: cost(1536, 9) },
    embassy: { rx1514: cost(1540, 11), tx1514: cost(1527, 7) },
    EtherCard: { rx1514: cost(1542, 12), tx1514: polling(1535, 11, cost(2, 1)) },
    Linux: { rx1514: cost(1558, 18), tx1514: cost(1549, 18) },
    Zephyr: { rx1514: cost(1577, 34), tx1514: polling(1552, 25, cost(2, 1)) },
    EthernetENC: { rx1514: cost(3081, 33), tx1514: polling(3031, 30, cost(2, 1)) },
  },
};

/** What the protocols of the chips need for a full frame. */
const FLOORS: Record<ChipName, Record<string, BusCost>> = {
  w5500: { rx1514: cost(1535, 4), rxBatch4PerFrame: cost(1521, 1), tx1514: cost(1532, 4) },
  enc28j60: { rx1514: cost(1531, 4), tx1514: cost(1526, 6) },
};

const FRAME = 1514;
const SHORT = 60;
/** Frames that wait together; the ENC28J60's receive memory holds three full ones. */
const BATCH = { w5500: 4, enc28j60: 3 };
/** Longest time that a frame takes on the wire of a chip, with room. */
const WIRE_NS = { w5500: 200_000, enc28j60: 1_400_000 };

interface Bench {
  nic: NicHarness;
  receive: (frame: Uint8Array) => void;
}

/** Options that both models know. */
interface ChipOptions {
  clock: VirtualClock;
  seed: number;
  onViolation: (message: string) => void;
}

function strict(message: string): never {
  throw new Error(message);
}

/** A driver that is up and has a link, on a strict model; errata that depend on chance are off, so that counts repeat. */
async function start(chip: ChipName): Promise<Bench> {
  const common = (clock: VirtualClock): ChipOptions => ({ clock, seed: 1, onViolation: strict });
  const bench = await NicHarness.create<SpiSlave & { receive(frame: Uint8Array): void }>({
    board: `virtual-${chip}`,
    chip: (clock) =>
      chip === "w5500"
        ? new W5500({ ...common(clock), spiHz: 33_300_000, autoNegotiationMs: 20 })
        : new Enc28j60({
            ...common(clock),
            spiHz: 20_000_000,
            errata: [2, 5, 6, 9, 10, 12, 14, 15, 17, 18, 19],
          }),
  });
  if (bench.chip instanceof Enc28j60) bench.chip.setLink(true);
  if (bench.init() !== 0) throw new Error(`${chip}: the driver does not start`);
  bench.run(250, 5);
  if ((bench.nic.nicLink() & 1) === 0) throw new Error(`${chip}: no link`);
  bench.drain();
  return { nic: bench, receive: (frame) => void bench.chip.receive(frame) };
}

function received({ nic, receive }: Bench, chip: ChipName, bytes: number, count: number): BusCost {
  for (let i = 0; i < count; i++) receive(testFrame(bytes, i));
  nic.clock.advance(count * WIRE_NS[chip]);
  const cost = nic.cost(() => {
    const got = nic.drain().length;
    if (got !== count) throw new Error(`${chip}: ${got} of ${count} frames were received`);
  });
  return { bytes: cost.bytes / count, transactions: cost.transactions / count };
}

/** A frame from idle to idle, completion included; the second one, for the first also sets what stays. */
function sent({ nic }: Bench, chip: ChipName, bytes: number): BusCost {
  const once = (): BusCost =>
    nic.cost(() => {
      if (!nic.send(testFrame(bytes))) throw new Error(`${chip}: no room to send`);
      nic.clock.advance(WIRE_NS[chip]);
      nic.poll();
    });
  once();
  return once();
}

/** A second without a frame, the main loop turning each millisecond. */
function idle({ nic }: Bench): BusCost {
  nic.poll();
  nic.drain();
  return nic.cost(() => {
    for (let ms = 0; ms < 1000; ms++) {
      nic.clock.advance(1e6);
      nic.poll();
      nic.drain();
    }
  });
}

/** Our counts with the floor and the peers' figures beside those of full frames. */
export function beside(chip: ChipName, ours: Record<string, BusCost>): Record<string, SpiRow> {
  return Object.fromEntries(
    Object.entries(ours).map(([name, row]) => {
      const floor = FLOORS[chip][name];
      const peers = peersOf(chip, name);
      return [
        name,
        {
          ...row,
          ...(floor && { floor }),
          ...(Object.keys(peers).length > 0 && { peers }),
        },
      ];
    }),
  );
}

function peersOf(chip: ChipName, row: string): Record<string, PeerCost> {
  const peers: Record<string, PeerCost> = {};
  if (row !== "rx1514" && row !== "tx1514") return peers;
  for (const [driver, costs] of Object.entries(PEERS[chip])) {
    if (costs[row]) peers[driver] = costs[row];
  }
  return peers;
}

/** Counts the bytes of the driver's whole path on the model's bus. */
export async function countSpi(onStep: (what: string) => void): Promise<SpiResult> {
  const result: Partial<SpiResult> = {};
  for (const chip of ["w5500", "enc28j60"] as const) {
    onStep(`${chip}: counting on the model's bus`);
    const bench = await start(chip);
    result[chip] = beside(chip, {
      rx1514: received(bench, chip, FRAME, 1),
      rxBatch4PerFrame: received(bench, chip, FRAME, BATCH[chip]),
      tx1514: sent(bench, chip, FRAME),
      rx60: received(bench, chip, SHORT, 1),
      tx60: sent(bench, chip, SHORT),
      idlePollPerSecond: idle(bench),
    });
  }
  return result as SpiResult;
}

const TITLES: Record<string, string> = {
  rx1514: "receive 1,514 B",
  rxBatch4PerFrame: "each of 4 (ENC28J60: 3) that wait",
  tx1514: "send 1,514 B",
  rx60: "receive 60 B",
  tx60: "send 60 B",
  idlePollPerSecond: "idle, a second",
};

const show = ({ bytes, transactions }: BusCost): string =>
  `${Number(bytes.toFixed(1)).toLocaleString("en-US")} / ${Number(transactions.toFixed(2))}`;

function showPeer(peer: PeerCost | undefined): string {
  if (!peer) return "-";
  if (!peer.eachPoll) return show(peer);
  return `${show(peer)}, a poll ${show(peer.eachPoll)} more`;
}

/** The result for people: bytes / transactions. */
export function printSpi(result: SpiResult): string {
  const parts = Object.entries(result).map(([chip, rows]) =>
    [
      table(
        [`${chip}: bytes / chip selects`, "as-tcpip", "floor of the protocol"],
        Object.entries(rows).map(([name, row]) => [
          TITLES[name] ?? name,
          show(row),
          row.floor ? show(row.floor) : "-",
        ]),
      ),
      table(
        ["others, 1,514 B", "receive", "send"],
        Object.entries(PEERS[chip as ChipName]).map(([driver, { rx1514, tx1514 }]) => [
          driver,
          showPeer(rx1514),
          showPeer(tx1514),
        ]),
      ),
    ].join("\n\n"),
  );
  return parts.join("\n\n");
}

/** Bars for the chart: bytes of both chips, one group a frame. */
export function chartSpi(result: SpiResult): BarGroup[] {
  return ["rx1514", "rxBatch4PerFrame", "tx1514", "rx60", "tx60"].map((name) => ({
    label: name.replace("Batch4PerFrame", "1514 of 4"),
    bars: (["w5500", "enc28j60"] as const).map((chip) => result[chip][name]?.bytes ?? 0),
  }));
}
