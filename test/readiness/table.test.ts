/**
 * Ready means ready: each event ends each call that waits for it within a millisecond of simulated time after its frame was
 * sent, on both chips, with and without a timeout of the call; it is never found by a tick.
 */
import test, { type ExecutionContext } from "ava";
import {
  Lan,
  wire,
  type Device,
  type FrameBuilder,
  type Station,
} from "../../host-tools/testing/index.js";

const { ACK, FIN, PSH, RST, SYN } = wire.TCP;
const [POLLIN, POLLOUT, POLLERR, POLLHUP] = [1, 4, 8, 16];
const [EAGAIN, ECONNRESET, ECONNREFUSED] = [-11, -104, -111];
const CONTROL_PORT = 5000;
const PEER_PORT = 4000;
/** Longest time from an event to the return of the call. */
const AT_ONCE_MS = 1;
/** The call has waited this long when its event comes: no multiple of any period of the drivers. */
const ASLEEP_MS = 137;
/** Timeout of the calls that have one (test/device/waits). */
const TIMEOUT_MS = 30_000;

const CALLS = [
  "accept",
  "connect",
  "recv",
  "send",
  "recvfrom",
  "recv of a connected datagram socket",
  "sendto",
] as const;
type Call = (typeof CALLS)[number];

/** A connection from the test's hand. */
interface Ends {
  port: number;
  /** Port of the device. */
  device: number;
  seq: number;
  ack: number;
}

class Bench {
  private port = 10_000;

  private constructor(
    readonly lan: Lan,
    readonly device: Device,
    /** Gives the orders; its address is known to the device. */
    readonly control: Station,
    /** The other end of the calls. */
    readonly peer: Station,
  ) {}

  static async create(board: string): Promise<Bench> {
    const lan = new Lan();
    // Without a slot for a packet that waits for ARP, sendto itself has to wait.
    const device = await lan.device({
      app: "test/device/waits",
      board,
      options: { ARP_PENDING_BYTES: 0 },
    });
    await device.ready();
    const control = lan.station();
    const peer = lan.station(undefined, "02:aa:00:00:00:02");
    return new Bench(lan, device, control, peer);
  }

  get to(): FrameBuilder {
    return this.peer.to(this.device);
  }

  segment(
    ends: Ends,
    flags: number,
    data: Uint8Array = new Uint8Array(0),
    window = 65535,
  ): Uint8Array {
    const frame = this.to.tcp(
      {
        sourcePort: ends.port,
        destinationPort: ends.device,
        seq: ends.seq,
        ack: ends.ack,
        flags,
        window,
      },
      data,
    );
    ends.seq += data.length + ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
    return frame;
  }

  /** SYN and SYN-ACK; the last ACK of the handshake is the caller's. */
  async half(window = 65535): Promise<Ends> {
    this.peer.send(this.to.arpRequest());
    const ends = { port: this.port++, device: 80, seq: 1000, ack: 0 };
    this.peer.send(this.segment(ends, SYN, undefined, window));
    const answer = await this.peer.expect(
      ({ tcp }) => tcp?.flags === (SYN | ACK) && tcp.destinationPort === ends.port,
    );
    ends.ack = (answer.tcp?.seq ?? 0) + 1;
    return ends;
  }

  async open(window?: number): Promise<Ends> {
    const ends = await this.half(window);
    this.peer.send(this.segment(ends, ACK, undefined, window));
    return ends;
  }

  /** Orders a call and returns when it is about to wait. */
  async order(call: Call, polled: boolean, timeout: boolean): Promise<void> {
    this.device.log.length = 0;
    const address = wire.be32(wire.ip(this.peer.address));
    const order = wire.concat([CALLS.indexOf(call), Number(polled), Number(timeout), 0], address);
    const ports = { sourcePort: 9000, destinationPort: CONTROL_PORT };
    this.control.send(this.control.to(this.device).arpRequest());
    this.control.send(this.control.to(this.device).udp(ports, order));
    await this.control.expect(
      ({ udp }) => udp?.destinationPort === 9000,
      "the answer to the order",
    );
  }

  /** What the call gave, and how long after `sinceMs` it returned. */
  async outcome(sinceMs: number): Promise<{ result: number; afterMs: number }> {
    await this.device.logged(/^call/);
    const line = this.device.log.find(({ text }) => text.startsWith("call"));
    if (!line) throw new Error("no log line");
    return { result: Number(/gives (-?\d+)/.exec(line.text)?.[1]), afterMs: line.timeMs - sinceMs };
  }

  get nowMs(): number {
    return this.lan.clock.nowNs / 1e6;
  }
}

/** One event: what comes before the call, the frame that ends it, and what call and poll give then. */
interface Row {
  call: Call;
  event: string;
  before?: (bench: Bench) => Promise<Ends | undefined>;
  /** Once the call waits: gives the frame that is the event. */
  event_: (bench: Bench, ends: Ends) => Promise<Uint8Array> | Uint8Array;
  result: number;
  polled: number;
}

const TEXT = wire.pattern(100);
const connected = (bench: Bench): Promise<Ends> => bench.open();
const stalled = (bench: Bench): Promise<Ends> => bench.open(0);

/** Our SYN has come: the ends of that connection. */
async function called(bench: Bench): Promise<Ends> {
  const { tcp } = await bench.peer.expect(({ tcp }) => tcp?.flags === SYN, "the SYN");
  return { port: PEER_PORT, device: tcp?.sourcePort ?? 0, seq: 5000, ack: (tcp?.seq ?? 0) + 1 };
}

/** What an ICMP error quotes of the latest packet of the device that fits. */
async function quoted(bench: Bench, protocol: number): Promise<Uint8Array> {
  const { bytes } = await bench.peer.expect(
    ({ ip }) => ip?.protocol === protocol,
    "a packet to quote",
  );
  return bytes.slice(14, 14 + 28);
}

const PORT_UNREACHABLE = { type: 3, code: 3, rest: 0 };

const ROWS: Row[] = [
  {
    call: "accept",
    event: "the last ACK of a handshake",
    before: (bench) => bench.half(),
    event_: (bench, ends) => bench.segment(ends, ACK),
    result: 0,
    polled: POLLIN,
  },
  {
    call: "connect",
    event: "SYN-ACK",
    event_: async (bench) => bench.segment(await called(bench), SYN | ACK),
    result: 0,
    polled: POLLOUT,
  },
  {
    call: "connect",
    event: "RST",
    event_: async (bench) => bench.segment(await called(bench), RST | ACK),
    result: ECONNREFUSED,
    polled: POLLOUT | POLLERR | POLLHUP,
  },
  {
    call: "connect",
    event: "port unreachable",
    event_: async (bench) =>
      bench.to.icmp(PORT_UNREACHABLE, await quoted(bench, wire.PROTOCOL.TCP)),
    result: ECONNREFUSED,
    polled: POLLOUT | POLLERR | POLLHUP,
  },
  {
    call: "recv",
    event: "text",
    before: connected,
    event_: (bench, ends) => bench.segment(ends, ACK | PSH, TEXT),
    result: 100,
    polled: POLLIN,
  },
  {
    call: "recv",
    event: "FIN",
    before: connected,
    event_: (bench, ends) => bench.segment(ends, ACK | FIN),
    result: 0,
    polled: POLLIN,
  },
  {
    call: "recv",
    event: "RST",
    before: connected,
    event_: (bench, ends) => bench.segment(ends, RST | ACK),
    result: ECONNRESET,
    polled: POLLIN | POLLERR | POLLHUP,
  },
  {
    call: "send",
    event: "an ACK that makes room",
    before: connected,
    event_: async (bench, ends) => {
      // The initial window: four segments of 536 bytes, a quarter of the ring.
      for (let i = 0; i < 4; i++) {
        const { tcp } = await bench.peer.expect(
          ({ tcp }) => tcp?.destinationPort === ends.port && tcp.data.length > 0,
          "text of this connection",
        );
        ends.ack = (tcp?.seq ?? 0) + (tcp?.data.length ?? 0);
      }
      return bench.segment(ends, ACK);
    },
    result: 1,
    polled: POLLOUT,
  },
  {
    call: "send",
    event: "RST",
    before: stalled,
    event_: (bench, ends) => bench.segment(ends, RST | ACK),
    result: ECONNRESET,
    polled: POLLOUT | POLLERR | POLLHUP,
  },
  {
    call: "recvfrom",
    event: "a datagram",
    event_: (bench) => bench.to.udp({ sourcePort: PEER_PORT, destinationPort: 9 }, TEXT),
    result: 100,
    polled: POLLIN,
  },
  {
    call: "recv of a connected datagram socket",
    event: "a datagram",
    event_: (bench) => bench.to.udp({ sourcePort: PEER_PORT, destinationPort: 9 }, TEXT),
    result: 100,
    polled: POLLIN,
  },
  {
    call: "recv of a connected datagram socket",
    event: "port unreachable",
    event_: (bench) => bench.to.icmp(PORT_UNREACHABLE, bench.device && quoteOf(bench)),
    result: ECONNREFUSED,
    polled: POLLERR,
  },
  {
    call: "sendto",
    event: "the neighbour's answer",
    before: async (bench) => {
      bench.peer.answersArp = false;
      return Promise.resolve(undefined);
    },
    event_: async (bench) => {
      await bench.peer.expect(({ arp }) => arp?.operation === 1, "the question for the neighbour");
      return bench.to.arpReply();
    },
    result: 4,
    polled: POLLOUT,
  },
];

/** What the device would have sent from its datagram socket to the peer. */
function quoteOf(bench: Bench): Uint8Array {
  const { device, peer } = bench;
  const data = wire.udpDatagram(
    {
      source: device.addressNumber,
      destination: wire.ip(peer.address),
      sourcePort: 9,
      destinationPort: PEER_PORT,
    },
    new Uint8Array(4),
  );
  const packet = wire.ipv4Packet(
    {
      source: device.addressNumber,
      destination: wire.ip(peer.address),
      protocol: wire.PROTOCOL.UDP,
    },
    data,
  );
  return packet.slice(0, 28);
}

async function run(t: ExecutionContext, board: string, row: Row): Promise<void> {
  const bench = await Bench.create(board);
  for (const polled of [false, true]) {
    for (const timeout of [false, true]) {
      const ends = await row.before?.(bench);
      await bench.order(row.call, polled, timeout);
      const frame = await row.event_(bench, ends as Ends);
      await bench.lan.sleep(ASLEEP_MS);
      const sinceMs = bench.nowMs;
      bench.peer.send(frame);
      const { result, afterMs } = await bench.outcome(sinceMs);
      const words = `${polled ? "poll, then " : ""}${row.call}${timeout ? " with a timeout" : ""}`;
      t.is(result, polled ? row.polled : row.result, words);
      t.true(afterMs <= AT_ONCE_MS, `${words}: ${afterMs} ms`);
    }
  }
  bench.lan.close();
}

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  for (const row of ROWS)
    test(`${board}: ${row.event} ends ${row.call} at once`, (t) => run(t, board, row));
  test(`${board}: a call whose timeout passes returns then`, async (t) => {
    const bench = await Bench.create(board);
    await bench.order("recvfrom", false, true);
    const { result, afterMs } = await bench.outcome(bench.nowMs);
    t.is(result, EAGAIN);
    t.true(Math.abs(afterMs - TIMEOUT_MS) <= 2, `${afterMs} ms`);
    bench.lan.close();
  });
}
