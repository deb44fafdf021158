/** Link-local addresses (RFC 3927) where no DHCP server answers: AUTO_IP. */
import test from "../conformance/proves.js";
import { DhcpBench, LEASED } from "../support/dhcp-bench.js";
import type { HarnessConfig } from "../support/stack-harness.js";
import { DHCP } from "../support/wire-dhcp.js";
import type { Parsed } from "../support/wire-parse.js";
import { BROADCAST_MAC, ip, pattern } from "../support/wire.js";

const OPTIONS = { AUTO_IP: 1 };
const FIRST = ip("169.254.1.0");
const LAST = ip("169.254.254.255");
/** Two DISCOVERs without an answer, and the probes. */
const UNTIL_USED_MS = 18_000;

const start = (config: HarnessConfig = {}): Promise<DhcpBench> =>
  DhcpBench.create({ options: OPTIONS, ...config });

/** The ARP packets among the frames. */
const arps = (frames: Parsed[]): NonNullable<Parsed["arp"]>[] =>
  frames.flatMap(({ arp }) => (arp ? [arp] : []));

/** ARP probes among the frames: who is asked for. */
const probed = (frames: Parsed[]): number[] =>
  arps(frames)
    .filter(({ operation, senderAddress }) => operation === 1 && senderAddress === 0)
    .map(({ targetAddress }) => targetAddress);

/** Announcements among the frames: whose addresses. */
const announced = (frames: Parsed[]): number[] =>
  arps(frames)
    .filter(({ senderAddress, targetAddress }) => senderAddress === targetAddress)
    .map(({ senderAddress }) => senderAddress);

/** True when the stack says that an address is its own. */
function holds({ stack }: DhcpBench, address: number): boolean {
  const held = stack.sent;
  const asker = stack.peer("169.254.9.8", "02:00:00:00:00:88");
  stack.sent = [];
  stack.inject(asker.arpRequest({ targetAddress: address }));
  const answers = arps(stack.take());
  stack.sent = held;
  return answers.some(
    ({ operation, senderAddress }) => operation === 2 && senderAddress === address,
  );
}

/** A stack that uses a link-local address, its announcements over. */
async function settled(config: HarnessConfig = {}): Promise<{ bench: DhcpBench; own: number }> {
  const bench = await start(config);
  bench.stack.advance(UNTIL_USED_MS + 5000);
  return { bench, own: announced(bench.stack.take())[0] ?? 0 };
}

/** Another station says that the address is its own. */
function claim(bench: DhcpBench, address: number): Parsed[] {
  const other = bench.stack.peer("169.254.9.9", "02:00:00:00:00:77");
  bench.stack.take();
  bench.stack.inject(other.arpRequest({ senderAddress: address, targetAddress: address }));
  return bench.stack.take();
}

test("LL-1: RFC 3927 2.2, 2.4: without a DHCP server an address is probed three times, used, and announced twice; DHCP goes on asking", async (t) => {
  const bench = await start();
  bench.stack.advance(UNTIL_USED_MS);
  const frames = bench.stack.take();
  const probes = probed(frames);
  const own = probes[0] as number;
  t.deepEqual(probes, [own, own, own]);
  t.true(own >= FIRST && own <= LAST);
  t.true(holds(bench, own));
  const discovers = frames.filter(({ udp }) => udp?.destinationPort === 67);
  t.true(discovers.length >= 2);
  // Two were not answered, the third goes out beside the probes.
  const before = frames.findIndex(({ arp }) => arp !== undefined);
  t.is(frames.slice(0, before).filter(({ udp }) => udp?.destinationPort === 67).length, 3);
  bench.stack.advance(3000);
  t.deepEqual(announced([...frames, ...bench.stack.take()]), [own, own]);
  const later = bench.during(150_000);
  t.true(later.length >= 2);
  t.true(
    later.every(
      ({ message }) => message.type === DHCP.DISCOVER && message.from === 0 && message.ciaddr === 0,
    ),
    "as without an address",
  );
  t.true(holds(bench, own));
});

test("LL-1: RFC 3927 2.1: the address follows from the MAC alone, and is spread over 169.254.1.0 to 169.254.254.255", async (t) => {
  const found = new Set<number>();
  let [low, high] = [LAST, FIRST];
  for (let i = 0; i < 40; i++) {
    const mac = `02:00:00:00:${(i & 1).toString(16).padStart(2, "0")}:${i.toString(16).padStart(2, "0")}`;
    const { own } = await settled({ mac, seeds: [i + 1, 2] });
    t.true(own >= FIRST && own <= LAST);
    found.add(own);
    [low, high] = [Math.min(low, own), Math.max(high, own)];
  }
  t.true(found.size >= 39, `${found.size}`);
  t.true(high - low > 50_000, "not in one corner");
  t.is((await settled({ seeds: [1, 2] })).own, (await settled({ seeds: [77, 99] })).own);
});

test("LL-1: RFC 3927 2.2.1: an address that somebody has, or probes for, is not used but the next one; after ten conflicts one a minute", async (t) => {
  const bench = await start();
  const tried: number[] = [];
  const times: number[] = [];
  const end = bench.stack.nowMs + 400_000;
  while (bench.stack.nowMs < end) {
    for (const address of probed(bench.stack.untilSent(end - bench.stack.nowMs)).slice(0, 1)) {
      tried.push(address);
      times.push(bench.stack.nowMs);
      const other = bench.stack.peer("169.254.9.9", "02:00:00:00:00:77");
      bench.stack.inject(
        other.arpRequest({
          senderAddress: tried.length % 2 === 0 ? 0 : address,
          targetAddress: address,
        }),
      );
    }
  }
  t.true(tried.length > 12 && tried.length < 17, `${tried.length}`);
  t.is(new Set(tried).size, tried.length);
  t.true((times[9] as number) - (times[0] as number) < 10_000);
  for (let i = 10; i + 1 < times.length; i++)
    t.true((times[i + 1] as number) - (times[i] as number) >= 60_000);
  t.deepEqual(
    tried.filter((address) => holds(bench, address)),
    [],
  );
});

test("LL-1: RFC 3927 2.5: one conflict is answered by one announcement; the second within ten seconds costs the address, and another is probed at once", async (t) => {
  const { bench, own } = await settled();
  t.deepEqual(announced(claim(bench, own)), [own]);
  // Eleven seconds later it is the first one again.
  bench.stack.advance(11_000);
  t.is(arps(claim(bench, own)).length, 1);
  t.true(holds(bench, own));
  bench.stack.advance(5000);
  claim(bench, own);
  t.false(holds(bench, own), "given up");
  bench.stack.advance(2500);
  const next = announced(bench.stack.take())[0] ?? 0;
  t.not(next, own);
  t.true(next >= FIRST && next <= LAST);
  t.true(holds(bench, next));
});

test("LL-1: RFC 3927 2.5: ARP replies from such an address are broadcasts, and name who has asked", async (t) => {
  const { bench, own } = await settled();
  const peer = bench.stack.peer("169.254.7.7", "02:00:00:00:00:55");
  bench.stack.inject(peer.arpRequest({ targetAddress: own }));
  const reply = bench.stack.take().find(({ arp }) => arp?.operation === 2);
  t.is(reply?.destination, BROADCAST_MAC);
  t.is(reply?.arp?.targetAddress, ip("169.254.7.7"));
});

test("LL-1: RFC 3927 2.6.2: from such an address every host is asked for on the link itself, and to such an address no router is used", async (t) => {
  const { bench, own } = await settled();
  const fd = bench.stack.udpSocket(5000);
  t.is(bench.stack.sendTo(fd, pattern(4), ip("10.1.2.3"), 53), 4);
  t.deepEqual(
    arps(bench.stack.take()).map(({ targetAddress }) => targetAddress),
    [ip("10.1.2.3")],
  );
  // The answer of a host that is not in the subnet is believed.
  const host = bench.stack.peer("10.1.2.3", "02:00:00:00:00:33");
  bench.stack.inject(host.arpReply({ targetAddress: own }));
  t.is(bench.stack.take().find(({ udp }) => udp !== undefined)?.destination, host.mac);

  const leased = await DhcpBench.bound({}, { options: OPTIONS });
  const other = leased.stack.udpSocket(5000);
  leased.stack.sendTo(other, pattern(4), ip("169.254.5.5"), 53);
  t.deepEqual(
    leased.stack.take().map(({ arp, ip: packet }) => [arp?.targetAddress, packet?.destination]),
    [[ip("169.254.5.5"), undefined]],
  );
});

test("LL-1: RFC 3927 1.9, 2.11: a lease takes the place of the address; without one again, it comes back", async (t) => {
  const { bench, own } = await settled();
  const discover = bench.next(100_000);
  bench.reply(discover, DHCP.OFFER);
  const request = bench.next(0);
  t.is(request.type, DHCP.REQUEST);
  t.true(holds(bench, own), "in use until the lease is");
  bench.reply(request, DHCP.ACK, { change: [[51, 60]] });
  bench.stack.advance(2500);
  t.is(bench.address, LEASED);
  t.false(holds(bench, own));
  bench.stack.advance(60_000 + UNTIL_USED_MS + 2000);
  t.true(holds(bench, own));
});

test("LL-1: RFC 3927 2.2.1: after the cable was pulled the address is probed anew; without AUTO_IP there is none", async (t) => {
  const { bench, own } = await settled();
  bench.stack.wasm.linkChanged(0);
  bench.stack.advance(1000);
  bench.stack.wasm.linkChanged(1);
  bench.stack.advance(1000);
  t.false(holds(bench, own));
  bench.stack.advance(UNTIL_USED_MS);
  t.true(probed(bench.stack.take()).includes(own));
  t.true(holds(bench, own));
  const without = await DhcpBench.create();
  without.stack.advance(100_000);
  t.deepEqual(probed(without.stack.take()), []);
});

test("LL-1: RFC 3927 2.6.2, 3: of two interfaces, 169.254/16 is reached by the one that has such an address, all else by the other one's router", async (t) => {
  const bench = await start({
    options: { ...OPTIONS, INTERFACES: 2 },
    second: {
      mac: "02:00:00:00:00:ab",
      address: ip("10.1.2.3"),
      gateway: ip("10.1.2.1"),
    },
  });
  const { stack } = bench;
  stack.advance(UNTIL_USED_MS + 5000);
  const fd = stack.udpSocket(5000);
  const asked = (): number[][] =>
    [0, 1].map((lan) =>
      arps(stack.on(lan).take())
        .filter(({ senderAddress, targetAddress }) => senderAddress !== targetAddress)
        .map(({ targetAddress }) => targetAddress),
    );
  asked();
  stack.sendTo(fd, pattern(4), ip("169.254.5.5"), 53);
  t.deepEqual(asked(), [[ip("169.254.5.5")], []]);
  stack.sendTo(fd, pattern(4), ip("8.8.8.8"), 53);
  t.deepEqual(asked(), [[], [ip("10.1.2.1")]]);
});
