import { FIN, PeerConnection, RST, SYN, arpRequest, datagram, echoRequest } from "./peer.js";
import { WAITING, compileBench } from "./wasm-subject.js";
import { Recorder, type Recording, type Subject } from "./recorder.js";

const MSS = 1460;
const SMALL = 64;

/** Options of the build for the demultiplexing workloads: very many connections, the smallest rings that hold a message. */
const SMALL_RINGS = {
  TCP_SYN_RECORDS: 4,
  TCP_TIME_WAIT_RECORDS: 4,
  TCP_RX_BYTES: 256,
  TCP_TX_BYTES: 128,
  UDP_RX_BYTES: 1024,
};
const MANY = { ...SMALL_RINGS, SOCKETS: 254, TCP_TCBS: 80 };
const MORE = { ...SMALL_RINGS, SOCKETS: 270, TCP_TCBS: 260 };

/** Options of a build for many connections. */
export type ManyOptions = typeof MANY;

/** The most connections that the stack can be built for, up to what g256 needs; tells why it is left out. */
export async function manyOptions(onStep: (what: string) => void): Promise<ManyOptions> {
  try {
    await compileBench(MORE);
    return MORE;
  } catch (error) {
    const text = String(error instanceof Error ? error.message : error);
    const why = /AS\d+: (.*)/.exec(text)?.[1] ?? text.split("\n")[0];
    onStep(`g256 is left out: the stack cannot be built for ${MORE.TCP_TCBS} connections: ${why}`);
    return MANY;
  }
}

/** Opens a connection to a port of the stack. */
function connect(recorder: Recorder, port: number, stamped = false): PeerConnection {
  const peer = new PeerConnection(port, stamped);
  recorder.connections.push(peer);
  recorder.give(peer.syn());
  if ((peer.bits & SYN) === 0) throw new Error(`the stack does not answer a SYN to port ${port}`);
  recorder.give(peer.ack());
  return peer;
}

/** a, a2, aBorrow: the stack receives, the application takes it by recv() or where it lies. */
function receive(recorder: Recorder, name: string, bytes: number, units: number): void {
  const peer = connect(recorder, 9);
  for (let i = 0; i < 20; i++) recorder.give(peer.data(bytes));
  recorder.measure(name, units, () => {
    for (let i = 0; i < units; i++) recorder.give(peer.data(bytes));
  });
  recorder.give(peer.reset());
}

/** b, b2: the stack sends; one acknowledgment for two segments. */
function send(recorder: Recorder, name: string, zeroCopy: boolean, units: number): void {
  recorder.choose(zeroCopy, false);
  const peer = connect(recorder, 19);
  for (let i = 0; i < 10; i++) recorder.give(peer.ack());
  const before = peer.received;
  recorder.measure(name, units, () => {
    for (let i = 0; i < units / 2; i++) recorder.give(peer.ack());
  });
  if (peer.received - before !== units * MSS)
    throw new Error(`${name}: the stack has sent ${peer.received - before} bytes`);
  recorder.give(peer.reset());
}

/** c: a message and its echo. */
function echo(recorder: Recorder, units: number): void {
  const peer = connect(recorder, 7);
  for (let i = 0; i < 10; i++) recorder.give(peer.data(SMALL));
  const before = peer.received;
  recorder.measure("c", units, () => {
    for (let i = 0; i < units; i++) recorder.give(peer.data(SMALL));
  });
  if (peer.received - before !== units * SMALL) throw new Error("c: an echo is missing");
  recorder.give(peer.reset());
}

/** d, e: datagrams and pings, one warm-up. */
function answered(
  recorder: Recorder,
  name: string,
  units: number,
  frames: (i: number) => Uint8Array,
): void {
  recorder.give(frames(0));
  recorder.measure(name, units, () => {
    for (let i = 1; i <= units; i++) {
      const sent = recorder.give(frames(i));
      if (sent.length !== 1) throw new Error(`${name}: ${sent.length} answers`);
    }
  });
}

/** f, f2: connect, 100 bytes of request, 1,024 of answer, close. */
function transaction(recorder: Recorder, closes: boolean, stamped: boolean): void {
  const peer = connect(recorder, 80, stamped);
  recorder.give(peer.data(100));
  if (peer.received !== 1024) throw new Error("f: the answer is not whole");
  if (closes && !(peer.bits & FIN)) throw new Error("f2: the stack does not close");
  recorder.give(peer.ack());
  recorder.give(peer.fin());
  if (!closes) {
    if (!(peer.bits & FIN)) throw new Error("f: the stack does not close");
    recorder.give(peer.ack());
  }
  if (peer.bits & RST) throw new Error("the stack resets a transaction");
  recorder.connections.length = 0;
}

function transactions(
  recorder: Recorder,
  name: string,
  closes: boolean,
  units: number,
  warm = 16,
  stamped = false,
): void {
  recorder.choose(true, closes);
  for (let i = 0; i < warm; i++) transaction(recorder, closes, stamped);
  recorder.measure(name, units, () => {
    for (let i = 0; i < units; i++) transaction(recorder, closes, stamped);
  });
}

/** Segments, messages, datagrams counted; half as many transactions. */
export const UNITS = 100;

/** Workloads a to f and arp, on our stack or another; `closes` are the transactions of f2, those before the count included. */
export async function recordMain(
  units = UNITS,
  subject?: Subject,
  closes?: number,
): Promise<Recording> {
  const recorder = await Recorder.start(undefined, subject);
  receive(recorder, "a", MSS, units);
  recorder.rest();
  receive(recorder, "a2", SMALL, units);
  recorder.rest();
  send(recorder, "b", false, units);
  recorder.rest();
  send(recorder, "b2", true, units);
  recorder.rest();
  echo(recorder, units);
  recorder.rest();
  answered(recorder, "d64", units, () => datagram(64));
  answered(recorder, "d1400", units, () => datagram(1400));
  answered(recorder, "e64", units, (i) => echoRequest(i, 64));
  answered(recorder, "e1400", units, (i) => echoRequest(i, 1400));
  // ARP replies are rationed, and a measured stretch is without time: fewer than the ration.
  answered(recorder, "arp", 20, () => arpRequest());
  recorder.rest();
  transactions(recorder, "f", false, units / 2);
  recorder.rest();
  if (closes === undefined) transactions(recorder, "f2", true, units / 2);
  else transactions(recorder, "f2", true, closes / 2, closes / 2);
  if (subject === undefined) {
    // Workloads of our own, which the peers have already (a, taken where it lies) or not. Last, so that those before them stay as they are.
    recorder.rest();
    recorder.choose(false, false, true);
    receive(recorder, "aBorrow", MSS, units);
    recorder.rest();
    transactions(recorder, "fTs", false, units / 2, 16, true);
  }
  return recorder.finish();
}

/**
 * Workload g: 64-byte segments to k connections in turn, as many as the build has records for; and r: to two of them while
 * the others are open and silent.
 */
export async function recordMany(
  options: Partial<ManyOptions> & Pick<ManyOptions, "TCP_TCBS">,
  subject?: Subject,
): Promise<Recording> {
  const recorder = await Recorder.start(options, subject);
  for (const k of [1, 8, 64, 256]) {
    if (k > options.TCP_TCBS) break;
    const peers = Array.from({ length: k }, () => connect(recorder, 9));
    const units = k === 256 ? 512 : 256;
    const segments = (count: number): void => {
      for (let i = 0; i < count; i++) recorder.give((peers[i % k] as PeerConnection).data(SMALL));
    };
    segments(k === 1 ? 20 : k);
    recorder.measure(`g${k}`, units, () => segments(units));
    if (k > 1) {
      const two = [peers[0], peers.at(-1)] as [PeerConnection, PeerConnection];
      recorder.measure(`r${k}`, units, () => {
        for (let i = 0; i < units; i++) recorder.give((two[i & 1] as PeerConnection).data(SMALL));
      });
    }
    if (peers.some(({ bits }) => bits & RST))
      throw new Error(`g${k}: not all connections are open`);
    for (const peer of peers) recorder.give(peer.reset());
    recorder.rest();
  }
  return recorder.finish();
}

/** What the turns of the program that waits do (firmware/bench/waiting). */
function wait(recorder: Recorder, how: "input" | "epoll" | "poll" | "read"): void {
  recorder.choose(false, how === "epoll" || how === "read", how === "poll" || how === "read");
}

/** Workload w: one epollWait(), and one poll(), when two of k connections have text, the first and the last. */
export async function recordWaiting(options: Partial<ManyOptions>): Promise<Recording> {
  const recorder = await Recorder.start(options, undefined, WAITING);
  for (const k of [16, 256]) {
    if (k > (options.TCP_TCBS ?? 0)) break;
    wait(recorder, "input");
    const peers = Array.from({ length: k }, () => connect(recorder, 9));
    for (const how of ["epoll", "poll"] as const) {
      // Once without a count, so that all that is done once has been done.
      for (const name of ["", `${how}${k}`]) {
        wait(recorder, "read");
        recorder.turn();
        wait(recorder, "input");
        for (const peer of [peers[0], peers.at(-1)])
          recorder.give((peer as PeerConnection).data(SMALL));
        wait(recorder, how);
        if (name === "") recorder.turn();
        else recorder.measure(name, 1, () => void recorder.turn());
      }
    }
    wait(recorder, "input");
    for (const peer of peers) recorder.give(peer.reset());
    wait(recorder, "read");
    recorder.turn();
    wait(recorder, "input");
    recorder.rest();
  }
  return recorder.finish();
}
