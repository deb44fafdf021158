/** MQTT 5 (OASIS Standard, 7 March 2019): what differs from 3.1.1, firmware/examples/mqtt5 against a scripted broker. */
import test from "ava";
import type { Bench, Script } from "./bench.js";
import { Listener, exampleBench, lines } from "./examples.js";
import { next, nextTold, packet, string, welcome, type Packet } from "./mqtt-broker.js";
import type { Connection } from "./peer.js";

const say = string("lamp/say");

async function lamp(): Promise<Bench> {
  return exampleBench("mqtt5", { hostName: "lamp", limitSeconds: 3000 });
}

/** Lets the device in and answers what it says at first: CONNECT and SUBSCRIBE. */
function* ready(listener: Listener, ...answer: number[]): Script<[Connection, Packet, Packet]> {
  const client = yield* listener.accept();
  const connect = yield* welcome(client, ...answer);
  let subscribe = connect;
  for (let packets = 0; packets < 3; packets++) {
    const told = yield* next(client);
    if (told.type === 0x82) {
      subscribe = told;
      yield* client.send(packet(0x90, told.body.subarray(0, 2), [0], [2]));
    }
    if (told.type === 0x32) yield* client.send(packet(0x40, told.body.subarray(13, 15)));
  }
  return [client, connect, subscribe];
}

/** The next packet of a type, pings answered. */
function* until(client: Connection, type: number): Script<Packet> {
  for (;;) {
    const told = yield* nextTold(client);
    if (told.type === type || told.type === 0) return told;
  }
}

const text = (label: number, value: string): Buffer =>
  Buffer.concat([Buffer.from([label]), string(value)]);

/** All properties that a CONNACK may have (3.2.2.3); server keep-alive 12 s. */
const PROPERTIES = Buffer.concat([
  Buffer.from([0x11, 0, 0, 1, 0, 0x21, 0, 10, 0x24, 1, 0x25, 0, 0x27, 0, 0, 1, 0]),
  text(0x12, "assigned"),
  Buffer.from([0x22, 0, 0]),
  text(0x1f, "good"),
  Buffer.concat([text(0x26, "key"), string("value")]),
  Buffer.concat([text(0x26, "key"), string("")]),
  Buffer.from([0x28, 1, 0x29, 1, 0x2a, 1, 0x13, 0, 12]),
  text(0x1a, "info"),
  text(0x1c, "other.example"),
  text(0x15, "m"),
  text(0x16, "d"),
]);

test("3.1, 3.2: CONNECT asks for a new session that lasts, tells our limits; the broker's keep-alive, QoS, RETAIN count", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      t.true(PROPERTIES.length < 128);
      const client = yield* listener.accept();
      const connect = yield* welcome(client, 0, 0, PROPERTIES.length, ...PROPERTIES);
      const wanted = [
        string("MQTT"),
        // Level 5, a retained will of QoS 1, clean start, 30 s.
        Buffer.from([5, 0x2e, 0, 30]),
        // Session expiry an hour, 24 messages at a time, no texts, 259 bytes.
        Buffer.from([15, 0x11, 0, 0, 0x0e, 0x10, 0x21, 0, 24, 0x17, 0, 0x27, 0, 0, 1, 3]),
        string("lamp"),
        Buffer.from([0]),
        string("lamp/state"),
        string("offline"),
      ];
      t.deepEqual(connect.body, Buffer.concat(wanted));
      const subscribe = yield* next(client);
      t.is(subscribe.type, 0x82);
      const filter = [Buffer.from([0]), say, Buffer.from([2])];
      t.deepEqual(subscribe.body.subarray(2), Buffer.concat(filter));
      yield* client.send(packet(0x90, subscribe.body.subarray(0, 2), [0], [2]));
      const online = yield* next(client);
      const state = [string("lamp/state"), Buffer.from([0]), Buffer.from("online")];
      t.deepEqual([online.type, online.body], [0x30, Buffer.concat(state)], "not retained");
      const uptime = yield* next(client);
      t.is(uptime.type, 0x32);
      const asked = bench.nowMs;
      yield* client.send(packet(0x40, uptime.body.subarray(13, 15)));
      // By QoS 2 it would be said back, but this broker has no QoS 2.
      yield* client.send(packet(0x34, say, [0, 7], [0], Buffer.from("hello")));
      t.is((yield* next(client)).type, 0x50);
      t.is((yield* next(client)).type, 0x32);
      t.is((yield* next(client)).type, 0xc0, "three quarters of 12 s");
      t.true(bench.nowMs - asked < 9100);
      client.close();
    })(),
  );
});

test("3.3 to 3.7: properties are passed over, reason codes heard and told; a session that was kept is asked for", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      let [client] = yield* ready(listener, 0, 0, 0);
      // A user property of 130 bytes: its length has two digits.
      const key = text(0x26, "k".repeat(125));
      yield* client.send(packet(0x30, say, [0x82, 1], key, string(""), Buffer.from("long")));
      const first = yield* nextTold(client);
      t.is(first.body.toString("latin1", first.body.length - 4), "long");
      // QoS 1 with a property.
      yield* client.send(packet(0x32, say, [0, 5], [2, 1, 1], Buffer.from("five")));
      t.deepEqual((yield* next(client)).body, Buffer.from([0, 5]));
      const back = yield* until(client, 0x32);
      const topic = string("lamp/said");
      t.deepEqual(back.body.subarray(0, topic.length), topic);
      t.is(back.body.toString("latin1", topic.length + 3), "five");
      // The broker does not want it: there is room for the next one.
      yield* client.send(packet(0x40, back.body.subarray(11, 13), [0x87, 0]));
      yield* client.send(packet(0x34, say, [0, 6], [0], Buffer.from("six")));
      const release = yield* until(client, 0x34);
      t.true(lines(bench).includes("MQTT message refused (135)"));
      yield* client.send(packet(0x50, release.body.subarray(11, 13), [0x97]));
      // A release of what nobody has.
      yield* client.send(packet(0x62, [9, 9]));
      t.deepEqual((yield* until(client, 0x70)).body, Buffer.from([9, 9, 0x92]));
      t.true(lines(bench).includes("MQTT message refused (151)"));
      yield* client.send(packet(0x50, [8, 8]));
      t.deepEqual((yield* until(client, 0x62)).body, Buffer.from([8, 8, 0x92]));
      // The broker says goodbye, and why.
      yield* client.send(packet(0xe0, [0x8b]));
      yield* client.ended();
      t.true(lines(bench).includes("MQTT broker refuses (139)"));
      client.close();
      client = yield* listener.accept();
      const connect = yield* welcome(client, 1, 0, 0);
      t.is(connect.body[7], 0x2c, "no clean start");
      client.close();
    })(),
  );
});

const BROKEN: [string, number, Buffer][] = [
  ["a topic alias, which we know none of", 0x82, packet(0x30, [0, 0], [3, 0x23, 0, 1])],
  ["properties behind the end", 0x81, packet(0x30, say, [5, 1])],
  ["no length of properties", 0x81, packet(0x30, say)],
  ["half a length of properties", 0x81, packet(0x30, say, [0x80])],
  ["a length of three digits", 0x81, packet(0x30, say, [0x81, 0x80, 0x01])],
  ["a packet longer than we said", 0x95, packet(0x30, say, [0], Buffer.alloc(300))],
  ["a long one of QoS 1", 0x95, packet(0x32, say, [0, 1], [0], Buffer.alloc(300))],
  ["AUTH, which nobody asked for", 0x82, packet(0xf0, [0x18, 0])],
  ["SUBACK without properties", 0x81, packet(0x90, [0, 1])],
  ["SUBACK without a code", 0x81, packet(0x90, [0, 1], [0])],
];

const BAD_ANSWERS: [string, Buffer][] = [
  ["flags", packet(0x20, [2, 0, 0])],
  ["a session that we did not ask for", packet(0x20, [1, 0, 0])],
  ["no properties", packet(0x20, [0, 0])],
  ["properties that end too early", packet(0x20, [0, 0, 3], [0x13, 0])],
  ["bytes behind them", packet(0x20, [0, 0, 0, 0])],
  ["a property of PUBLISH", packet(0x20, [0, 0, 3], [0x23, 0, 1])],
  ["half a value", packet(0x20, [0, 0, 2], [0x13, 0])],
  ["a text behind the end", packet(0x20, [0, 0, 4], [0x1f, 0, 9, 0])],
  ["half a user property", packet(0x20, [0, 0, 4], [0x26, 0, 1, 0x61])],
  ["one that is too long", packet(0x20, [0, 0], Buffer.alloc(400))],
];

test("4.13: malformed packets end the connection with DISCONNECT, which says why", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      for (const [what, bytes] of BAD_ANSWERS) {
        const client = yield* listener.accept();
        yield* next(client);
        yield* client.send(bytes);
        const goodbye = yield* until(client, 0xe0);
        t.is(goodbye.type, 0xe0, `CONNACK with ${what}`);
        t.true([0x81, 0x82].includes(goodbye.body[0] as number), what);
        yield* client.ended();
        client.close();
      }
      for (const [index, [what, code, bytes]] of BROKEN.entries()) {
        const [client] = yield* ready(listener, index === 0 ? 0 : 1, 0, 0);
        yield* client.send(bytes);
        t.deepEqual([...(yield* until(client, 0xe0)).body], [code], what);
        yield* client.ended();
        client.close();
      }
      const [client] = yield* ready(listener, 1, 0, 0);
      for (let id = 1; id <= 25; id++) {
        yield* client.send(packet(0x34, say, [1, id], [0], Buffer.from("m")));
      }
      t.deepEqual([...(yield* until(client, 0xe0)).body], [0x93], "more than Receive Maximum");
      client.close();
    })(),
  );
});

test("a broker of 3.1.1 refuses level 5, and that is told", async (t) => {
  const bench = await lamp();
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      const client = yield* listener.accept();
      yield* welcome(client, 0, 1);
      yield* client.ended();
      t.true(lines(bench).includes("MQTT broker refuses (1)"));
      client.close();
    })(),
  );
});
