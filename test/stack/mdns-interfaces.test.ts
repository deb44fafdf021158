/** Names of the link with two interfaces (INTERFACES 2): each link is probed, told and answered by itself (RFC 6762 14). */
import test from "ava";
import { GROUP, GROUP_MAC, HOST, INSTANCE, T, said } from "../support/mdns-link.js";
import { message, name, question, record, type Sections } from "../support/mdns-link.js";
import { StackHarness } from "../support/stack-harness.js";
import { be16, be32, concat, ip } from "../support/wire.js";

const MACS = ["02:00:00:00:00:aa", "02:00:00:00:00:bb"] as const;
const ADDRESSES = [ip("192.168.7.2"), ip("10.5.0.2")] as const;
const HOSTS = ["192.168.7.9", "10.5.0.9"] as const;
const LANS = [0, 1] as const;
type Said = ReturnType<typeof said>;

/** A stack with a name and a web server on two links, just named. */
class Links {
  private constructor(readonly stack: StackHarness) {}

  static async named(addresses: readonly [number, number] = ADDRESSES): Promise<Links> {
    const stack = await StackHarness.create({
      options: { INTERFACES: 2 },
      mac: MACS[0],
      address: addresses[0],
      second: { mac: MACS[1], address: addresses[1] },
    });
    stack.advance(5000);
    const links = new Links(stack);
    links.heard();
    stack.wasm.announceHttp(80);
    const at = (stack.wasm.scratch() >>> 0) + 4096;
    new Uint8Array(stack.wasm.memory.buffer).set(Buffer.from("Plant"), at);
    stack.wasm.hostName(at, 5);
    return links;
  }

  static async running(): Promise<Links> {
    const links = await Links.named();
    links.during(20_000);
    return links;
  }

  /** What was said on each link until now. */
  heard(): Said[][] {
    return LANS.map((lan) =>
      this.stack
        .on(lan)
        .take()
        .filter((frame) => frame.udp?.destinationPort === 5353 || frame.udp?.sourcePort === 5353)
        .map((frame) => said(frame)),
    );
  }

  during(ms: number): Said[][] {
    this.stack.advance(ms);
    return this.heard();
  }

  /** Says something on a link, as its host or another one of it. */
  say(lan: 0 | 1, sections: Sections, from: string = HOSTS[lan], sourcePort = 5353): void {
    const host = this.stack.on(lan).peer(from);
    const to = { ip: { destination: GROUP, ttl: 255 }, ethernet: { destination: GROUP_MAC } };
    this.stack.inject(host.udp({ sourcePort, destinationPort: 5353 }, message(sections), to));
  }
}

const claim = (of: string, address: string): Sections => ({
  flags: 0x8400,
  answers: [record(of, T.A, 120, be32(ip(address)))],
});
const addressIn = (heard: Said | undefined): unknown =>
  heard?.answers.find((rr) => rr.type === T.A)?.data;

test("RFC 6762 8, 14: each link is probed and told by itself, with the address that is valid there", async (t) => {
  const links = await Links.named();
  const all = links.during(5000);
  for (const lan of LANS) {
    const heard = all[lan] ?? [];
    t.deepEqual(
      heard.map((m) => m.flags),
      [0, 0, 0, 0x8400, 0x8400],
    );
    t.true(heard.every((m) => m.frame.ip?.source === ADDRESSES[lan]));
    t.deepEqual(heard[0]?.authority[0]?.data, be32(ADDRESSES[lan] as number));
    t.deepEqual(addressIn(heard[4]), be32(ADDRESSES[lan] as number));
  }
  t.deepEqual(links.during(600_000), [[], []]);
});

test("RFC 6762 6, 14: a question is answered on the link where it was asked, to all, to one, and to a plain resolver", async (t) => {
  const links = await Links.running();
  for (const lan of LANS) {
    for (const [asked, port] of [
      [question(HOST, T.A), 5353],
      [question(HOST, T.A, true), 5353],
      [question(HOST, T.A), 40_000],
      [question(INSTANCE, T.SRV), 5353],
    ] as const) {
      links.stack.on(lan).neighbour(HOSTS[lan]);
      links.during(1100);
      links.say(lan, { questions: [asked] }, HOSTS[lan], port);
      const heard = links.heard();
      t.is(heard[lan]?.length, 1);
      const [answer] = heard[lan] ?? [];
      t.deepEqual(
        [...(answer?.answers ?? []), ...(answer?.additional ?? [])].find((rr) => rr.type === T.A)
          ?.data,
        be32(ADDRESSES[lan] as number),
      );
      t.deepEqual(heard[1 - lan], []);
    }
    // RFC 6762 11: a station of the other network gets no answer of its own.
    links.say(lan, { questions: [question(HOST, T.A)] }, HOSTS[1 - lan], 40_000);
    t.deepEqual(links.heard(), [[], []]);
  }
  // What was multicast on one link within a second is told on the other.
  links.during(1100);
  for (const lan of LANS) links.say(lan, { questions: [question(HOST, T.A)] });
  t.deepEqual(
    links.heard().map((heard) => heard.length),
    [1, 1],
  );
});

test("RFC 6762 14: a name that another has on one link is given up there alone", async (t) => {
  for (const lan of LANS) {
    const links = await Links.named();
    links.during(300);
    links.say(lan, claim(HOST, "192.168.7.77"));
    const all = links.during(5000);
    t.is(all[lan]?.at(-1)?.answers[0]?.name, "Plant-2.local");
    t.is(all[1 - lan]?.at(-1)?.answers[0]?.name, "Plant.local");
    t.deepEqual(
      all[lan]?.at(-1)?.answers.find((rr) => rr.type === T.SRV)?.data,
      concat(be32(0), be16(80), name("Plant-2.local")),
    );
    t.is(links.stack.counter("mdnsConflict"), 1);
    for (const [of, on] of [
      ["plant-2.local", lan],
      [HOST, 1 - lan],
    ] as const) {
      links.during(1100);
      for (const asked of LANS) links.say(asked, { questions: [question(of, T.A)] });
      const heard = links.heard();
      t.deepEqual(addressIn(heard[on]?.[0]), be32(ADDRESSES[on] as number), of);
      t.deepEqual(heard[1 - on], [], of);
    }
    // A conflict later on has this link probed anew, and no other.
    links.say(lan, claim("plant-2.local", "192.168.7.78"));
    const again = links.during(5000);
    t.is(again[lan]?.length, 5);
    t.deepEqual(again[1 - lan], []);
  }
});

test("RFC 6762 8: a cable that comes back, or an address that is lost, concerns its own link alone", async (t) => {
  const links = await Links.running();
  links.stack.wasm.linkChangedSecond(0);
  links.during(1000);
  links.stack.wasm.linkChangedSecond(1);
  const all = links.during(5000);
  t.deepEqual(all[0], []);
  t.deepEqual(
    all[1]?.map((m) => m.flags),
    [0, 0, 0, 0x8400, 0x8400],
  );
});

test("RFC 6762 10.1, 14: goodbye takes back on each link what was told there", async (t) => {
  const links = await Links.running();
  t.is(links.stack.wasm.goodbye(), 1);
  links.stack.run();
  const all = links.heard();
  for (const lan of LANS) {
    t.is(all[lan]?.length, 1);
    t.true(all[lan]?.[0]?.answers.every((rr) => rr.ttl === 0));
    t.deepEqual(addressIn(all[lan]?.[0]), be32(ADDRESSES[lan] as number));
    links.say(lan, { questions: [question(HOST, T.A)] });
  }
  t.deepEqual(links.during(5000), [[], []]);
});

test("RFC 6762 14: both interfaces on one link are no conflict, and each tells its address again when the other flushes it, without end never", async (t) => {
  const links = await Links.named([ip("192.168.7.2"), ip("192.168.7.3")]);
  const { stack } = links;
  let heard: Said[] = [];
  /** One link: what one interface sends the other hears. */
  const bridged = (ms: number): Said[] => {
    heard = [];
    for (let end = stack.nowMs + ms; stack.nowMs < end;) {
      const sent = links.during(1);
      for (const lan of LANS) {
        for (const m of sent[lan] ?? []) {
          heard.push(m);
          if (m.frame.ip?.destination !== GROUP) continue;
          stack.on(1 - lan).inject(m.frame.bytes);
        }
      }
    }
    return heard;
  };
  const first = bridged(10_000);
  t.is(stack.counter("mdnsConflict"), 0);
  t.true(first.every((m) => [...m.questions, ...m.answers].every((rr) => !/-2/.test(rr.name))));
  t.true(first.length < 20, `${first.length} messages`);
  // One alone answers: the other's address, which that flushes, is told again within the second.
  links.say(0, { questions: [question(HOST, T.A)] });
  const told = bridged(10_000).filter((m) => m.flags === 0x8400);
  t.deepEqual(told.map((m) => m.frame.ip?.source).sort(), [ip("192.168.7.2"), ip("192.168.7.3")]);
});

test("RFC 6762 5.1: a name of the link is asked for on both links, and who answers on either is believed", async (t) => {
  for (const lan of LANS) {
    const links = await Links.running();
    const { stack } = links;
    const at = stack.wasm.scratch() >>> 0;
    const look = (): number => {
      new Uint8Array(stack.wasm.memory.buffer).set(Buffer.from("lamp.local"), at);
      return stack.wasm.nameLookup(at, 10, at + 1024, 4);
    };
    t.is(look(), -100);
    stack.run();
    const asked = links.heard();
    t.deepEqual(
      asked.map((on) => on.map((m) => [m.frame.ip?.source, m.questions[0]?.name])),
      [[[ADDRESSES[0], "lamp.local"]], [[ADDRESSES[1], "lamp.local"]]],
    );
    const query = asked[lan]?.[0];
    const answer = message({
      id: query?.id ?? 0,
      flags: 0x8400,
      questions: [question("lamp.local", T.A)],
      answers: [record("lamp.local", T.A, 10, be32(ip("10.5.0.33")))],
    });
    const host = stack.on(lan).neighbour(HOSTS[lan]);
    const destinationPort = query?.frame.udp?.sourcePort ?? 0;
    stack.inject(host.udp({ sourcePort: 5353, destinationPort }, answer));
    t.is(look(), 1);
    t.is(new Uint32Array(stack.wasm.memory.buffer, at + 1024, 1)[0], ip("10.5.0.33"));
  }
});
