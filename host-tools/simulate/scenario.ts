import { UserError } from "../errors.js";
import { parseJson } from "../project/read-file.js";
import { Random } from "../sim/random.js";
import type { Options } from "../../stack/options.js";
import type { Troubles } from "./link.js";

/** Builds of the stack that are simulated: sizes from one small segment to many, and one without the newer options of TCP. The big one is NewReno's. */
export const BUILDS = {
  tight: {
    SOCKETS: 8,
    UDP_SOCKETS: 3,
    TCP_TCBS: 3,
    TCP_SYN_RECORDS: 4,
    TCP_TIME_WAIT_RECORDS: 4,
    TCP_RX_BYTES: 1024,
    TCP_TX_BYTES: 1024,
    TCP_TIMESTAMPS: 0,
    TCP_URGENT: 0,
    IP_REASSEMBLY_SLOTS: 0,
  },
  big: {
    SOCKETS: 48,
    TCP_TCBS: 40,
    TCP_RX_BYTES: 32768,
    TCP_TX_BYTES: 32768,
    TCP_CUBIC: 0,
    TCP_ECN: 1,
  },
  middle: { SOCKETS: 16, TCP_TCBS: 12, TCP_RX_BYTES: 4096, TCP_TX_BYTES: 8192, TCP_PRR: 1 },
  plain: {
    SOCKETS: 16,
    TCP_TCBS: 8,
    TCP_SACK: 0,
    TCP_WINDOW_SCALE: 0,
    TCP_RX_BYTES: 4096,
    TCP_TX_BYTES: 2048,
  },
} as const satisfies Record<string, Partial<Options>>;

export type Build = keyof typeof BUILDS;

/** What is wrong besides the link. */
export interface Mishaps {
  /** An instance starts anew, all memory lost. */
  reboot?: { atMs: number; side: 0 | 1 };
  /** The millisecond clocks wrap so long after the start. */
  clockWrap?: { afterMs: number; side: 0 | 1 | 2 };
  /** The first connection's sequence numbers wrap so many bytes after its start, in both directions. */
  sequenceWrap?: { afterBytes: number };
  /** A reader takes so many bytes at a time, with a pause after each. */
  slowReader?: { side: 0 | 1; bytes: number; everyMs: number };
  /** The client resets its connections after so many bytes. */
  abort?: { afterBytes: number };
  /** So many bytes a `send()`. */
  smallWrites?: { bytes: number };
}

/** One run: everything follows from these values. */
export interface Scenario {
  seed: number;
  build: Build;
  connections: number;
  /** Bytes that the client sends on each connection, and the server. */
  bytes: [number, number];
  link: Troubles;
  mishaps: Mishaps;
}

/**
 * A scenario as a failure has printed it (`--replay`).
 *
 * @throws UserError when the text is none.
 */
export function readScenario(text: string): Scenario {
  const { seed, build, connections, bytes, link, mishaps } = (parseJson(text, "--replay") ??
    {}) as Partial<Scenario>;
  const whole = [seed, connections, ...(Array.isArray(bytes) ? bytes : [])];
  const good = whole.length === 4 && whole.every((n) => Number.isInteger(n) && Number(n) >= 0);
  if (
    !good ||
    build === undefined ||
    !Object.hasOwn(BUILDS, build) ||
    !isRecord(link) ||
    !isRecord(mishaps)
  ) {
    throw new UserError("--replay needs the line of JSON that a failure has printed, whole");
  }
  return { seed, build, connections, bytes, link, mishaps } as Scenario;
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** A trouble by its name, and how it is drawn. */
type Draw = (random: Random, scenario: Scenario) => void;

/** An instant at which most transfers are under way: they begin at 2.5 s, and the longer ones take some seconds. */
function soon(random: Random): number {
  return 2500 + Math.floor(random.fraction() ** 3 * 4000);
}

function side(random: Random): 0 | 1 {
  return random.chance(0.5) ? 1 : 0;
}

const LINK_TROUBLES: Record<string, Draw> = {
  loss: (random, { link }) => {
    link.lossPercent = [0.5, 1, 2, 5, 10, 20, 30][random.below(7)] as number;
  },
  burst: (random, { link }) => {
    link.burst = { percent: 0.2 + random.fraction() * 3, ms: 1 + random.below(400) };
  },
  jitter: (random, { link }) => {
    link.jitterMs = 1 + random.below(60);
  },
  reorder: (random, { link }) => {
    link.reorderPercent = 1 + random.below(30);
  },
  duplicate: (random, { link }) => {
    link.duplicatePercent = 1 + random.below(30);
  },
  corrupt: (random, { link }) => {
    link.corruptPercent = 1 + random.below(10);
  },
  rate: (random, { link }) => {
    const bitsPerSecond = 100_000 * 2 ** random.below(8);
    link.rate = { bitsPerSecond, queueBytes: 1514 * (1 + random.below(16)) };
  },
  mtu: (random, { link }) => {
    const bytes = 576 + random.below(900);
    link.mtu = { atMs: soon(random), bytes, silent: random.chance(0.2) };
  },
  outage: (random, { link }) => {
    const ms = random.chance(0.8) ? random.below(20_000) : 60_000 + random.below(200_000);
    link.outage = { atMs: soon(random), ms, direction: side(random) };
  },
};

const MISHAPS: Record<string, Draw> = {
  reboot: (random, { mishaps }) => {
    mishaps.reboot = { atMs: soon(random), side: side(random) };
  },
  clockWrap: (random, { mishaps }) => {
    mishaps.clockWrap = { afterMs: soon(random) - 2500, side: random.below(3) as 0 | 1 | 2 };
  },
  sequenceWrap: (random, { mishaps }) => {
    mishaps.sequenceWrap = { afterBytes: random.below(20_000) };
  },
  slowReader: (random, { mishaps }) => {
    const bytes = 1 + random.below(random.chance(0.5) ? 100 : 2000);
    mishaps.slowReader = { side: side(random), bytes, everyMs: 1 + random.below(40) };
  },
  abort: (random, { mishaps, bytes }) => {
    mishaps.abort = { afterBytes: random.below(bytes[0] + 1) };
  },
  smallWrites: (random, { mishaps }) => {
    mishaps.smallWrites = { bytes: 1 + random.below(400) };
  },
};

/** How many runs of a hundred have a trouble. */
const SHARES: Record<string, number> = {
  loss: 40,
  burst: 15,
  jitter: 25,
  reorder: 25,
  duplicate: 15,
  corrupt: 15,
  rate: 15,
  mtu: 12,
  outage: 8,
  reboot: 6,
  clockWrap: 20,
  sequenceWrap: 20,
  slowReader: 15,
  abort: 5,
  smallWrites: 20,
};

const TROUBLES: Record<string, Draw> = { ...LINK_TROUBLES, ...MISHAPS };

/** Names for `--scenario`: all mixed, or one trouble in every run and no other. */
export const SCENARIOS = ["mixed", ...Object.keys(TROUBLES)];

/** Draws a run by its number. */
export function drawScenario(
  seed: number,
  run: number,
  name = "mixed",
  builds: readonly Build[] = Object.keys(BUILDS) as Build[],
): Scenario {
  const random = new Random(Math.imul(seed, 0x9e37_79b1) + Math.imul(run + 1, 0x85eb_ca6b));
  for (let i = 0; i < 3; i++) random.u32();
  const scenario: Scenario = {
    seed: random.u32() >>> 8,
    build: builds[random.below(builds.length)] as Build,
    connections: 1,
    bytes: [amount(random), amount(random)],
    link: { delayMs: [0, 1, 5, 20, 50, 100][random.below(6)] as number },
    mishaps: {},
  };
  if (scenario.build !== "tight" && random.chance(0.4)) scenario.connections += random.below(4);
  if (scenario.build === "tight")
    scenario.bytes = scenario.bytes.map((n) => n >> 2) as typeof scenario.bytes;
  for (const [trouble, draw] of Object.entries(TROUBLES)) {
    const own = random.fork();
    if (name === "mixed" ? own.below(100) < (SHARES[trouble] as number) : trouble === name)
      draw(own, scenario);
  }
  limitSlowness(scenario);
  return scenario;
}

function amount(random: Random): number {
  if (random.chance(0.1)) return 0;
  const most = [100, 4096, 20_000, 65_536][random.below(4)] as number;
  return 1 + random.below(most);
}

/** A slow reader needs no more than half a minute for all, and little writes are not too many. */
function limitSlowness({ bytes, mishaps, connections }: Scenario): void {
  const { slowReader, smallWrites } = mishaps;
  if (slowReader) {
    const { everyMs, bytes: each } = slowReader;
    const from = slowReader.side === 0 ? 1 : 0;
    bytes[from] = Math.min(bytes[from], Math.floor(30_000 / everyMs) * each, 1500 * each);
  }
  if (smallWrites) {
    for (const from of [0, 1]) {
      const most = Math.floor((1500 * smallWrites.bytes) / connections);
      bytes[from] = Math.min(bytes[from] as number, most);
    }
  }
}

/** True when a connection may end with an error, and not only with all of its data. */
export function mayFail({ link, mishaps, build, connections }: Scenario): boolean {
  const { lossPercent = 0, mtu, outage, corruptPercent = 0 } = link;
  return (
    lossPercent + corruptPercent >= 15 ||
    mtu?.silent === true ||
    (outage !== undefined && outage.ms > 30_000) ||
    mishaps.reboot !== undefined ||
    mishaps.abort !== undefined ||
    connections >= BUILDS[build].TCP_TCBS
  );
}

/** Forms of a scenario with one thing less, the most telling first. */
export function simpler(scenario: Scenario): Scenario[] {
  const forms: Scenario[] = [];
  const change = (edit: (copy: Scenario) => void): void => {
    const copy = structuredClone(scenario);
    edit(copy);
    if (JSON.stringify(copy) !== JSON.stringify(scenario)) forms.push(copy);
  };
  for (const name of Object.keys(scenario.link))
    change(({ link }) => delete link[name as keyof Troubles]);
  for (const name of Object.keys(scenario.mishaps))
    change(({ mishaps }) => delete mishaps[name as keyof Mishaps]);
  change((copy) => (copy.connections = 1));
  for (const from of [0, 1]) {
    change(({ bytes }) => (bytes[from] = 0));
    change(({ bytes }) => (bytes[from] = (bytes[from] as number) >> 1));
  }
  change((copy) => (copy.build = "big"));
  return forms;
}
