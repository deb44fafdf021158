import type { Firmware } from "../build/compile.js";
import { hostedFirmware } from "../net/hosted-stack.js";
import { ECONNREFUSED, ECONNRESET, EHOSTUNREACH, EPIPE, ETIMEDOUT } from "../../stack/errors.js";
import { SO_REUSEADDR } from "../../stack/posix.js";
import { Random } from "../sim/random.js";
import { End, openSocket, type Manner } from "./end.js";
import { ADDRESSES, Pair, type Tap } from "./pair.js";
import { describeRule } from "./rules.js";
import { BUILDS, mayFail, type Build, type Scenario } from "./scenario.js";
import { Violation } from "./violation.js";
import { WireWatch, parse } from "./wire-watch.js";

const PORT = 7;
/** Client ports: first, and those of the connection that proves that the link is well again. */
const FIRST_PORT = 40_000;
const PROBE_PORT = 50_000;
/** Addresses are probed and told by then. */
const SETTLE_MS = 2500;
/** Something moves within this time, or the wait has ended. */
const PATIENCE_MS = 900_000;
/** Twice the lifetime of a segment, orphans, half-open records: then all tables are empty. */
const LEVEL_MS = 500_000;

/** What the connection after the troubles carries. */
const PROBE = [new Uint8Array(700).fill(1), new Uint8Array(900).fill(2)] as const;

/** What may end a connection when its peer or the path is gone; EHOSTUNREACH: ARP asks three times, with loss that may be in vain. */
const ERRORS: number[] = [EPIPE, ECONNRESET, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH];

/** What a run came to. */
export interface Outcome {
  scenario: Scenario;
  /** What was wrong; undefined when nothing was. */
  violation?: Violation;
  /** Connections that ended with all data, and those that ended with an error. */
  whole: number;
  failed: number;
  frames: number;
  simulatedMs: number;
}

const firmwares = new Map<Build, Promise<Firmware>>();

/** The stack of a build. */
export function firmwareOf(build: Build): Promise<Firmware> {
  let firmware = firmwares.get(build);
  if (!firmware) {
    firmware = hostedFirmware(BUILDS[build]);
    firmwares.set(build, firmware);
  }
  return firmware;
}

/** Runs a scenario; `onFrame` sees all that is sent and taken. */
export function runScenario(firmware: Firmware, scenario: Scenario, onFrame?: Tap): Outcome {
  const outcome: Outcome = { scenario, whole: 0, failed: 0, frames: 0, simulatedMs: 0 };
  const run = new Run(firmware, scenario, onFrame);
  try {
    run.all();
  } catch (error) {
    outcome.violation =
      error instanceof Violation ? error : new Violation("no trap", String(error));
  }
  run.pair.close();
  for (const { result } of run.ends) {
    if (result === 0) outcome.whole++;
    else outcome.failed++;
  }
  outcome.frames = run.pair.links[0].sent + run.pair.links[1].sent;
  outcome.simulatedMs = run.pair.nowMs;
  return outcome;
}

class Run {
  readonly pair: Pair;
  /** Those that have to come to an end. */
  ends: End[] = [];
  private readonly watch = new WireWatch();
  private readonly data: [Uint8Array, Uint8Array][] = [];
  private listener = -1;
  private probes: End[] = [];
  private sides: [End[], End[]] = [[], []];

  constructor(
    firmware: Firmware,
    private readonly scenario: Scenario,
    onFrame?: Tap,
  ) {
    const { seed, link, connections, bytes } = scenario;
    const random = new Random(seed);
    for (let i = 0; i < connections; i++)
      this.data.push([noise(random, bytes[0]), noise(random, bytes[1])]);
    const tap: Tap = (event, side, frame, nowNs) => {
      onFrame?.(event, side, frame, nowNs);
      if (event === "sent") this.watch.sent(side, frame);
      else this.watch.taken(side, frame);
    };
    const startMs = startOf(firmware, scenario);
    this.pair = new Pair({
      firmware,
      seed,
      troubles: { delayMs: link.delayMs ?? 0 },
      startMs,
      onFrame: tap,
    });
  }

  all(): void {
    const { pair, scenario } = this;
    const { reboot } = scenario.mishaps;
    this.attend(0);
    this.attend(1);
    pair.until(() => false, SETTLE_MS);
    for (const link of pair.links) link.troubles = scenario.link;
    this.listen();
    let cancelReboot = (): void => undefined;
    if (reboot) {
      cancelReboot = pair.clock.schedule(Math.max(0, reboot.atMs - pair.nowMs) * 1e6, () =>
        this.reboot(reboot.side),
      );
    }
    for (let i = 0; i < scenario.connections; i++) this.connect(FIRST_PORT + i);
    this.wait("every wait of an application ends");
    cancelReboot();
    this.judge();
    this.recover();
    this.level();
  }

  /** After each burst of work of a stack: the rules, then its applications. */
  private attend(side: 0 | 1): void {
    this.pair.stacks[side].onProgress = () => {
      const stack = this.pair.stacks[side];
      const broken = describeRule(stack.brokenRule());
      if (broken !== undefined) throw new Violation("an invariant", `side ${side}: ${broken}`);
      if (side === 1) this.accept();
      for (const end of this.sides[side]) end.poll();
    };
  }

  private listen(): void {
    const [, server] = this.pair.stacks;
    this.listener = openSocket(server);
    server.setOption(this.listener, 1, SO_REUSEADDR, 1);
    check(server.bind(this.listener, 0, PORT), "bind");
    check(server.listen(this.listener, 8), "listen");
  }

  private accept(): void {
    if (this.listener < 0) return;
    const [, server] = this.pair.stacks;
    for (let fd = server.accept(this.listener); fd >= 0; fd = server.accept(this.listener)) {
      const port = server.peerPort(fd);
      const probe = port >= PROBE_PORT;
      const data = probe ? PROBE : this.data[port - FIRST_PORT];
      if (!data) throw new Violation("only peers are accepted", `port ${port}`);
      const end = new End(this.pair, server, fd, data[1], data[0], probe ? {} : this.manner(1));
      this.add(1, end, probe);
    }
  }

  private connect(port: number): void {
    const [client] = this.pair.stacks;
    const fd = openSocket(client);
    const probe = port >= PROBE_PORT;
    const [up, down] = (probe ? PROBE : this.data[port - FIRST_PORT]) as [Uint8Array, Uint8Array];
    const end = new End(this.pair, client, fd, up, down, probe ? {} : this.manner(0));
    check(client.bind(fd, 0, port), "bind");
    client.connect(fd, ADDRESSES[1], PORT);
    this.add(0, end, probe);
  }

  private add(side: 0 | 1, end: End, probe: boolean): void {
    this.sides[side].push(end);
    (probe ? this.probes : this.ends).push(end);
  }

  private manner(side: 0 | 1): Manner {
    const { slowReader, smallWrites, abort } = this.scenario.mishaps;
    return {
      read: slowReader?.side === side ? slowReader : undefined,
      writeBytes: smallWrites?.bytes,
      abortAfter: side === 0 ? abort?.afterBytes : undefined,
    };
  }

  private reboot(side: 0 | 1): void {
    const gone = new Set(this.sides[side]);
    this.ends = this.ends.filter((end) => !gone.has(end));
    this.sides[side] = [];
    this.watch.forget(side);
    this.listener = side === 1 ? -1 : this.listener;
    this.pair.reboot(side);
    if (side === 1) this.listen();
  }

  private wait(rule: string): void {
    const { outage, mtu } = this.scenario.link;
    const last = Math.max(outage ? outage.atMs + outage.ms : 0, mtu?.atMs ?? 0);
    const all = (): End[] => [...this.ends, ...this.probes];
    const open = (): End | undefined => all().find(({ result }) => result === undefined);
    const moved = (): number => all().reduce((sum, end) => sum + end.sent + end.received, 0);
    while (open()) {
      const before = moved();
      const more = this.pair.until(() => !open() || moved() !== before, last + PATIENCE_MS);
      if (more) continue;
      const { sent, received } = open() as End;
      throw new Violation(rule, `${sent} bytes sent, ${received} received`);
    }
  }

  private judge(): void {
    const { lossPercent, burst, corruptPercent, outage } = this.scenario.link;
    const asksInVain = [lossPercent, burst, corruptPercent, outage].some((it) => it !== undefined);
    for (const { result = 0, sent, received } of this.ends) {
      if (result === 0 || (result === EHOSTUNREACH && asksInVain)) continue;
      const detail = `errno ${result}, ${sent} bytes sent, ${received} received`;
      if (!ERRORS.includes(result)) throw new Violation("an error says what has happened", detail);
      if (!mayFail(this.scenario))
        throw new Violation("a link that heals loses no connection", detail);
    }
  }

  /** The link is well again: a new connection works. */
  private recover(): void {
    const { pair, scenario } = this;
    const { delayMs = 0 } = scenario.link;
    for (const link of pair.links) link.troubles = { delayMs };
    const works = (): boolean => this.probes.every(({ result }) => result === 0);
    for (let tries = 0; tries < 3; tries++) {
      // Records of connections that ended in trouble may still hold places; one more try comes later.
      this.probes = [];
      this.connect(PROBE_PORT + tries);
      this.wait("every wait after the troubles ends");
      if (this.probes.length === 2 && works()) return;
      pair.until(() => false, LEVEL_MS);
    }
    throw new Violation("after the troubles a connection works");
  }

  /** Everything is given back in the end. */
  private level(): void {
    const { pair } = this;
    pair.stacks[1].closeSocket(this.listener);
    const tables = (): number[] => pair.stacks.flatMap(({ inUse }) => Object.values(inUse));
    if (!pair.until(() => tables().every((used) => used === 0), LEVEL_MS))
      throw new Violation("tables come back to their level", JSON.stringify(tables()));
  }
}

function check(result: number, what: string): void {
  if (result < 0) throw new Violation("a call succeeds", `${what} gives ${result}`);
}

function noise(random: Random, bytes: number): Uint8Array {
  const data = new Uint8Array(bytes);
  random.fill(data);
  return data;
}

/** What the clocks show at the start, so that what must wrap wraps. */
function startOf(firmware: Firmware, scenario: Scenario): [number, number] {
  const { clockWrap, sequenceWrap } = scenario.mishaps;
  if (clockWrap) {
    const start = 2 ** 32 - SETTLE_MS - clockWrap.afterMs;
    return [clockWrap.side === 1 ? 0 : start, clockWrap.side === 0 ? 0 : start];
  }
  return sequenceWrap ? startBeforeWrap(firmware, scenario, sequenceWrap.afterBytes) : [0, 0];
}

/**
 * Initial sequence numbers grow by 250 a millisecond (RFC 6528 3): a handshake over a good link shows where they are, and so
 * when the clocks must begin for them to be just before their wrap.
 */
function startBeforeWrap(
  firmware: Firmware,
  scenario: Scenario,
  afterBytes: number,
): [number, number] {
  const first: [number, number] = [0, 0];
  const { delayMs = 0 } = scenario.link;
  const pair = new Pair({
    firmware,
    seed: scenario.seed,
    troubles: { delayMs },
    onFrame: (event, side, frame) => {
      const segment = event === "sent" ? parse(frame) : undefined;
      if (segment && (segment.flags & 2) !== 0) first[side] = segment.seq;
    },
  });
  pair.until(() => false, SETTLE_MS);
  const [client, server] = pair.stacks;
  const listener = server.socket(1);
  server.bind(listener, 0, PORT);
  server.listen(listener, 1);
  const fd = client.socket(1);
  client.bind(fd, 0, FIRST_PORT);
  client.connect(fd, ADDRESSES[1], PORT);
  pair.until(() => first[1] !== 0, 5 * (10 + delayMs));
  pair.close();
  return first.map((isn) => Math.round(((2 ** 32 - isn - afterBytes) >>> 0) / 250)) as typeof first;
}
