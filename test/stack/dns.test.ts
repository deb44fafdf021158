/** The DNS client: questions of the stack, and replies that a test writes byte by byte, right or wrong. */
import test from "../conformance/proves.js";
import { StackHarness, type HarnessConfig } from "../support/stack-harness.js";
import type { Parsed } from "../support/wire-parse.js";
import { be16, be32, concat, ip } from "../support/wire.js";

const EAI = { NONAME: -2, AGAIN: -3, FAIL: -4, NODATA: -5, INPROGRESS: -100 };
const FIRST = ip("192.168.7.53");
const SECOND = ip("192.168.7.54");

interface Record {
  /** Name, or the offset that it is a pointer to, or raw bytes. */
  name?: string | number | Uint8Array;
  type?: number;
  class?: number;
  ttl?: number;
  length?: number;
  data: Uint8Array;
}

function wireName(name: string | number | Uint8Array): Uint8Array {
  if (typeof name === "number") return be16(0xc000 | name);
  if (typeof name !== "string") return name;
  const labels = name.split(".").filter((label) => label !== "");
  return concat(...labels.map((label) => concat([label.length], Buffer.from(label))), [0]);
}

function recordBytes(record: Record): Uint8Array {
  return concat(
    wireName(record.name ?? 12),
    be16(record.type ?? 1),
    be16(record.class ?? 1),
    be32(record.ttl ?? 300),
    be16(record.length ?? record.data.length),
    record.data,
  );
}

const a = (address: string, rest: Partial<Record> = {}): Record => ({
  data: be32(ip(address)),
  ...rest,
});
const alias = (to: string | number | Uint8Array, rest: Partial<Record> = {}): Record => ({
  type: 5,
  data: wireName(to),
  ...rest,
});

interface Query {
  server: number;
  port: number;
  id: number;
  message: Uint8Array;
  name: string;
}

interface Lie {
  id?: number;
  flags?: number;
  question?: Uint8Array;
  questions?: number;
  answers?: number;
  from?: number;
  sourcePort?: number;
  port?: number;
  checksum?: number;
}

class Bench {
  private constructor(readonly stack: StackHarness) {}

  static async create(second = 0, config: HarnessConfig = {}): Promise<Bench> {
    const stack = await StackHarness.quiet(config);
    stack.wasm.nameServers(FIRST, second);
    for (const address of ["192.168.7.53", "192.168.7.54"]) {
      stack.neighbour(address, `02:00:00:00:00:${address.slice(-2)}`);
    }
    return new Bench(stack);
  }

  /** Asks for a name: a code below 0, or its addresses. */
  lookup(name: string, capacity = 4): number | number[] {
    const { wasm } = this.stack;
    const at = wasm.scratch() >>> 0;
    new Uint8Array(wasm.memory.buffer).set(Buffer.from(name, "latin1"), at);
    const found = wasm.nameLookup(at, name.length, at + 1024, capacity);
    this.stack.run();
    if (found < 0) return found;
    return [...new Uint32Array(wasm.memory.buffer, at + 1024, Math.min(found, capacity))];
  }

  /** The questions that have been sent. */
  queries(): Query[] {
    return this.stack
      .take()
      .filter((frame) => frame.udp)
      .map((frame) => query(frame));
  }

  /** Begins to ask for a name and takes the question. */
  ask(name: string): Query {
    if (this.lookup(name) !== EAI.INPROGRESS) throw new Error("not asked");
    const [sent] = this.queries();
    if (!sent) throw new Error("no question");
    return sent;
  }

  reply(to: Query, records: Record[], lie: Lie = {}): void {
    const question = lie.question ?? to.message.subarray(12);
    const message = concat(
      be16(lie.id ?? to.id),
      be16(lie.flags ?? 0x8180),
      be16(lie.questions ?? 1),
      be16(lie.answers ?? records.length),
      be32(0),
      question,
      ...records.map(recordBytes),
    );
    this.raw(to, message, lie);
  }

  raw(to: Query, message: Uint8Array, lie: Lie = {}): void {
    const from = lie.from ?? to.server;
    const peer = this.stack.peer("192.168.7.53", `02:00:00:00:00:${from === SECOND ? 54 : 53}`);
    const ports = {
      sourcePort: lie.sourcePort ?? 53,
      destinationPort: lie.port ?? to.port,
      checksum: lie.checksum,
    };
    this.stack.inject(peer.as(from, peer.mac).udp(ports, message));
  }
}

function query(frame: Parsed): Query {
  const { udp } = frame;
  if (!udp || ![53, 5353].includes(udp.destinationPort) || !frame.ip) {
    throw new Error("not a question");
  }
  const view = new DataView(udp.data.buffer, udp.data.byteOffset, udp.data.length);
  if (view.getUint16(2) !== 0x0100) throw new Error("flags");
  if (view.getUint32(4) !== 0x00010000 || view.getUint32(8) !== 0) throw new Error("counts");
  const labels: string[] = [];
  let at = 12;
  while (udp.data[at] !== 0) {
    const length = udp.data[at] as number;
    labels.push(Buffer.from(udp.data.subarray(at + 1, at + 1 + length)).toString("latin1"));
    at += length + 1;
  }
  if (view.getUint32(at + 1) !== 0x00010001 || at + 5 !== udp.data.length) throw new Error("type");
  return {
    server: frame.ip.destination,
    port: udp.sourcePort,
    id: view.getUint16(0),
    message: udp.data,
    name: labels.join("."),
  };
}

test("getaddrinfo(3), RFC 1035 4.1: a name is asked for, and its addresses are known for their time", async (t) => {
  const bench = await Bench.create();
  const asked = bench.ask("Www.Example.com.");
  t.is(asked.name, "www.example.com");
  t.is(asked.server, FIRST);
  const woken = bench.stack.wasm.readyCount();
  bench.reply(asked, [a("1.2.3.4", { ttl: 60 }), a("1.2.3.5", { ttl: 70 })]);
  t.true(bench.stack.wasm.readyCount() > woken, "whoever waits is woken");
  const known = [ip("1.2.3.4"), ip("1.2.3.5")];
  t.deepEqual(bench.lookup("www.example.com"), known);
  t.deepEqual(bench.lookup("WWW.EXAMPLE.COM", 1), known.slice(0, 1));
  bench.stack.advance(59_000);
  t.deepEqual(bench.lookup("www.example.com"), known);
  t.deepEqual(bench.queries(), [], "from the table");
  bench.stack.advance(2000);
  t.is(bench.ask("www.example.com").name, "www.example.com", "the shortest time counts");
});

test("N-8, RFC 2181 8: a time to live with its highest bit set is none, and no time is longer than a day", async (t) => {
  const bench = await Bench.create();
  for (const ttl of [0, 0x8000_0000, 0xffff_ffff]) {
    const asked = bench.ask("www.example.com");
    bench.reply(asked, [a("1.2.3.4", { ttl })]);
    t.deepEqual(bench.lookup("www.example.com"), [ip("1.2.3.4")], "who has asked is told");
    bench.stack.advance(11_000);
  }
  bench.reply(bench.ask("www.example.com"), [a("1.2.3.5", { ttl: 0x7fff_ffff })]);
  bench.stack.advance(86_399_000);
  t.deepEqual(bench.lookup("www.example.com"), [ip("1.2.3.5")]);
  t.deepEqual(bench.queries(), []);
  bench.stack.advance(2000);
  t.notDeepEqual(bench.lookup("www.example.com"), [ip("1.2.3.5")]);
});

test("RFC 1035 3.2.1: what was known is over when its time is, however long nobody asks: past half of the clock's range, too", async (t) => {
  for (const days of [24, 25, 30, 49]) {
    const bench = await Bench.create();
    bench.reply(bench.ask("www.example.com"), [a("1.2.3.4", { ttl: 60 })]);
    bench.reply(bench.ask("none.example.com"), [], { flags: 0x8183 });
    bench.stack.advance(days * 86_400_000);
    bench.queries();
    t.is(bench.lookup("www.example.com"), EAI.INPROGRESS, `after ${days} days`);
    t.is(bench.lookup("none.example.com"), EAI.INPROGRESS, `after ${days} days`);
  }
});

test("inet_pton(3), RFC 6761 6.3: what is no server's to know is not asked for", async (t) => {
  const bench = await Bench.create();
  t.deepEqual(bench.lookup("192.168.7.9"), [ip("192.168.7.9")]);
  t.deepEqual(bench.lookup("255.255.255.255"), [0xffffffff]);
  t.deepEqual(bench.lookup("0.0.0.0"), [0]);
  t.deepEqual(bench.lookup("localhost"), [ip("127.0.0.1")]);
  t.deepEqual(bench.lookup("a.LocalHost."), [ip("127.0.0.1")]);
  for (const bad of [
    "",
    ".",
    "a..b",
    ".a",
    "a b",
    "x".repeat(64),
    `${"y".repeat(63)}.`.repeat(4),
  ]) {
    t.is(bench.lookup(bad), EAI.NONAME, bad);
  }
  t.deepEqual(bench.queries(), []);
  const longest = `${`${"z".repeat(63)}.`.repeat(3)}${"z".repeat(61)}`;
  t.is(bench.ask(longest).name, longest, "253 characters are a name");
});

test("RFC 6762 3, 5.1: a name of the link is asked of all its stations, and the first that has it answers", async (t) => {
  const bench = await Bench.create();
  t.is(bench.lookup("printer.local"), EAI.INPROGRESS);
  const [frame] = bench.stack.take();
  t.is(frame?.destination, "01:00:5e:00:00:fb");
  t.is(frame?.ip?.destination, ip("224.0.0.251"));
  t.is(frame?.ip?.ttl, 255);
  t.is(frame?.udp?.destinationPort, 5353);
  const asked = query(frame as Parsed);
  t.not(asked.port, 5353);
  const answer = [a("192.168.7.9", { ttl: 10 })];
  for (const lie of [{ from: ip("10.0.0.1"), sourcePort: 5353 }, { from: ip("192.168.7.9") }]) {
    bench.reply(asked, answer, lie);
    t.is(bench.lookup("printer.local"), EAI.INPROGRESS, "RFC 6762 11");
  }
  bench.reply(asked, [], { from: FIRST, sourcePort: 5353, flags: 0x8403 });
  bench.reply(asked, answer, { from: ip("192.168.7.9"), sourcePort: 5353, flags: 0x8400 });
  t.deepEqual(bench.lookup("PRINTER.local"), [ip("192.168.7.9")]);
  bench.stack.take();
  t.is(bench.lookup("nobody.local"), EAI.INPROGRESS);
  bench.stack.advance(2900);
  t.is(bench.queries().length, 3);
  bench.stack.advance(200);
  t.is(bench.lookup("nobody.local"), EAI.NONAME);
});

test("DNS-1, PORT-3, N-5, RFC 5452 9.2: identifier and port are new for each datagram", async (t) => {
  const bench = await Bench.create();
  const seen = new Set<string>();
  const ports = new Set<number>();
  bench.lookup("a.example");
  for (let i = 0; i < 3; i++) {
    const [sent] = bench.queries();
    t.true((sent?.port ?? 0) >= 1024);
    seen.add(`${sent?.id} ${sent?.port}`);
    ports.add(sent?.port ?? 0);
    bench.stack.advance(2000 + 1000 * i);
  }
  t.deepEqual([seen.size, ports.size], [3, 3]);
  // Both are spread over their range, each by itself.
  const eighths = { id: new Array<number>(8).fill(0), port: new Array<number>(8).fill(0) };
  for (let i = 0; i < 256; i++) {
    const asked = bench.ask(`n${i}.example`);
    bench.reply(asked, [a("1.2.3.4")]);
    for (const field of ["id", "port"] as const) {
      const at = asked[field] >>> 13;
      eighths[field][at] = (eighths[field][at] ?? 0) + 1;
    }
  }
  for (const [field, counts] of Object.entries(eighths))
    t.true(
      counts.every((count) => count >= 14 && count <= 54),
      `${field}: ${counts.join()}`,
    );
});

test("DNS-2, N-5, RFC 5452 9.1: a reply with anything wrong about it is as if it had not come", async (t) => {
  const bench = await Bench.create();
  const asked = bench.ask("www.example.com");
  const other = concat(wireName("www.example.org"), be32(0x00010001));
  const lies: Lie[] = [
    { id: asked.id ^ 1 },
    { flags: 0x0180 },
    { flags: 0x8980 },
    { from: SECOND },
    { sourcePort: 5353 },
    { port: asked.port ^ 1 },
    { question: other },
    { question: concat(wireName("www.example.com"), be32(0x001c0001)) },
    { question: concat(wireName("www.example.com"), be32(0x00010003)) },
    { questions: 0 },
    { questions: 2 },
    { checksum: 0x1234 },
  ];
  for (const lie of lies) {
    bench.reply(asked, [a("6.6.6.6")], lie);
    bench.stack.take();
    t.is(bench.lookup("www.example.com"), EAI.INPROGRESS, JSON.stringify(lie));
  }
  const capitals = concat(wireName("WWW.example.COM"), be32(0x00010001));
  bench.reply(asked, [a("1.2.3.4")], { question: capitals });
  t.deepEqual(bench.lookup("www.example.com"), [ip("1.2.3.4")], "letters are equal to capitals");
  bench.reply(asked, [a("6.6.6.6")]);
  t.deepEqual(bench.lookup("www.example.com"), [ip("1.2.3.4")], "and nothing is asked any more");
});

test("DNS-6, N-6, N-7: aliases are followed, in any order, eight of them; owners that nobody asked for are not believed", async (t) => {
  const bench = await Bench.create();
  let asked = bench.ask("a.example");
  bench.reply(asked, [
    a("1.2.3.4", { name: "c.example", ttl: 500 }),
    a("6.6.6.6", { name: "evil.example" }),
    alias("c.example", { name: "b.example", ttl: 20 }),
    alias("b.example", { ttl: 400 }),
  ]);
  t.deepEqual(bench.lookup("a.example"), [ip("1.2.3.4")]);
  bench.stack.advance(21_000);
  asked = bench.ask("a.example");
  t.is(asked.name, "a.example", "the time of each alias counts");
  const chain = (steps: number): Record[] => [
    ...Array.from({ length: steps }, (_, i) =>
      alias(`n${i + 1}.example`, { name: i === 0 ? 12 : `n${i}.example` }),
    ),
    a("1.2.3.4", { name: `n${steps}.example` }),
  ];
  bench.reply(asked, chain(8));
  t.deepEqual(bench.lookup("a.example"), [ip("1.2.3.4")]);
  bench.reply(bench.ask("b.example"), chain(9));
  t.is(bench.lookup("b.example"), EAI.FAIL);
  bench.reply(bench.ask("c.example"), [alias("d.example"), alias(12, { name: "d.example" })]);
  t.is(bench.lookup("c.example"), EAI.FAIL, "a loop of aliases");
  bench.reply(bench.ask("d.example"), [a("6.6.6.6", { name: "evil.example" })]);
  t.is(bench.lookup("d.example"), EAI.NODATA);
});

test("DNS-3, DNS-4, DNS-5, N-1, N-2, N-3, N-4, RFC 9267: names and records that lead out of the message or nowhere are refused", async (t) => {
  const bench = await Bench.create();
  const bad: Record[] = [
    a("6.6.6.6", { name: 29 + 0 }),
    a("6.6.6.6", { name: 0 }),
    // In the header stands what would be the root's name.
    a("6.6.6.6", { name: 4 }),
    a("6.6.6.6", { name: 11 }),
    a("6.6.6.6", { name: 0x3fff }),
    a("6.6.6.6", { name: Uint8Array.of(0x40, 1, 0) }),
    a("6.6.6.6", { name: Uint8Array.of(0x80, 1, 0) }),
    a("6.6.6.6", { name: Uint8Array.of(1, 0x61, 0xc0, 29) }),
    a("6.6.6.6", { name: Uint8Array.of(63, 0x61) }),
    a("6.6.6.6", { name: new Uint8Array(300).map((_, i) => (i % 2 ? 0x61 : 1)) }),
    a("6.6.6.6", { length: 5 }),
    a("6.6.6.6", { length: 0xffff }),
    { data: new Uint8Array(3) },
    { data: new Uint8Array(0) },
    { data: new Uint8Array(16) },
    alias(Uint8Array.of(0xc0, 41)),
    alias(Uint8Array.of(0xc0)),
    alias(Uint8Array.of(0xc0, 12, 0)),
    alias(new Uint8Array(0)),
  ];
  for (const [i, record] of bad.entries()) {
    // The record begins behind a header and a question of 17 bytes: at 29.
    const name = `n${i.toString().padStart(2, "0")}.example`;
    const asked = bench.ask(name);
    bench.reply(asked, [record]);
    t.is(bench.lookup(name), EAI.FAIL, `${i}: ${JSON.stringify(record)}`);
  }
  const asked = bench.ask("many.example");
  bench.reply(asked, [a("1.2.3.4")], { answers: 0xffff });
  t.is(bench.lookup("many.example"), EAI.FAIL, "more records than there are");
  // A name of 184 bytes, and by a pointer to it one of 255, which is good, and of 256.
  const label = (bytes: number): Uint8Array => concat([bytes], new Uint8Array(bytes).fill(0x61));
  const long = concat(label(60), label(60), label(60), [0]);
  for (const [last, error] of [
    [6, EAI.NODATA],
    [7, EAI.FAIL],
  ] as const) {
    const name = `long${last}.exampl`;
    const to = bench.ask(name);
    t.is(to.message.length, 12 + 18, "the name begins behind the question");
    const joined = concat(label(63), label(last), be16(0xc000 | 30));
    bench.reply(to, [a("6.6.6.6", { name: long }), a("6.6.6.6", { name: joined })]);
    t.is(bench.lookup(name), error, `${last}`);
  }
  t.deepEqual(bench.stack.take(), []);
});

test("N-9, RFC 9267: every truncated length of a reply is safe, and none is believed", async (t) => {
  const bench = await Bench.create();
  let asked = bench.ask("www.example.com");
  const whole = concat(
    be16(asked.id),
    be16(0x8180),
    be32(0x00010002),
    be32(0),
    asked.message.subarray(12),
    recordBytes(alias("b.example")),
    recordBytes(a("1.2.3.4", { name: "b.example" })),
  );
  for (let bytes = 0; bytes < whole.length; bytes++) {
    const message = Uint8Array.from(whole);
    message.set(be16(asked.id));
    bench.raw(asked, message.subarray(0, bytes));
    bench.stack.take();
    const result = bench.lookup("www.example.com");
    t.true(result === EAI.INPROGRESS || result === EAI.FAIL, `${bytes} bytes: ${result}`);
    if (result === EAI.FAIL) asked = bench.ask("www.example.com");
  }
  bench.raw(asked, concat(be16(asked.id), whole.subarray(2), new Uint8Array(600)));
  t.is(bench.lookup("www.example.com"), EAI.INPROGRESS, "longer than 512 bytes");
});

test("DNS-7, DNS-9: no such name, no address, a truncated reply and a failing server are told apart", async (t) => {
  const bench = await Bench.create();
  for (const [name, flags, result] of [
    ["no.example", 0x8183, EAI.NONAME],
    ["none.example", 0x8180, EAI.NODATA],
    ["cut.example", 0x8380, EAI.FAIL],
    ["broken.example", 0x8182, EAI.FAIL],
    ["refused.example", 0x8185, EAI.FAIL],
  ] as const) {
    bench.reply(bench.ask(name), flags === 0x8380 ? [a("1.2.3.4")] : [], { flags });
    t.is(bench.lookup(name), result, name);
  }
  t.is(bench.lookup("no.example"), EAI.NONAME, "known for a while");
  t.deepEqual(bench.queries(), []);
  bench.stack.advance(11_000);
  t.is(bench.ask("no.example").name, "no.example");
});

test("DNS-8: three tries for each server, in turn, then EAI_AGAIN", async (t) => {
  const bench = await Bench.create(SECOND);
  bench.lookup("www.example.com");
  const servers: number[] = [];
  const at: number[] = [];
  const end = bench.stack.nowMs + 20_000;
  const began = bench.stack.nowMs;
  for (;;) {
    for (const { server } of bench.queries()) {
      servers.push(server);
      at.push(bench.stack.nowMs - began);
    }
    if (bench.stack.nowMs >= end) break;
    bench.stack.advance(100);
  }
  t.deepEqual(servers, [FIRST, SECOND, FIRST, SECOND, FIRST, SECOND]);
  at.slice(1).forEach((ms, i) => {
    const gap = ms - (at[i] as number);
    t.true(gap >= 2000 && gap <= 5000, `${gap} ms`);
  });
  t.is(bench.lookup("www.example.com"), EAI.AGAIN);
  t.is(bench.ask("www.example.com").server, FIRST, "asked anew afterwards");
});

test("DNS: a server that fails or does not listen is passed over at once", async (t) => {
  const bench = await Bench.create(SECOND);
  const failing = bench.ask("a.example");
  bench.reply(failing, [], { flags: 0x8182 });
  const [next] = bench.queries();
  t.is(next?.server, SECOND);
  bench.reply(next as Query, [a("1.2.3.4")]);
  t.deepEqual(bench.lookup("a.example"), [ip("1.2.3.4")]);
  bench.lookup("b.example");
  const [frame] = bench.stack.take();
  const closed = bench.stack.peer("192.168.7.53", "02:00:00:00:00:53");
  bench.stack.inject(
    closed.icmp({ type: 3, code: 3 }, frame?.bytes.subarray(14, 42) ?? new Uint8Array(0)),
  );
  t.is(bench.queries()[0]?.server, SECOND);
});

test("DNS: more names at a time than the table holds: EAI_AGAIN; answers that are known give way to questions", async (t) => {
  const bench = await Bench.create();
  const open = ["a", "b", "c", "d"].map((name) => bench.ask(`${name}.example`));
  t.is(bench.lookup("e.example"), EAI.AGAIN);
  bench.reply(open[1] as Query, [a("1.2.3.4")]);
  t.is(bench.ask("e.example").name, "e.example");
  t.is(bench.lookup("a.example"), EAI.INPROGRESS, "questions stay");
  t.deepEqual(bench.queries(), [], "one question for each name at a time");
});

test("DNS: the longest name is asked for; what is known gives way for it, what is asked does not, and each answer goes to its own", async (t) => {
  const bench = await Bench.create();
  const label = "l".repeat(63);
  const longest = [label, label, label, "l".repeat(61)].join(".");
  const first = bench.ask("first.example");
  bench.reply(first, [a("1.1.1.1")]);
  t.deepEqual(bench.lookup("first.example"), [ip("1.1.1.1")]);
  // 255 bytes of name: there is room for this one alone.
  const long = bench.ask(longest);
  t.is(
    bench.lookup("first.example"),
    EAI.AGAIN,
    "it has given way, and there is no room to ask anew",
  );
  t.is(bench.lookup(longest), EAI.INPROGRESS);
  bench.reply(long, [a("2.2.2.2")]);
  t.deepEqual(bench.lookup(longest), [ip("2.2.2.2")]);
  const open = ["one", "two", "three"].map((name) => bench.ask(`${name}.example`));
  t.is(bench.lookup(longest), EAI.AGAIN);
  // The first goes: those behind it move up, and are still who they were.
  bench.reply(open[0] as Query, [a("3.3.3.1")]);
  const second = [label, label, label, "much-longer-example.example"].join(".");
  const last = bench.ask(second);
  for (const [i, query] of [open[1], open[2], last].entries()) {
    bench.reply(query as Query, [a(`3.3.3.${i + 2}`)]);
  }
  t.deepEqual(bench.lookup("two.example"), [ip("3.3.3.2")]);
  t.deepEqual(bench.lookup("three.example"), [ip("3.3.3.3")]);
  t.deepEqual(bench.lookup(second), [ip("3.3.3.4")]);
});

test("DNS: without a server for a while the question waits for it, and goes at once to that of a new network", async (t) => {
  const bench = await Bench.create();
  bench.stack.wasm.nameServers(0, 0);
  t.is(bench.lookup("a.example"), EAI.INPROGRESS);
  bench.stack.advance(3000);
  t.deepEqual(bench.queries(), []);
  bench.stack.wasm.nameServers(SECOND, 0);
  bench.stack.advance(300);
  t.is(bench.queries()[0]?.server, SECOND);
  bench.stack.wasm.nameServers(0, 0);
  t.is(bench.lookup("b.example"), EAI.INPROGRESS);
  bench.stack.advance(20_000);
  t.is(bench.lookup("b.example"), EAI.AGAIN);
});
