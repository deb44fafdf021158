/** The shorter way of plain packets (stack/ip/ipv4-plain.ts) and headers that stay (stack/link/headers.ts) change nothing but the cost. */
import test from "ava";
import { Random } from "../../host-tools/sim/random.js";
import { RandomFrames } from "../support/random-frames.js";
import { StackHarness } from "../support/stack-harness.js";
import type { Parsed } from "../support/wire-parse.js";
import { macBytes, pattern } from "../support/wire.js";
import type { Peer } from "../support/wire-peer.js";

const PORT = 7;
/** Of further sockets: two in one chain of the table, one that is connected to the first host. */
const OTHERS = [16, 24, 33];
const HOSTS = 5;

/** Everything that a stack shows after a step: frames to the byte, counters, what the application gets. */
interface Shown {
  frames: string[];
  counted: Record<string, number>;
  received: string;
}

class Side {
  private constructor(
    readonly stack: StackHarness,
    private readonly sockets: number[],
  ) {}

  static async start(fast: boolean, raw: boolean): Promise<Side> {
    const options = { TCP_FAST_PATH: Number(fast), RAW_SOCKETS: Number(raw) };
    const stack = await StackHarness.quiet({ options });
    stack.listen(PORT);
    const sockets = [PORT, ...OTHERS].map((port) => stack.udpSocket(port));
    stack.wasm.sysConnect(sockets[3] as number, 0xc0a80702, 5000);
    return new Side(stack, sockets);
  }

  step(frame: Uint8Array, advanceMs: number): Shown {
    const { stack } = this;
    let received = "";
    const counted = stack.counted(() => {
      if (advanceMs !== 0) stack.advance(advanceMs);
      if (frame.length > 0 && frame.length <= 1514) stack.queue(frame);
      stack.run();
      for (const socket of this.sockets) {
        const data = stack.receive(socket);
        if (typeof data === "number") continue;
        received += `${socket} ${Buffer.from(data).toString("hex")}`;
        stack.sendTo(socket, data, 0xc0a80700 + 2 + (data.length % 4), 9);
        stack.run();
      }
    });
    const frames = stack.sent.map((sent) => Buffer.from(sent.bytes).toString("hex"));
    stack.sent = [];
    return { frames, counted: counted as Record<string, number>, received };
  }
}

/** Traffic of some hosts, mostly good: pings, datagrams and ARP, with what fuzzing makes of it in between. */
class Traffic {
  private readonly random: Random;
  private readonly bad: RandomFrames;

  constructor(
    seed: number,
    private readonly hosts: Peer[],
  ) {
    this.random = new Random(seed);
    this.bad = new RandomFrames(seed, hosts[0] as Peer, [PORT, 80]);
  }

  pause(): number {
    return this.random.chance(0.02) ? this.random.below(20_000) : this.random.below(3);
  }

  next(): Uint8Array {
    const { random } = this;
    const host = this.hosts[random.below(this.hosts.length)] as Peer;
    const data = pattern(random.chance(0.7) ? random.below(200) : random.below(1473));
    const kind = random.below(10);
    const below = random.chance(0.3) ? { ip: { tos: random.below(256) } } : {};
    if (kind < 3) return host.echo(data, random.below(65536), random.below(65536), below);
    if (kind < 6) {
      const sourcePort = [9, 5000, 5000, 5353][random.below(4)] as number;
      const destinationPort = [PORT, PORT, ...OTHERS, 99][random.below(6)] as number;
      // One in eight has no checksum, or a wrong one.
      const checksum = random.chance(0.125) ? random.below(2) : undefined;
      return host.udp({ sourcePort, destinationPort, checksum }, data);
    }
    if (kind === 6) return random.chance(0.8) ? host.arpRequest() : host.arpReply();
    return this.bad.next();
  }
}

for (const raw of [false, true]) {
  test(`plain packets take a shorter way, and nothing differs: frames, counters, what an application gets${raw ? ", raw sockets built in" : ""}`, async (t) => {
    const fast = await Side.start(true, raw);
    const general = await Side.start(false, raw);
    const hosts = Array.from({ length: HOSTS }, (_none, i) =>
      fast.stack.peer(`192.168.7.${2 + i}`, `02:00:00:00:01:0${i}`),
    );
    const traffic = new Traffic(11, hosts);
    let frames = 0;
    for (let i = 0; i < 1500; i++) {
      const frame = traffic.next();
      const pause = traffic.pause();
      const expected = general.step(frame, pause);
      t.deepEqual(fast.step(frame, pause), expected, `step ${i}`);
      frames += expected.frames.length;
    }
    t.true(frames > 600, `${frames} frames`);
  });
}

/** Hosts whose packets alternate with requests of ARP, broadcasts and each other. */
test("headers that stay: each frame goes to the station that has its address, whoever the one before went to", async (t) => {
  const stack = await StackHarness.quiet();
  const socket = stack.udpSocket(PORT);
  const random = new Random(3);
  const stations = new Map<number, string>();
  const peers = Array.from({ length: HOSTS }, (_none, i) => {
    const peer = stack.neighbour(`192.168.7.${20 + i}`, `02:00:00:00:02:0${i}`);
    stations.set(peer.address, peer.mac);
    return peer;
  });
  stack.take();
  const check = (sent: Parsed[]): void => {
    for (const { bytes, ip } of sent) {
      if (!ip) continue;
      const mac = stations.get(ip.destination);
      t.truthy(mac, "an address that nobody has");
      t.deepEqual(Buffer.from(bytes.subarray(0, 6)), Buffer.from(macBytes(mac as string)));
    }
  };
  for (let i = 0; i < 500; i++) {
    const peer = peers[random.below(HOSTS)] as Peer;
    switch (random.below(5)) {
      case 0:
        check(stack.exchange(peer.echo(pattern(random.below(300)))));
        break;
      case 1:
        // To somebody who is not there: ARP asks.
        stack.sendTo(socket, pattern(3), 0xc0a807c8, 9);
        stack.take();
        break;
      case 2:
        check(stack.exchange(peer.arpRequest()));
        break;
      case 3: {
        // The station gets another card: it is believed when the old one has not answered two polls.
        const fresh = peer.as(
          peer.address,
          `02:00:00:00:03:${(16 + random.below(200)).toString(16)}`,
        );
        stack.advance(1100);
        stack.inject(fresh.arpReply());
        for (let polls = 0; polls < 3; polls++) stack.advance(1100);
        stack.sendTo(socket, pattern(5), peer.address, 9);
        stack.inject(fresh.arpReply());
        stack.take();
        peers[peers.indexOf(peer)] = fresh;
        stations.set(fresh.address, fresh.mac);
        break;
      }
      default:
        stack.sendTo(socket, pattern(random.below(100)), peer.address, 9);
        check(stack.take());
    }
    stack.advance(random.below(40));
  }
});
