/** Multicast DNS: what the responder says on the link, and what it makes of what others say (RFC 6762, RFC 6763, RFC 2236). */
import test from "../conformance/proves.js";
import { STACK_ADDRESS } from "../support/stack-harness.js";
import {
  GROUP,
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
import type { Parsed } from "../support/wire-parse.js";
import { be16, be32, concat, internetChecksum, ip } from "../support/wire.js";

test("MDNS-2, MDNS-3, MDNS-5, RFC 6762 8.1, 8.3, 10: three probes for all unique names, 250 ms apart, then two announcements, a second apart", async (t) => {
  const link = await Link.named();
  const began = link.stack.nowMs;
  const times: number[] = [];
  for (let probes = 0; probes < 3; probes++) {
    let [probe] = link.heard();
    while (!probe) [probe] = link.during(1);
    times.push(link.stack.nowMs);
    t.deepEqual([probe.frame.destination, probe.frame.ip?.destination], [GROUP_MAC, GROUP]);
    t.deepEqual([probe.frame.udp?.sourcePort, probe.frame.udp?.destinationPort], [5353, 5353]);
    t.is(probe.frame.ip?.ttl, 255);
    t.deepEqual([probe.id, probe.flags], [0, 0]);
    t.deepEqual(
      probe.questions.map((q) => [q.name.toLowerCase(), q.type, q.class]),
      [
        [HOST, T.ANY, 0x8001],
        [INSTANCE, T.ANY, 0x8001],
      ],
    );
    t.deepEqual(probe.authority.map(lower), [`${HOST} ${T.A}`, `${INSTANCE} ${T.SRV}`]);
    t.true(probe.authority.every((rr) => rr.class === 1));
  }
  t.true((times[0] as number) - began <= 251);
  t.deepEqual(
    [(times[1] as number) - (times[0] as number), (times[2] as number) - (times[1] as number)],
    [250, 250],
  );
  t.deepEqual(link.during(249), []);
  const [first] = link.during(2);
  t.is(first?.flags, 0x8400);
  t.deepEqual(first?.answers.map(lower), [
    `${HOST} ${T.A}`,
    `${SERVICE} ${T.PTR}`,
    `${INSTANCE} ${T.SRV}`,
    `${INSTANCE} ${T.TXT}`,
    `${TYPES} ${T.PTR}`,
  ]);
  t.deepEqual(
    first?.answers.map((rr) => [rr.class, rr.ttl]),
    [
      [0x8001, 120],
      [1, 4500],
      [0x8001, 120],
      [0x8001, 4500],
      [1, 4500],
    ],
    "MDNS-5: cache-flush on unique records only",
  );
  t.deepEqual(first?.answers[0]?.data, be32(STACK_ADDRESS));
  t.deepEqual(first?.answers[2]?.data, concat(be32(0), be16(80), name("Plant.local")));
  t.deepEqual(first?.answers[3]?.data, Uint8Array.of(0));
  t.deepEqual(link.during(990), []);
  t.is(link.during(20).length, 1);
  t.deepEqual(link.during(600_000), [], "and then silence");
});

test("MDNS-1, RFC 6762 6: the name is answered to all, at once, whatever its letters; not twice within a second", async (t) => {
  const link = await Link.running();
  const [answer, ...more] = link.ask("pLANT.lOCAL", T.A);
  t.is(more.length, 0);
  t.is(answer?.frame.ip?.destination, GROUP);
  t.deepEqual([answer?.id, answer?.flags, answer?.questions.length], [0, 0x8400, 0]);
  t.deepEqual(answer?.answers[0]?.data, be32(STACK_ADDRESS));
  link.say({ questions: [question(HOST, T.A)] });
  t.deepEqual(link.heard(), []);
  t.is(link.ask(HOST, T.ANY).length, 1);
  t.deepEqual(link.ask("other.local", T.A), []);
  t.deepEqual(link.ask("plant.local.local", T.A), []);
});

test("MDNS-8, RFC 6762 6.1: there is no such type, says NSEC; other opcodes and broken messages are ignored", async (t) => {
  const link = await Link.running();
  const [answer] = link.ask(HOST, T.AAAA);
  t.deepEqual(answer?.answers.map(lower), [`${HOST} ${T.NSEC}`]);
  t.deepEqual(answer?.answers[0]?.data, concat(name("Plant.local"), [0, 1, 0x40]));
  t.deepEqual(link.ask(HOST, T.A, { flags: 0x0800 }), []);
  const whole = message({
    questions: [question(HOST, T.A)],
    answers: [record(HOST, T.A, 9, be32(1))],
  });
  const host = link.stack.peer("192.168.7.9");
  const to = { ip: { destination: GROUP }, ethernet: { destination: GROUP_MAC } };
  for (let bytes = 0; bytes < whole.length; bytes++) {
    const ports = { sourcePort: 5353, destinationPort: 5353 };
    link.stack.inject(host.udp(ports, whole.subarray(0, bytes), to));
    t.deepEqual(link.heard(), [], `${bytes} bytes`);
  }
  const loop = concat(be16(0xc00c), be16(T.A), be16(1));
  link.say({ questions: [loop] });
  link.say({ questions: [concat([1, 0x61], be16(0xc00e), be16(T.A), be16(1))] });
  t.deepEqual(link.heard(), []);
});

test("MDNS-4, RFC 6763: a service is found: type, instance, port and address, after 20 to 120 ms, in one message", async (t) => {
  const link = await Link.running();
  link.say({ questions: [question(SERVICE, T.PTR)] });
  t.deepEqual(link.during(19), []);
  const [answer] = link.during(102);
  t.deepEqual(answer?.answers.map(lower), [`${SERVICE} ${T.PTR}`]);
  t.deepEqual(answer?.answers[0]?.data, name("Plant._http._tcp.local"));
  t.deepEqual(answer?.additional.map(lower), [
    `${HOST} ${T.A}`,
    `${INSTANCE} ${T.SRV}`,
    `${INSTANCE} ${T.TXT}`,
  ]);
  link.say({ questions: [question(TYPES, T.PTR)] });
  const [types] = link.during(121);
  t.deepEqual(types?.answers[0]?.data, name(SERVICE));
  t.deepEqual(link.ask(INSTANCE, T.SRV)[0]?.answers[0]?.data.length, 19);
  t.deepEqual(link.ask("_ftp._tcp.local", T.PTR), []);
  link.say({ questions: [question(HOST, T.A)], flags: 0x0200 });
  t.deepEqual(link.during(399), [], "more known answers are to come");
  t.is(link.during(102).length, 1);
});

test("MDNS-6, RFC 6762 7.1: what the asker knows for half its time at least is not told again; 5.4: QU is answered to him", async (t) => {
  const link = await Link.running();
  const known = (ttl: number, address: number): Sections => ({
    answers: [record(HOST, T.A, ttl, be32(address))],
  });
  t.deepEqual(link.ask(HOST, T.A, known(60, STACK_ADDRESS)), []);
  t.is(link.ask(HOST, T.A, known(59, STACK_ADDRESS)).length, 1);
  t.is(link.ask(HOST, T.A, known(120, STACK_ADDRESS + 1)).length, 1);
  const [alone] = link.ask(HOST, T.A, { questions: [question(HOST, T.A, true)] });
  t.is(alone?.frame.ip?.destination, ip("192.168.7.9"));
  t.deepEqual([alone?.frame.udp?.destinationPort, alone?.answers[0]?.class], [5353, 0x8001]);
  link.stack.advance(31_000);
  const [all] = link.ask(HOST, T.A, { questions: [question(HOST, T.A, true)] });
  t.is(all?.frame.ip?.destination, GROUP, "it was not told to all for a quarter of its time");
});

test("MDNS-7, RFC 6762 6.7: one who asks from another port gets his identifier and question back, TTL 10, no cache-flush", async (t) => {
  const link = await Link.running();
  link.say({ id: 0x1234, questions: [question(HOST, T.A)] }, "192.168.7.9", 40_000);
  const [answer] = link.heard();
  t.is(answer?.frame.ip?.destination, ip("192.168.7.9"));
  t.is(answer?.frame.udp?.destinationPort, 40_000);
  t.is(answer?.id, 0x1234);
  t.is(answer?.questions[0]?.name, HOST);
  t.deepEqual([answer?.answers[0]?.ttl, answer?.answers[0]?.class], [10, 1]);
  let answers = 0;
  for (let i = 0; i < 1000; i++) {
    link.say({ questions: [question(HOST, T.A)] }, "192.168.7.9", 40_000);
    answers += link.heard().length;
  }
  t.true(answers <= 40, `${answers} answers to a flood`);
});

test("N-11, RFC 6762 5.5, 11: a question to our own address from outside the network is ignored, and so is one that would be answered to there", async (t) => {
  const link = await Link.running();
  for (const port of [5353, 40_000])
    link.say({ questions: [question(HOST, T.A)] }, "10.0.0.9", port, STACK_ADDRESS);
  link.say({ questions: [question(HOST, T.A)] }, "10.0.0.9", 40_000);
  t.deepEqual(link.heard(), []);
});

// "… are necessarily deemed to have originated on the local link, regardless of source IP address. This is essential to allow devices to work
// correctly and reliably in unusual configurations, such as multiple logical IP subnets overlayed on a single link".
test("RFC 6762 11: what was sent to the group is from the link: a station with an address of another network is answered, by the group, and may have our name", async (t) => {
  const link = await Link.running();
  for (const unicast of [false, true]) {
    link.during(2000);
    link.say({ questions: [question(HOST, T.A, unicast)] }, "10.0.0.9");
    const [answer, ...more] = link.heard();
    t.deepEqual(more, []);
    t.is(answer?.frame.ip?.destination, ip("224.0.0.251"));
    t.is(answer?.answers[0]?.type, T.A);
  }
  link.say({ flags: 0x8400, answers: [record(HOST, T.A, 120, be32(ip("10.0.0.9")))] }, "10.0.0.9");
  t.is(link.during(300)[0]?.questions[0]?.name, "Plant.local", "probed anew");
});

test("MDNS-2, MDNS-3, RFC 6762 8.1, 9: a name that another has is given up for the next one; a later claim is probed anew", async (t) => {
  const link = await Link.named();
  const claim = (): void => {
    link.say({ flags: 0x8400, answers: [record(HOST, T.A, 120, be32(ip("192.168.7.77")))] });
  };
  link.during(300);
  claim();
  const next = link.during(3000);
  t.is(next[0]?.questions[0]?.name, "Plant-2.local");
  t.is(next.filter((m) => m.flags === 0).length, 3);
  t.is(next.at(-1)?.answers[0]?.name, "Plant-2.local");
  t.is(link.stack.counter("mdnsConflict"), 1);
  t.deepEqual(link.ask(HOST, T.A), [], "the name is not ours");
  claim();
  t.deepEqual(link.during(3000), [], "nor a concern of ours");
  link.say({ flags: 0x8400, answers: [record("plant-2.local", T.A, 120, be32(1))] });
  const again = link.during(3000);
  t.is(again[0]?.questions[0]?.name, "Plant-2.local", "we ask who else has it");
  t.is(again.at(-1)?.answers[0]?.name, "Plant-2.local", "and keep it when nobody says so");
  link.say({ flags: 0x8400, answers: [record("plant-2.local", T.A, 120, be32(STACK_ADDRESS))] });
  t.deepEqual(link.during(3000), [], "our own data is no conflict");
});

test("RFC 6762 8.2: of two that probe at the same time the greater address has the name, the other asks again after a second", async (t) => {
  for (const [address, wins] of [
    ["192.168.7.1", true],
    ["192.168.7.3", false],
  ] as const) {
    const link = await Link.named(false);
    link.during(300);
    link.say({
      questions: [question(HOST, T.ANY, true)],
      authority: [record(HOST, T.A, 120, be32(ip(address)))],
    });
    const next = link.during(990);
    t.is(next.length > 0, wins, address);
    const later = link.during(3000);
    t.is(later.at(-1)?.answers[0]?.name, "Plant.local");
  }
});

test("MDNS-2: after 15 conflicts there are five seconds between the attempts", async (t) => {
  const link = await Link.named(false);
  let probed = 0;
  for (let i = 0; i < 40; i++) {
    const [probe] = link.during(260);
    if (!probe?.questions[0]) continue;
    probed += 1;
    const claimed = probe.questions[0].name;
    link.say({ flags: 0x8400, answers: [record(claimed, T.A, 120, be32(1))] });
  }
  t.true(probed >= 15 && probed <= 18, `${probed} attempts in 10 s`);
});

test("N-10, RFC 6762 6.7, 8.1, 11: names without an end, a thousand questions, conflicts 100 times a second, strangers from afar: bounded", async (t) => {
  // Names that never end: no zero, a label that goes on behind the message, pointers to themselves and to one another.
  const endless = [
    concat([5], Buffer.from("plant"), [5], Buffer.from("local")),
    concat([63], Buffer.from("plant")),
    [0xc0, 12],
    [0xc0, 14, 0xc0, 12],
    concat(...Array.from({ length: 200 }, () => [1, 0x61])),
  ];
  const link = await Link.running();
  for (const bytes of endless) {
    link.say({ questions: [Uint8Array.from(bytes)] });
    link.say({ flags: 0x8400, answers: [Uint8Array.from(bytes)] });
    link.say({ questions: [Uint8Array.from(bytes)] }, "192.168.7.9", 40_000);
  }
  t.deepEqual(link.during(3000), []);
  t.is(link.ask(HOST, T.A).length, 1, "and the name is still answered");

  // A thousand questions: at most one message with one record.
  link.stack.advance(1100);
  link.heard();
  const short = concat([0], be16(T.A), be16(1));
  const many = Array.from({ length: 180 }, () => short);
  link.say({ questions: [...many, question(HOST, T.A)] });
  t.deepEqual(
    link.heard().map(({ answers }) => answers.length),
    [1],
  );
  link.stack.advance(1100);
  link.heard();
  link.say({ questions: Array.from({ length: 50 }, () => question(HOST, T.A)) });
  t.deepEqual(
    link.heard().map(({ answers }) => answers.length),
    [1],
  );
  link.say({ told: 1000, questions: [...many, question(HOST, T.A)] });
  link.say({ told: 0xffff, questions: [question(HOST, T.A)] });
  t.deepEqual(link.during(2000), [], "fewer than were told of");
  const full = Array.from({ length: 290 }, () => short);
  link.say({ told: 1000, questions: full });
  link.say({ questions: full });
  t.deepEqual(link.during(2000), [], "longer than we look at");

  // Off the link: neither asked nor believed.
  const claim = { flags: 0x8400, answers: [record(HOST, T.A, 120, be32(1))] };
  link.say(claim, "10.0.0.9", 5353, STACK_ADDRESS);
  link.say({ questions: [question(HOST, T.A)] }, "10.0.0.9", 40_000);
  t.deepEqual(link.during(3000), []);
  t.is(link.stack.counter("mdnsConflict"), 0);

  // From another port: told to him alone, to be kept for ten seconds at most.
  link.say({ id: 7, questions: [question(HOST, T.A)] }, "192.168.7.9", 40_000);
  const [answer] = link.heard();
  t.is(answer?.frame.ip?.destination, ip("192.168.7.9"));
  t.true(answer?.answers.every(({ ttl }) => ttl <= 10));

  // Every probe is contradicted, a hundred times a second: after fifteen conflicts five seconds between the attempts.
  const harried = await Link.named(false);
  const attempts: number[] = [];
  let probing = "";
  for (let tick = 0; tick < 6000; tick++) {
    for (const { questions } of harried.during(10)) {
      const asked = questions[0]?.name;
      if (asked === undefined || asked === probing) continue;
      probing = asked;
      attempts.push(tick * 10);
    }
    const taken = probing === "" ? HOST : probing;
    harried.say({ flags: 0x8400, answers: [record(taken, T.A, 120, be32(1))] });
  }
  const waits = attempts.slice(1).map((time, i) => time - (attempts[i] as number));
  t.true(attempts.length <= 15 + 60 / 5, `${attempts.length} names in a minute`);
  t.true(
    waits.slice(15).every((wait) => wait >= 4990),
    waits.join(),
  );
  t.true(waits.length > 15);
});

test("RFC 2236: the group is reported when it is joined, once more, and when a router asks", async (t) => {
  const link = await Link.named();
  const reports = (ms: number): Parsed[] => {
    link.stack.advance(ms);
    return link.stack.take().filter((frame) => frame.ip?.protocol === 2);
  };
  const [first] = reports(1);
  t.deepEqual([first?.destination, first?.ip?.destination], [GROUP_MAC, GROUP]);
  t.is(first?.ip?.ttl, 1);
  t.deepEqual(first?.ip?.options, Uint8Array.of(0x94, 4, 0, 0), "router alert");
  t.deepEqual(first?.ip?.payload.subarray(0, 2), Uint8Array.of(0x16, 0));
  t.deepEqual(first?.ip?.payload.subarray(4), be32(GROUP));
  t.is(reports(10_000).length, 1);
  t.is(reports(300_000).length, 0);
  const router = link.stack.peer("192.168.7.1", "02:00:00:00:00:fe");
  const query = (group: number, checksum?: number): void => {
    const body = concat([0x11, 10, 0, 0], be32(group));
    body.set(be16(checksum ?? internetChecksum(body)), 2);
    const below = {
      ip: { destination: ip("224.0.0.1"), ttl: 1 },
      ethernet: { destination: "01:00:5e:00:00:01" },
    };
    link.stack.inject(router.ip(2, body, below));
  };
  query(0);
  t.is(reports(1001).length, 1, "within the time that the router gives");
  query(GROUP);
  t.is(reports(1001).length, 1);
  query(ip("224.0.0.99"));
  query(GROUP, 0x1234);
  t.is(reports(1001).length, 0);
});

test("RFC 6762 8: without an address there is no name, and a cable that comes back probes again", async (t) => {
  const link = await Link.running();
  link.stack.wasm.linkChanged(0);
  link.stack.wasm.linkChanged(1);
  t.is(link.during(3000).filter((m) => m.flags === 0).length, 3);
});

test("MDNS-5, RFC 6762 10.1: goodbye takes all records back with TTL 0, and nothing is answered any more", async (t) => {
  const link = await Link.running();
  t.is(link.stack.wasm.goodbye(), 1);
  const [frame, ...more] = link.stack.take();
  t.is(more.length, 0);
  const { flags, answers } = said(frame as Parsed);
  t.is(flags, 0x8400);
  t.deepEqual(
    answers.map(({ name, type, ttl }) => `${name} ${type} ${ttl}`),
    [
      "Plant.local 1 0",
      "_http._tcp.local 12 0",
      "Plant._http._tcp.local 33 0",
      "Plant._http._tcp.local 16 0",
      "_services._dns-sd._udp.local 12 0",
    ],
  );
  link.stack.advance(10_000);
  t.deepEqual(link.stack.take(), []);
  // A device that goes on is there again.
  link.stack.wasm.hostName(link.stack.wasm.scratch() + 4096, 5);
  link.stack.advance(3000);
  const ttls = link.stack.take().flatMap((it) => (it.udp ? said(it).answers : []));
  t.true(ttls.length > 0 && ttls.every(({ ttl }) => ttl > 0));
});
