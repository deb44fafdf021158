/**
 * Fragments become a datagram again (RFC 791 3.2, RFC 1122 3.3.2), and nothing else does (RFC 1858, 3128, 5722; Teardrop, ping
 * of death, FragmentSmack).
 */
import test from "../conformance/proves.js";
import { TIGHT } from "../support/option-sets.js";
import { STACK_ADDRESS, StackHarness } from "../support/stack-harness.js";
import type { Peer } from "../support/wire-peer.js";
import {
  PROTOCOL,
  concat,
  icmpMessage,
  internetChecksum,
  ipv4Packet,
  pattern,
  tcpSegment,
  udpDatagram,
} from "../support/wire.js";

const PEER = "192.168.7.9";
const PORT = 4321;

type Received = Exclude<ReturnType<StackHarness["receiveFrom"]>, number>;
type Parsed = ReturnType<StackHarness["take"]>[number];

/** [first byte, byte behind the last, more follow, data if not the datagram's own]. */
type Piece = [left: number, right: number, more: boolean, data?: Uint8Array];

function fragment(
  peer: Peer,
  protocol: number,
  payload: Uint8Array,
  piece: Piece,
  id = 77,
): Uint8Array {
  const [left, right, more, data] = piece;
  const header = { id, dontFragment: false, moreFragments: more, offset: left >>> 3 };
  return peer.ip(protocol, data ?? payload.slice(left, right), { ip: header });
}

function datagram(peer: Peer, data: Uint8Array): Uint8Array {
  const ends = { source: peer.address, destination: STACK_ADDRESS };
  return udpDatagram({ ...ends, sourcePort: 999, destinationPort: PORT }, data);
}

/** Pieces of at most `size` bytes. */
function cut(bytes: number, size: number): Piece[] {
  const pieces: Piece[] = [];
  for (let left = 0; left < bytes; left += size) {
    const right = Math.min(bytes, left + size);
    pieces.push([left, right, right !== bytes]);
  }
  return pieces;
}

function* orders<T>(items: T[]): Generator<T[]> {
  if (items.length < 2) {
    yield items;
    return;
  }
  for (const [i, item] of items.entries()) {
    for (const rest of orders(items.filter((_, j) => j !== i))) yield [item, ...rest];
  }
}

/** The next datagram; undefined = there is none. */
function received(stack: StackHarness, fd: number): Received | undefined {
  const got = stack.receiveFrom(fd);
  return typeof got === "number" ? undefined : got;
}

/** The rule: pieces that touch no byte twice and reach from 0 to the last, with the datagram's own bytes. */
function comesTogether(pieces: Piece[], whole: Uint8Array): boolean {
  const here: Piece[] = [];
  for (const piece of pieces) {
    const [left, right, more] = piece;
    if (here.some((other) => other[0] === left && other[1] === right && other[2] === more))
      continue;
    const end = here.find((other) => !other[2])?.[1];
    if (here.some((other) => left < other[1] && other[0] < right)) return false;
    if (end !== undefined && (!more || right >= end)) return false;
    if (!more && here.some((other) => other[1] > right)) return false;
    here.push(piece);
    const sum = here.reduce((bytes, other) => bytes + other[1] - other[0], 0);
    if (sum !== here.find((other) => !other[2])?.[1]) continue;
    const bytes = concat(...here.map(([from, to, , data]) => data ?? whole.slice(from, to)));
    let at = 0;
    const assembled = new Uint8Array(sum);
    for (const [from, to] of here) {
      assembled.set(bytes.slice(at, at + to - from), from);
      at += to - from;
    }
    // What stands behind the end that the UDP header names does not count.
    return Buffer.compare(assembled.slice(0, whole.length), whole) === 0;
  }
  return false;
}

/** A piece in every interval relation to those of three times 16 bytes, with the datagram's own bytes or with others. */
function* strangePieces(bytes: Uint8Array): Generator<Piece> {
  for (let left = 0; left < 56; left += 8) {
    for (let right = left + 8; right <= 56; right += 8) {
      const own = bytes.slice(left, right);
      for (const data of [own, own.map((byte) => byte ^ 0xff)]) {
        yield [left, right, true, data];
        // With nothing before it and nothing behind it is no fragment.
        if (left !== 0) yield [left, right, false, data];
      }
    }
  }
}

/** What has been sent besides ARP. */
function messages(stack: StackHarness): Parsed[] {
  return stack.take().filter((frame) => !frame.arp);
}

async function listening(): Promise<{ stack: StackHarness; peer: Peer; fd: number }> {
  const stack = await StackHarness.quiet();
  return { stack, peer: stack.neighbour(PEER), fd: stack.udpSocket(PORT) };
}

test("FRAG-1, FRAG-4: a datagram in fragments is delivered whole, in whatever order they come", async (t) => {
  const { stack, peer, fd } = await listening();
  let id = 1;
  for (const bytes of [560 - 8, 1480, 4000]) {
    const data = pattern(bytes);
    const whole = datagram(peer, data);
    const pieces = cut(whole.length, Math.ceil(whole.length / 32) * 8);
    t.is(pieces.length, 4);
    for (const order of orders(pieces)) {
      id += 1;
      for (const [i, piece] of order.entries()) {
        t.is(received(stack, fd), undefined, `${i} of 4 are not the whole`);
        stack.inject(fragment(peer, PROTOCOL.UDP, whole, piece, id));
      }
      const got = received(stack, fd);
      t.deepEqual(got?.data, data);
      t.is(got?.address, peer.address);
      t.is(got?.port, 999);
    }
  }
  t.is(stack.counter("ipReassembled"), 72);
  t.is(stack.counter("ipReassemblyFailed"), 0);
  t.deepEqual(stack.take(), []);
});

test("FRAG-4: fragments of other datagrams, protocols and hosts are not mixed in", async (t) => {
  const { stack, peer, fd } = await listening();
  const other = stack.neighbour("192.168.7.10", "02:00:00:00:00:02");
  const a = datagram(peer, pattern(80));
  const b = datagram(other, pattern(80).reverse());
  const first: Piece = [0, 40, true];
  const last: Piece = [40, 88, false];
  stack.inject(fragment(peer, PROTOCOL.UDP, a, first));
  stack.inject(fragment(other, PROTOCOL.UDP, b, last));
  t.is(received(stack, fd), undefined);
  stack.inject(fragment(peer, PROTOCOL.UDP, a, last));
  t.deepEqual(received(stack, fd)?.data, pattern(80));
  stack.inject(fragment(other, PROTOCOL.UDP, b, first));
  t.deepEqual(received(stack, fd)?.data, pattern(80).reverse());
  stack.inject(fragment(peer, PROTOCOL.UDP, a, first, 5));
  stack.inject(fragment(peer, PROTOCOL.UDP, a, last, 6));
  stack.inject(fragment(peer, PROTOCOL.ICMP, a, last, 5));
  t.is(received(stack, fd), undefined);
});

test("FRAG-1: a TCP segment in fragments opens a connection, and options of the first fragment are no trouble", async (t) => {
  const { stack, peer } = await listening();
  const ends = { source: peer.address, destination: STACK_ADDRESS };
  const syn = tcpSegment(
    { ...ends, sourcePort: 5, destinationPort: 80, seq: 9, flags: 2 },
    pattern(20),
  );
  for (const options of [undefined, Uint8Array.of(1, 1, 1, 0)]) {
    const header = { id: 3, dontFragment: false, ...(options ? { options } : {}) };
    stack.inject(peer.ip(6, syn.slice(24), { ip: { ...header, offset: 3 } }));
    t.deepEqual(stack.take(), []);
    const [answer] = stack.exchange(
      peer.ip(6, syn.slice(0, 24), { ip: { ...header, moreFragments: true } }),
    );
    t.is(answer?.tcp?.ack, 9 + 1 + 20, "RST for all of it: nobody listens");
  }
});

test("C-10: the echo of a datagram longer than a packet is cut to one, and right (RFC 1122 3.2.2.6)", async (t) => {
  const { stack, peer } = await listening();
  const request = icmpMessage({ type: 8, rest: 0x12340001 }, pattern(3992));
  for (const piece of cut(4000, 1480)) stack.inject(fragment(peer, 1, request, piece));
  const [reply, ...more] = stack.take();
  t.is(more.length, 0);
  t.is(reply?.icmp?.type, 0);
  t.is(reply?.icmp?.rest, 0x12340001);
  t.deepEqual(reply?.icmp?.data, pattern(3992).slice(0, 1472));
  request[3]! ^= 1;
  for (const piece of cut(4000, 1480)) stack.inject(fragment(peer, 1, request, piece, 78));
  t.deepEqual(stack.take(), [], "a wrong checksum is not answered");
});

test("FRAG-6, FRAG-7, F-1, F-2: only sets of fragments that do not overlap ever deliver", async (t) => {
  const { stack, peer, fd } = await listening();
  const whole = datagram(peer, pattern(40));
  const honest: Piece[] = [
    [0, 16, true],
    [16, 32, true],
    [32, 48, false],
  ];
  // With the end known early, bytes that come twice could make up for those that are missing.
  const [first, second, last] = honest as [Piece, Piece, Piece];
  const orders = [honest, [first, last, second], [last, second, first]];
  let id = 100;
  for (const strange of strangePieces(concat(whole, pattern(8)))) {
    for (const [place, order] of orders.flatMap((o) => [0, 1, 2].map((p) => [p, o] as const))) {
      id += 1;
      const all: Piece[] = [...order.slice(0, place), strange, ...order.slice(place)];
      for (const piece of all) stack.inject(fragment(peer, 17, whole, piece, id));
      const expected = comesTogether(all, whole) ? pattern(40) : undefined;
      t.deepEqual(
        received(stack, fd)?.data,
        expected,
        `${strange.slice(0, 3).join(" ")} at ${place}`,
      );
    }
  }
  t.deepEqual(stack.take(), [], "all of it in silence");
  t.true(stack.answers(peer));
});

test("FRAG-5, F-3, F-4, F-6: what ends beyond 65535 or our buffer, is empty or not a multiple of 8 spoils its datagram", async (t) => {
  const { stack, peer, fd } = await listening();
  const whole = datagram(peer, pattern(40));
  const bad: Piece[] = [
    [65528, 65536, false],
    [65528, 65552, false],
    [4096, 4104, false],
    [4088, 4104, true],
    [3000, 4200, true],
    [16, 16, true],
    [16, 25, true],
    [16, 17, true],
  ];
  let id = 1;
  for (const [left, right, more] of bad) {
    id += 1;
    const piece: Piece = [left, right, more, pattern(right - left)];
    stack.inject(fragment(peer, 17, whole, [0, 16, true], id));
    stack.inject(fragment(peer, 17, whole, piece, id));
    stack.inject(fragment(peer, 17, whole, [16, 48, false], id));
    t.is(received(stack, fd), undefined, `${left} to ${right}`);
  }
  const reserved = { id: 99, reserved: true, dontFragment: false };
  t.deepEqual(stack.exchange(peer.ip(17, whole, { ip: reserved })), []);
  t.is(received(stack, fd), undefined);
  t.true(stack.answers(peer));
});

test("FRAG-9, F-7: a TCP header in pieces, or written over at offset 1, makes no connection (RFC 1858, 3128)", async (t) => {
  const { stack, peer } = await listening();
  const fd = stack.listen(80);
  const ends = { source: peer.address, destination: STACK_ADDRESS };
  const syn = tcpSegment(
    { ...ends, sourcePort: 5, destinationPort: 80, seq: 9, flags: 2 },
    pattern(12),
  );
  const splits: Piece[][] = [
    cut(32, 8),
    cut(32, 16),
    [
      [0, 8, true],
      [8, 32, false],
    ],
  ];
  for (const [i, split] of splits.entries()) {
    for (const piece of split) stack.inject(fragment(peer, 6, syn, piece, i));
  }
  t.deepEqual(stack.take(), []);
  t.is(stack.wasm.sysAccept(fd), -11);
});

test("FRAG-2, FRAG-3, F-8: after 60 s a first fragment is reported with ICMP 11/1, any other dies in silence", async (t) => {
  const { stack, peer, fd } = await listening();
  const whole = datagram(peer, pattern(40));
  const first = fragment(peer, 17, whole, [0, 16, true], 1);
  stack.inject(first);
  stack.advance(30_000);
  // The time is not extended by what comes later.
  stack.inject(fragment(peer, 17, whole, [32, 48, false], 1));
  stack.inject(fragment(peer, 17, whole, [16, 48, false], 2));
  stack.advance(29_999);
  t.deepEqual(messages(stack), []);
  stack.inject(peer.arpRequest());
  stack.take();
  stack.advance(1);
  const [error, ...more] = messages(stack);
  t.is(more.length, 0);
  t.is(error?.icmp?.type, 11);
  t.is(error?.icmp?.code, 1);
  t.is(error?.ip?.destination, peer.address);
  t.deepEqual(error?.icmp?.data, first.slice(14, 14 + 28));
  stack.advance(120_000);
  t.deepEqual(messages(stack), [], "no ICMP without fragment 0");
  stack.inject(fragment(peer, 17, whole, [16, 32, true], 1));
  t.is(received(stack, fd), undefined, "nothing is left of it");
});

test("F-8: each of four fragments missing in turn, in every order: nothing is delivered", async (t) => {
  const { stack, peer, fd } = await listening();
  const whole = datagram(peer, pattern(56));
  let id = 1;
  for (const order of orders(cut(64, 16))) {
    id += 1;
    for (const piece of order.slice(1)) stack.inject(fragment(peer, 17, whole, piece, id));
    t.is(received(stack, fd), undefined);
  }
  t.is(stack.counter("ipReassembled"), 0);
});

test("F-9: fragments of a finished datagram again, and completion at the moment of the timeout", async (t) => {
  const { stack, peer, fd } = await listening();
  const whole = datagram(peer, pattern(40));
  const pieces = cut(48, 16);
  for (let round = 0; round < 3; round++) {
    for (const piece of pieces) stack.inject(fragment(peer, 17, whole, piece));
    t.deepEqual(received(stack, fd)?.data, pattern(40));
  }
  stack.inject(fragment(peer, 17, whole, pieces[0] as Piece));
  stack.nowMs += 59_000;
  stack.inject(peer.arpRequest());
  stack.nowMs += 1000;
  stack.inject(fragment(peer, 17, whole, [16, 48, false]));
  const got = received(stack, fd);
  const told = messages(stack).filter((frame) => frame.icmp?.type === 11).length;
  t.is((got ? 1 : 0) + told, 1, "either delivered or reported");
  stack.advance(200_000);
  t.deepEqual(messages(stack), []);
});

test("FRAG-8, F-5: a flood of first fragments keeps neither datagrams nor fragments of others out", async (t) => {
  const { stack, peer, fd } = await listening();
  const other = stack.neighbour("192.168.7.10", "02:00:00:00:00:02");
  const mine = datagram(other, pattern(40));
  const whole = datagram(peer, pattern(40));
  stack.inject(fragment(other, 17, mine, [0, 16, true], 7));
  for (let id = 1; id <= 1000; id++) stack.inject(fragment(peer, 17, whole, [0, 16, true], id));
  // Another host's datagram is not the one that gives way.
  stack.inject(fragment(other, 17, mine, [16, 48, false], 7));
  t.deepEqual(received(stack, fd)?.data, pattern(40));
  stack.inject(other.udp({ sourcePort: 999, destinationPort: PORT }, pattern(9)));
  t.deepEqual(received(stack, fd)?.data, pattern(9));
  for (const piece of cut(4096, 8)) {
    stack.inject(fragment(peer, 17, pattern(4096), piece, 2000));
  }
  t.is(received(stack, fd), undefined, "512 pieces are not put together");
  stack.advance(61_000);
  stack.take();
  for (const piece of cut(48, 16)) stack.inject(fragment(other, 17, mine, piece, 8));
  t.deepEqual(received(stack, fd)?.data, pattern(40));
});

test("an image without reassembly drops fragments and counts them", async (t) => {
  const stack = await StackHarness.quiet({ options: TIGHT });
  const peer = stack.neighbour(PEER);
  const fd = stack.udpSocket(PORT);
  const whole = datagram(peer, pattern(40));
  for (const piece of cut(48, 16)) {
    const changed = stack.counted(() => stack.inject(fragment(peer, 17, whole, piece)));
    t.deepEqual(changed, { ethernetIn: 1, ipIn: 1, ipFragment: 1 });
  }
  t.is(received(stack, fd), undefined);
});

test("RFC 3168 5.3: congestion that one fragment met was met by the datagram; the header is whole again", async (t) => {
  const { stack, peer } = await listening();
  // An unknown protocol is answered with the header as the stack sees it.
  const payload = pattern(48);
  const pieces = cut(48, 24);
  const [first, last] = pieces.map(([left, right, more], i) =>
    peer.ip(253, payload.slice(left, right), {
      ip: {
        id: 4,
        dontFragment: false,
        moreFragments: more,
        offset: left >>> 3,
        tos: 0x28 | (2 + i),
      },
    }),
  );
  stack.inject(first as Uint8Array);
  const [error] = stack.exchange(last as Uint8Array);
  const quoted = error?.icmp?.data ?? new Uint8Array(0);
  t.is(quoted[1], 0x2b);
  t.is(internetChecksum(quoted.slice(0, 20)), 0);
  const ends = { source: peer.address, destination: STACK_ADDRESS, protocol: 253 };
  const expected = ipv4Packet({ ...ends, id: 4, dontFragment: false, tos: 0x2b }, payload);
  t.deepEqual(quoted, expected.slice(0, 28));
});
