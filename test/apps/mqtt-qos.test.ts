/** QoS 2, and what a broker does wrong, by MQTT 3.1.1 (OASIS Standard, 29 October 2014), firmware/examples/mqtt. */
import test from "ava";
import type { Bench, Script } from "./bench.js";
import { Listener, exampleBench, lines } from "./examples.js";
import { next, nextTold, packet, string, welcome, type Packet } from "./mqtt-broker.js";
import type { Connection } from "./peer.js";

const say = string("lamp/say");
const said = string("lamp/said").toString();

/** A device whose first message was acknowledged, so that none is under way for ten seconds. */
function* ready(listener: Listener, ...answer: number[]): Script<Connection> {
  const client = yield* listener.accept();
  yield* welcome(client, ...answer);
  for (let packets = 0; packets < 3; packets++) {
    const { type, body } = yield* next(client);
    if (type === 0x82) yield* client.send(packet(0x90, body.subarray(0, 2), [2]));
    if (type === 0x32) yield* client.send(packet(0x40, body.subarray(13, 15)));
  }
  return client;
}

/** Packets of the device until a type comes, pings answered. */
function* until(client: Connection, type: number): Script<Packet[]> {
  const packets: Packet[] = [];
  do packets.push(yield* nextTold(client));
  while (packets.at(-1)?.type !== type && packets.at(-1)?.type !== 0);
  return packets;
}

const types = (packets: Packet[]): string[] => packets.map(({ type }) => type.toString(16));

async function lamp(): Promise<Bench> {
  return exampleBench("mqtt", { hostName: "lamp", limitSeconds: 2000 });
}

test("4.3.3: a message of QoS 2 is told once, however often it comes, and its identifier is free after PUBREL", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      let client = yield* ready(listener, 0, 0);
      const message = packet(0x34, say, [0, 9], Buffer.from("once"));
      yield* client.send(message);
      const received = yield* next(client);
      t.deepEqual([received.type, [...received.body]], [0x50, [0, 9]]);
      const back = yield* next(client);
      t.is(back.type, 0x34, "said back by QoS 2");
      t.is(back.body.toString("latin1", 0, 11), said);
      // It comes again, also over another connection: answered, not told.
      yield* client.send(packet(0x3c, say, [0, 9], Buffer.from("once")));
      t.is((yield* nextTold(client)).type, 0x50);
      client.abort();
      client = yield* listener.accept();
      yield* welcome(client, 1, 0);
      const again = yield* until(client, 0x3c);
      t.deepEqual(again.at(-1)?.body, back.body, "ours comes again with DUP");
      yield* client.send(packet(0x3c, say, [0, 9], Buffer.from("once")));
      const rest = yield* until(client, 0x50);
      t.deepEqual([...(rest.at(-1) as Packet).body], [0, 9]);
      // PUBREL, and again: PUBCOMP each time.
      for (let times = 0; times < 2; times++) {
        yield* client.send(packet(0x62, [0, 9]));
        const complete = yield* until(client, 0x70);
        t.deepEqual([...(complete.at(-1) as Packet).body], [0, 9]);
      }
      t.is(lines(bench).filter((line) => line === "MQTT message of 4 bytes").length, 1);
      yield* client.send(message);
      yield* until(client, 0x50);
      t.is(lines(bench).filter((line) => line === "MQTT message of 4 bytes").length, 2);
      client.close();
    })(),
  );
});

test("4.3.3, 4.4: what is published by QoS 2 goes on where it was after the connection is lost; PUBREC twice is answered twice", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      let client = yield* ready(listener, 0, 0);
      yield* client.send(packet(0x34, say, [0, 1], Buffer.from("two")));
      const back = (yield* until(client, 0x34)).at(-1) as Packet;
      const id = back.body.subarray(11, 13);
      // Answers that are none: another identifier, another QoS.
      yield* client.send(packet(0x40, id));
      yield* client.send(packet(0x70, id));
      yield* client.send(packet(0x50, [id[0] as number, (id[1] as number) ^ 1]));
      t.is((yield* nextTold(client)).type, 0x62, "an unknown PUBREC is answered, or it would stay");
      for (let times = 0; times < 2; times++) {
        yield* client.send(packet(0x50, id));
        const release = yield* nextTold(client);
        t.deepEqual([release.type, release.body], [0x62, id]);
      }
      // Released: not the message but PUBREL comes again.
      client.abort();
      client = yield* listener.accept();
      yield* welcome(client, 1, 0);
      const release = yield* nextTold(client);
      t.deepEqual([release.type, release.body], [0x62, id]);
      yield* client.send(packet(0x70, id));
      // There is room for the next one.
      const newer = (yield* until(client, 0x32)).at(-1) as Packet;
      yield* client.send(packet(0x40, newer.body.subarray(13, 15)));
      client.close();
    })(),
  );
});

test("3.2.2.2: a broker without our session gets the kept message as a new one, and forgets what it sent by QoS 2", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      let client = yield* ready(listener, 0, 0);
      yield* client.send(packet(0x34, say, [0, 1], Buffer.from("one")));
      const back = (yield* until(client, 0x34)).at(-1) as Packet;
      client.abort();
      client = yield* listener.accept();
      yield* welcome(client, 0, 0);
      const again = yield* nextTold(client);
      t.deepEqual([again.type, again.body], [0x34, back.body], "no DUP");
      yield* client.send(packet(0x34, say, [0, 1], Buffer.from("one")));
      yield* until(client, 0x50);
      t.is(lines(bench).filter((line) => line === "MQTT message of 3 bytes").length, 2);
      // Received, then the session is lost: it has arrived, nothing comes again.
      yield* client.send(packet(0x50, again.body.subarray(11, 13)));
      yield* until(client, 0x62);
      client.abort();
      client = yield* listener.accept();
      yield* welcome(client, 0, 0);
      const first = yield* nextTold(client);
      t.true(first.type === 0x82 || first.type === 0x32, types([first]).join());
      client.close();
    })(),
  );
});

test("a message that is longer than its room is dropped and acknowledged, wherever its identifier lies", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const client = yield* ready(new Listener(bench, 1883), 0, 0);
      yield* client.send(packet(0x30, say, Buffer.alloc(1000, 0x61)));
      for (const topic of [8, 251, 252, 253, 254, 255, 600]) {
        const name = Buffer.concat([
          Buffer.from([topic >> 8, topic & 255]),
          Buffer.alloc(topic, 65),
        ]);
        yield* client.send(packet(0x32, name, [0x12, topic & 255], Buffer.alloc(3000, 0x61)));
        const answer = (yield* until(client, 0x40)).at(-1) as Packet;
        t.deepEqual([...answer.body], [0x12, topic & 255], `topic of ${topic} bytes`);
      }
      yield* client.send(packet(0x34, say, [0x77, 1], Buffer.alloc(300)));
      t.deepEqual([...((yield* until(client, 0x50)).at(-1) as Packet).body], [0x77, 1]);
      yield* client.send(packet(0x32, say, [0, 1], Buffer.from("fits")));
      yield* until(client, 0x40);
      const told = lines(bench).filter((line) => line.startsWith("MQTT message of"));
      t.deepEqual(told, ["MQTT message of 4 bytes"]);
      t.true(lines(bench).includes("MQTT messages dropped: 9"));
      client.close();
    })(),
  );
});

const BROKEN: [string, Buffer][] = [
  ["QoS 3", packet(0x36, say, [0, 1])],
  ["a topic behind the end of the packet", packet(0x30, [0, 9], Buffer.from("lamp"))],
  ["a topic behind the end of a long packet", packet(0x32, [0xff, 0xff], Buffer.alloc(400))],
  ["no room for the identifier", packet(0x32, say, [1])],
  ["identifier 0", packet(0x32, say, [0, 0])],
  ["no topic", packet(0x30, [0, 0], Buffer.from("x"))],
  ["an empty PUBLISH", packet(0x30)],
  ["a topic with NUL", packet(0x30, string("lamp\0say"), Buffer.from("x"))],
  ["a topic that is no UTF-8", packet(0x30, [0, 3, 0x61, 0xc0, 0x80], Buffer.from("x"))],
  ["a topic that ends in the middle of a character", packet(0x32, [0, 2, 0x61, 0xe2, 0, 1])],
  ["a topic with a wildcard", packet(0x30, string("lamp/#"), Buffer.from("x"))],
  ["PUBACK of one byte", packet(0x40, [1])],
  ["PUBACK of three", packet(0x40, [0, 1, 0])],
  ["PUBREL with wrong flags", packet(0x60, [0, 1])],
  ["PUBREC with wrong flags", packet(0x52, [0, 1])],
  ["SUBACK without a code", packet(0x90, [0, 1])],
  ["a second CONNACK", packet(0x20, [0, 0])],
  ["PINGRESP with a body", packet(0xd0, [0, 0])],
  ["a length of five digits", Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 1])],
  ["what only a client sends", packet(0x82, [0, 1], say, [0])],
  ["DISCONNECT, which 3.1.1 has from clients only", packet(0xe0)],
  ["type 0", packet(0x00, [0, 0])],
  ["type 15", packet(0xf0, [0, 0])],
];

test("malformed packets end the connection, and the next one is good", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      for (const [what, bytes] of BROKEN) {
        const client = yield* listener.accept();
        yield* welcome(client, 1, 0);
        yield* client.send(bytes);
        yield* client.ended();
        t.not(client.ending, "open", what);
        client.close();
      }
      const downs = lines(bench).filter((line) => line.startsWith("MQTT down (error 22)"));
      t.is(downs.length, BROKEN.length);
      const client = yield* ready(listener, 1, 0);
      client.close();
    })(),
  );
});

test("more messages of QoS 2 at a time than there is room for: the connection begins anew, and none is lost", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      let client = yield* ready(listener, 0, 0);
      for (let id = 1; id <= 25; id++) yield* client.send(packet(0x34, say, [1, id], [0x61]));
      yield* client.ended();
      client.close();
      client = yield* listener.accept();
      yield* welcome(client, 1, 0);
      yield* client.send(packet(0x62, [1, 1]));
      yield* until(client, 0x70);
      yield* client.send(packet(0x3c, say, [1, 25], [0x61]));
      yield* until(client, 0x50);
      t.is(lines(bench).filter((line) => line === "MQTT message of 1 bytes").length, 25);
      client.close();
    })(),
  );
});
