/** The MQTT client (firmware/examples/mqtt) against a scripted broker: MQTT 3.1.1 (OASIS Standard). */
import test from "ava";
import { Listener, exampleBench, lines } from "./examples.js";
import { next, packet, string, welcome } from "./mqtt-broker.js";

test("CONNECT with a last will; QoS 0 and 1 both ways; a packet in single bytes; keep-alive; a kept message comes again with DUP", async (t) => {
  const bench = await exampleBench("mqtt", { hostName: "lamp", limitSeconds: 200 });
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      let client = yield* listener.accept();
      const connect = yield* welcome(client, 1, 0);
      t.is(connect.type, 0x10);
      // MQTT, level 4, a retained will of QoS 1, 30 s.
      const wanted = [
        string("MQTT"),
        Buffer.from([4, 0x2c, 0, 30]),
        string("lamp"),
        string("lamp/state"),
        string("offline"),
      ];
      t.deepEqual(connect.body, Buffer.concat(wanted));
      const subscribe = yield* next(client);
      t.is(subscribe.type, 0x82);
      t.deepEqual(
        subscribe.body.subarray(2),
        Buffer.concat([string("lamp/say"), Buffer.from([2])]),
      );
      yield* client.send(packet(0x90, subscribe.body.subarray(0, 2), [2]));
      const online = yield* next(client);
      t.deepEqual(
        [online.type, online.body.toString()],
        [0x31, string("lamp/state").toString() + "online"],
      );

      const uptime = yield* next(client);
      t.is(uptime.type, 0x32, "QoS 1, not a duplicate");
      t.is(uptime.body.toString("latin1", 0, 13), string("lamp/uptime").toString());
      // Before it is acknowledged no other one comes, but pings do.
      const ping = yield* next(client);
      t.deepEqual([ping.type, ping.body.length], [0xc0, 0]);
      yield* client.send(packet(0xd0));

      // A message of QoS 1, byte by byte: acknowledged, and said back.
      for (const byte of packet(0x32, string("lamp/say"), [0x12, 0x34], Buffer.from("hello"))) {
        yield* client.send(Buffer.from([byte]));
      }
      const ack = yield* next(client);
      t.deepEqual([ack.type, [...ack.body]], [0x40, [0x12, 0x34]]);
      const said = yield* next(client);
      t.deepEqual(
        [said.type, said.body.toString()],
        [0x30, string("lamp/said").toString() + "hello"],
      );
      // The connection is lost: the kept message comes again, with DUP and the same number.
      client.abort();
      client = yield* listener.accept();
      yield* welcome(client, 1, 0);
      const again = yield* next(client);
      t.deepEqual([again.type, again.body], [0x3a, uptime.body]);
      yield* client.send(packet(0x40, Buffer.from([0xff, 0xff])));
      yield* client.send(packet(0x40, uptime.body.subarray(13, 15)));
      t.is((yield* next(client)).type, 0x82);
      t.is((yield* next(client)).type, 0x31);
      const newer = yield* next(client);
      t.is(newer.type, 0x32);
      t.notDeepEqual(newer.body.subarray(13, 15), uptime.body.subarray(13, 15));
      // A broker that answers no ping is left.
      const start = bench.nowMs;
      t.is((yield* next(client)).type, 0xc0);
      t.is((yield* next(client)).type, 0);
      t.true(bench.nowMs - start < 33_000);
      t.true(lines(bench).some((line) => line.startsWith("MQTT down (error 110)")));
      client.close();
    })(),
  );
});

test("refused, garbage, silence: told, and tried again after waits that double", async (t) => {
  const bench = await exampleBench("mqtt", { limitSeconds: 200 });
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      const times: number[] = [];
      const answers = [
        packet(0x20, [0, 5]),
        packet(0x48, Buffer.from("TTP")),
        Buffer.from([0x20, 0xff, 0xff, 0xff, 0xff, 1]),
        null,
      ];
      for (const answer of answers) {
        const client = yield* listener.accept();
        times.push(bench.nowMs);
        const connect = yield* next(client);
        t.true(connect.body.includes("as-tcpip-c0a84d32"), "a name of its own");
        if (answer) yield* client.send(answer);
        yield* client.ended();
        if (!answer)
          t.true(bench.nowMs - (times.at(-1) as number) > 9900, "ten seconds for CONNACK");
        client.close();
      }
      const waits = times
        .slice(1)
        .map((time, i) => Math.round((time - (times[i] as number)) / 1000));
      t.deepEqual(waits, [1, 2, 4]);
      t.true(lines(bench).includes("MQTT broker refuses (5)"));
      const client = yield* listener.accept();
      yield* welcome(client, 1, 0);
      t.is(
        (yield* next(client)).type,
        0x32,
        "published while there was no connection: no duplicate",
      );
      t.is((yield* next(client)).type, 0x82);
      // There is no QoS 3.
      yield* client.send(packet(0x36, string("x"), [0, 1]));
      yield* client.ended();
      // A connection of a moment does not make the wait short again.
      const start = bench.nowMs;
      yield* listener.accept();
      t.is(Math.round((bench.nowMs - start) / 1000), 16);
    })(),
  );
});

test("4.4: a broker that ends each connection at the message that comes again is asked less and less often, until one has lasted ten seconds; RETAIN", async (t) => {
  const bench = await exampleBench("mqtt", { hostName: "lamp", limitSeconds: 600 });
  bench.run(
    (function* () {
      const listener = new Listener(bench, 1883);
      const waits: number[] = [];
      let ended = bench.nowMs;
      const ids: string[] = [];
      for (let connections = 0; connections < 9; connections++) {
        const client = yield* listener.accept();
        if (connections !== 0) waits.push(Math.round((bench.nowMs - ended) / 1000));
        yield* welcome(client, 1, 0);
        let message = yield* next(client);
        while (message.type !== 0x32 && message.type !== 0x3a) message = yield* next(client);
        ids.push(message.body.subarray(13, 15).toString("hex"));
        client.abort();
        ended = bench.nowMs;
      }
      t.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 64]);
      t.is(new Set(ids).size, 1, "the same message all the time");
      let client = yield* listener.accept();
      yield* welcome(client, 1, 0);
      const kept = yield* next(client);
      yield* client.send(packet(0x40, kept.body.subarray(13, 15)));
      // Kept by the broker for newcomers: told as such, not said back. The same as a fresh one is.
      yield* client.send(packet(0x31, string("lamp/say"), Buffer.from("old")));
      yield* client.send(packet(0x30, string("lamp/say"), Buffer.from("new")));
      let said = yield* next(client);
      while (!said.body.includes("said")) said = yield* next(client);
      t.is(said.body.toString(), `${string("lamp/said").toString()}new`);
      t.true(lines(bench).includes("MQTT message of 3 bytes, retained"));
      yield* bench.sleep(11_000);
      client.abort();
      ended = bench.nowMs;
      client = yield* listener.accept();
      t.is(Math.round((bench.nowMs - ended) / 1000), 1);
      client.close();
    })(),
  );
});
