/** Multicast DNS: ties, conflicts, known answers and bad messages, as other hosts' responders have them (RFC 6762 7 to 9, 18). */
import test from "../conformance/proves.js";
import { STACK_ADDRESS } from "../support/stack-harness.js";
import {
  GROUP_MAC,
  HOST,
  INSTANCE,
  Link,
  SERVICE,
  T,
  TYPES,
  lower,
  message,
  name,
  question,
  record,
  said,
  type Sections,
} from "../support/mdns-link.js";
import { be16, be32, concat, ip } from "../support/wire.js";

/** A record of somebody else's, as it stands in a probe: with compressed names where `data` has some. */
const claim = (of: string, type: number, data: Uint8Array): Sections => ({
  questions: [question(of, T.ANY, true)],
  authority: [record(of, type, 120, data)],
});

test("RFC 6762 8.2: what both would say of a name is compared by type, then by data, from the lowest record on; of the service, too", async (t) => {
  const lower1 = record(HOST, T.A, 120, be32(ip("192.168.7.1")));
  const higher = record(HOST, T.A, 120, be32(ip("192.168.7.200")));
  const ask = [question(HOST, T.ANY, true)];
  // SRV with its target in plain form, and with a pointer for "local", as Avahi writes it.
  const srv = (port: number, target: string): Uint8Array =>
    concat(be32(0), be16(port), name(target));
  const packed = concat(be32(0), be16(80), [5], Buffer.from("Plant"), be16(0xc000 | (12 + 17)));
  const probes: [string, Sections, boolean][] = [
    ["two addresses, one below ours", { questions: ask, authority: [lower1, higher] }, true],
    ["two addresses, the other way round", { questions: ask, authority: [higher, lower1] }, true],
    ["one above", { questions: ask, authority: [higher] }, false],
    ["another type, which is higher", claim(HOST, T.AAAA, new Uint8Array(16)), false],
    ["the service at a lower port", claim(INSTANCE, T.SRV, srv(79, "zzz.local")), true],
    ["the service at a higher port", claim(INSTANCE, T.SRV, srv(81, "aaa.local")), false],
    ["the service with a text", claim(INSTANCE, T.TXT, Uint8Array.of(0)), true],
    ["our own service, written with a pointer", claim(INSTANCE, T.SRV, packed), true],
    ["our own service", claim(INSTANCE, T.SRV, srv(80, "Plant.local")), true],
  ];
  for (const [what, said, wins] of probes) {
    const link = await Link.named();
    link.during(300);
    link.say(said);
    t.is(link.during(990).length > 0, wins, what);
    t.is(link.during(3000).at(-1)?.answers[0]?.name, "Plant.local", what);
  }
});

test("MDNS-2, RFC 6762 8.1, 9: while a name is asked for any record of it takes it; later those of our own types with other data", async (t) => {
  const renamed = async (said: Sections, later: boolean): Promise<string | undefined> => {
    const link = later ? await Link.running() : await Link.named();
    if (!later) link.during(300);
    link.say(said);
    const conflicts = link.stack.counter("mdnsConflict");
    const heard = link.during(3000);
    return conflicts === 0 ? "none" : heard.findLast((m) => m.answers.length > 0)?.answers[0]?.name;
  };
  const response = (of: string, type: number, data: Uint8Array, ttl = 120): Sections => ({
    flags: 0x8400,
    answers: [record(of, type, ttl, data)],
  });
  const six = new Uint8Array(16);
  const text = concat([3], Buffer.from("a=b"));
  const srv = concat(be32(0), be16(80), name("Plant.local"));
  t.is(await renamed(response(HOST, T.AAAA, six), false), "Plant-2.local");
  t.is(await renamed(response(INSTANCE, T.TXT, text), false), "Plant-2.local");
  t.is(await renamed(response(INSTANCE, T.SRV, srv), false), "none");
  t.is(await renamed(response(HOST, T.AAAA, six, 0), false), "none", "a goodbye");
  t.is(await renamed(response(HOST, T.AAAA, six), true), "none", "we have no such record");
  t.is(await renamed(response(INSTANCE, T.TXT, text), true), "Plant.local", "asked for anew");
  t.is(await renamed(response(INSTANCE, T.TXT, Uint8Array.of(0)), true), "none");
  t.is(await renamed(response(INSTANCE, T.SRV, srv), true), "none");
  const packed = concat(be32(0), be16(80), [5], Buffer.from("plant"), be16(0xc000 | (12 + 17)));
  t.is(await renamed(response(INSTANCE, T.SRV, packed), true), "none", "a pointer in our data");
});

test("RFC 6762 18.3, 18.11: a message with another opcode or a response code is neither a claim nor a question", async (t) => {
  const link = await Link.running();
  for (const flags of [0x8c00, 0x8403, 0x840f]) {
    link.say({ flags, answers: [record(HOST, T.A, 120, be32(1))] });
    t.deepEqual(link.during(1000), []);
  }
  t.is(link.stack.counter("mdnsConflict"), 0);
  for (const flags of [0x0001, 0x2800]) t.deepEqual(link.ask(HOST, T.A, { flags }), []);
});

test("MDNS-6, RFC 6762 7.1, 7.2: known answers of the other types, and those that come in further messages of the same asker", async (t) => {
  const link = await Link.running();
  const srv = concat(be32(0), be16(80), name("plant.local"));
  const known = (of: string, type: number, ttl: number, data: Uint8Array): Sections => ({
    answers: [record(of, type, ttl, data)],
  });
  t.deepEqual(link.ask(INSTANCE, T.SRV, known(INSTANCE, T.SRV, 60, srv)), []);
  t.is(link.ask(INSTANCE, T.SRV, known(INSTANCE, T.SRV, 59, srv)).length, 1);
  t.deepEqual(link.ask(INSTANCE, T.TXT, known(INSTANCE, T.TXT, 2250, Uint8Array.of(0))), []);
  t.is(link.ask(INSTANCE, T.TXT, known(INSTANCE, T.TXT, 2250, Uint8Array.of(1))).length, 1);

  const pointer = { answers: [record(SERVICE, T.PTR, 4500, name("Plant._http._tcp.local"))] };
  const begin = (): void => {
    link.stack.advance(1100);
    link.heard();
    link.say({ flags: 0x0200, questions: [question(SERVICE, T.PTR)] });
  };
  begin();
  link.say(pointer);
  t.deepEqual(link.during(1000), [], "known by the second message");
  begin();
  link.say({ flags: 0x0200, ...known(SERVICE, T.PTR, 4500, name("x._http._tcp.local")) });
  t.deepEqual(link.during(399), [], "a third one is to come");
  link.say(pointer);
  t.deepEqual(link.during(1000), []);
  begin();
  link.say(pointer, "192.168.7.10");
  t.is(link.during(501).length, 1, "another one's knowledge");
  begin();
  link.say({ questions: [question(SERVICE, T.PTR)] }, "192.168.7.10");
  link.say(pointer);
  t.is(link.during(501).length, 1, "somebody else has asked, too");
});

test("RFC 6762 6.7: all questions at once, with the longest names: a message for all, the answer to the first for one from another port", async (t) => {
  const link = await Link.named();
  const label = "a-name-of-32-characters-the-most";
  const at = link.stack.wasm.scratch() >>> 0;
  new Uint8Array(link.stack.wasm.memory.buffer).set(Buffer.from(label.repeat(2)), at + 4096);
  link.stack.wasm.hostName(at + 4096, 63);
  link.stack.advance(20_000);
  const announced = link.heard().at(-1)?.answers[0]?.name as string;
  t.is(announced, `${label}.local`);
  const instance = `${label}._http._tcp.local`;
  const other = Array.from({ length: 15 }, () => "eightcha").join(".");
  const all = [
    ...[question(announced, T.ANY), question(announced, T.AAAA), question(TYPES, T.PTR)],
    ...[question(SERVICE, T.PTR), question(instance, T.ANY)],
  ];
  link.stack.advance(1100);
  link.say({ questions: [question(other, T.A), ...all] });
  const [answer] = link.during(200);
  t.is(answer?.answers.length, 6);
  link.say({ id: 9, questions: [question(other, T.A), ...all] }, "192.168.7.9", 40_000);
  t.deepEqual(link.heard(), [], "the first is not ours");
  link.say({ id: 9, questions: [question(SERVICE, T.PTR), ...all] }, "192.168.7.9", 40_000);
  const [alone] = link.heard();
  t.is(alone?.questions[0]?.name, SERVICE);
  t.deepEqual(alone?.answers.map(lower), [`${SERVICE} ${T.PTR}`]);
});

test("MDNS-2, RFC 6762 8.2, 9: three devices of one name on one link, at once, one after the other, or when two links become one: each has a name of its own", async (t) => {
  for (const [what, starts, joined] of [
    ["at once", [0, 0, 0], 0],
    ["within the probes", [0, 200, 500], 0],
    ["one after the other", [0, 3000, 9000], 0],
    ["two links become one", [0, 0, 0], 20_000],
  ] as const) {
    const links = await Promise.all(
      [1, 2, 3].map((number) =>
        Link.named(true, {
          address: ip(`192.168.7.${40 + number}`),
          mac: `02:00:00:00:00:0${number}`,
          seeds: [number, 7],
        }),
      ),
    );
    const names = links.map(() => "");
    for (let ms = 0; ms < 60_000; ms += 5) {
      const heard = links.map((link, i) => {
        if (ms >= (starts[i] as number)) link.stack.advance(5);
        return link.stack.take();
      });
      heard.forEach((frames, from) => {
        for (const frame of frames) {
          if (frame.udp) names[from] = said(frame).answers[0]?.name ?? (names[from] as string);
          links.forEach(({ stack }, to) => {
            if (to !== from && ms >= joined) stack.inject(frame.bytes);
          });
        }
      });
      if (ms === joined) for (const { stack } of links) stack.wasm.announceHttp(80);
    }
    t.deepEqual([...names].sort(), ["Plant-2.local", "Plant-3.local", "Plant.local"], what);
  }
});

test("RFC 6762 6.6, 10.1: what another takes back, or gives less than half its time, is said again if it is ours; once a second at most", async (t) => {
  const link = await Link.running();
  const theirs = (ttl: number, of = TYPES, type = T.PTR, data = name(SERVICE)): void =>
    link.say({ flags: 0x8400, answers: [record(of, type, ttl, data)] });
  const told = (ms: number): string[] => link.during(ms).flatMap((it) => it.answers.map(lower));
  // Another device with the same service leaves the link; so the list of types would be without ours.
  theirs(0);
  t.deepEqual(told(1), [`${TYPES} ${T.PTR}`]);
  theirs(0);
  t.deepEqual(told(998), []);
  t.deepEqual(told(2), [`${TYPES} ${T.PTR}`], "within the second after which it is forgotten");
  t.deepEqual(told(5000), []);
  theirs(2249);
  t.deepEqual(told(1), [`${TYPES} ${T.PTR}`]);
  link.stack.advance(2000);
  theirs(2250);
  theirs(0, SERVICE, T.PTR, name("other._http._tcp.local"));
  theirs(0, "_ipp._tcp.local");
  t.deepEqual(told(2000), []);
  // A forged goodbye of the name, of the instance, of the service's.
  const own: [string, number, Uint8Array][] = [
    [HOST, T.A, be32(STACK_ADDRESS)],
    [INSTANCE, T.SRV, concat([0, 0, 0, 0], be16(80), name(HOST))],
    [INSTANCE, T.TXT, Uint8Array.of(0)],
    [SERVICE, T.PTR, name(INSTANCE)],
  ];
  for (const [of, type, data] of own) {
    theirs(0, of, type, data);
    t.true(told(1).includes(`${of} ${type}`), `${of} ${type}`);
    link.stack.advance(2000);
  }
  link.heard();
  // A flood of them.
  let told100 = 0;
  for (let i = 0; i < 1000; i++) {
    theirs(0, HOST, T.A, be32(STACK_ADDRESS));
    told100 += told(10).length;
  }
  t.true(told100 >= 9 && told100 <= 11, `${told100} in ten seconds`);
  t.is(link.stack.counter("mdnsConflict"), 0);
});

test("N-10, RFC 6762 6: what goes with an answer is not multicast again within a second, either", async (t) => {
  const link = await Link.running();
  const times = new Map<string, number[]>();
  for (let ms = 0; ms < 5000; ms += 50) {
    const [of, type] = [
      [HOST, T.A],
      [SERVICE, T.PTR],
      [INSTANCE, T.SRV],
      [INSTANCE, T.TXT],
    ][(ms / 50) % 4] as [string, number];
    link.say({ questions: [question(of, type)] });
    for (const { answers, additional } of link.during(50))
      for (const rr of [...answers, ...additional])
        times.set(lower(rr), [...(times.get(lower(rr)) ?? []), ms]);
  }
  t.is(times.size, 4);
  for (const [rr, at] of times) t.true(at.length <= 6, `${rr} ${at.length} times in five seconds`);
});

test("RFC 6762 17: of a message that is longer than we look at the beginning counts: its questions, what is known, a claim", async (t) => {
  const others = Array.from({ length: 17 }, (_, i) =>
    record(SERVICE, T.PTR, 4500, name(`a printer with a long name ${i}._http._tcp.local`)),
  );
  const ours = record(SERVICE, T.PTR, 4500, name(INSTANCE));
  const link = await Link.running();
  const asks = (...answers: Uint8Array[]): number => {
    const sections = { questions: [question(SERVICE, T.PTR)], answers };
    t.true(message(sections).length > 1024 && message(sections).length <= 1472);
    link.stack.advance(2000);
    link.heard();
    link.say(sections);
    return link.during(130).length;
  };
  t.is(asks(...others), 1);
  t.is(asks(ours, ...others), 0);
  t.is(asks(...others, ours), 1, "more than needed, but nothing less");
  const long = { flags: 0x8400, answers: [...others, record(HOST, T.A, 120, be32(1))] };
  link.say(long);
  t.is(link.stack.counter("mdnsConflict"), 0);
  const bytes = message(long);
  const host = link.stack.peer("192.168.7.9");
  const to = { ip: { destination: ip("224.0.0.251") }, ethernet: { destination: GROUP_MAC } };
  const ports = { sourcePort: 5353, destinationPort: 5353, checksum: 0x1234 };
  link.say({ flags: 0x8400, answers: [record(HOST, T.A, 120, be32(1)), ...others] });
  t.is(link.stack.counter("mdnsConflict"), 1);
  link.stack.inject(host.udp(ports, bytes, to));
  t.is(link.stack.counter("udpBadChecksum"), 1);
});
