import test from "ava";
import { Random } from "../../host-tools/sim/random.js";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { status } from "./http.js";

function bytes(count: number, seed: number): Buffer {
  const data = Buffer.alloc(count);
  new Random(seed).fill(data);
  return data;
}

test("RFC 862: the TCP echo gives back every byte, and ends when the client does", async (t) => {
  const bench = await Bench.create();
  const client = function* (count: number, seed: number): Script {
    const data = bytes(count, seed);
    const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
    yield* connection.send(data);
    connection.finish();
    const received = yield* connection.ended();
    t.true(received.equals(data), `${count} bytes`);
    t.is(connection.ending, "closed");
    connection.close();
  };
  bench.run(
    (function* () {
      yield* client(0, 1);
      yield* client(1, 2);
      yield* bench.all([client(100_000, 3), client(100_000, 4), client(1000, 5)]);
      const { pools } = yield* status(bench);
      t.is(pools["tcbs"]?.used, 1, "only the connection of the status itself");
    })(),
  );
});

test("RFC 862: an echo client that reads nothing is slowed down by its own window and loses nothing", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const data = bytes(300_000, 6);
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
      connection.paused = true;
      const sending = (function* (): Script {
        yield* connection.send(data);
        connection.finish();
      })();
      bench.start(sending);
      yield* bench.sleep(5000);
      connection.paused = false;
      const received = yield* connection.ended();
      t.true(received.equals(data));
      connection.close();
    })(),
  );
});

test("RFC 862: the UDP echo answers, but not what could be another echo", async (t) => {
  const bench = await Bench.create();
  const { peer } = bench;
  bench.run(
    (function* () {
      for (const count of [0, 1, 512, 1472]) {
        const data = bytes(count, count);
        const answer = yield* peer.ask(DEVICE_ADDRESS, 7, data, 1000);
        t.true(answer?.equals(data), `${count} bytes`);
      }
      for (const port of [7, 19, 1023]) {
        const answer = yield* peer.ask(DEVICE_ADDRESS, 7, bytes(10, 1), 1000, port);
        t.is(answer, null, `CVE-1999-0103: source port ${port}`);
      }
      t.truthy(yield* peer.ask(DEVICE_ADDRESS, 7, bytes(10, 1), 1000, 1024));
    })(),
  );
});

test("RFC 863: discard takes everything on ports 9 and 5001 and says nothing", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      for (const port of [9, 5001]) {
        const connection = yield* bench.peer.connect(DEVICE_ADDRESS, port);
        yield* connection.send(bytes(300_000, port));
        connection.finish();
        const received = yield* connection.ended();
        t.is(received.length, 0);
        t.is(connection.ending, "closed");
        connection.close();
      }
    })(),
  );
});

test("RFC 864: chargen sends lines of 72 characters, each begun one further, to the end of the ring", async (t) => {
  const bench = await Bench.create();
  const ring = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join("");
  const lines = Array.from({ length: 200 }, (_, i) => {
    const first = i % 95;
    return (ring + ring).slice(first, first + 72);
  });
  const expected = lines.map((line) => `${line}\r\n`).join("");
  bench.run(
    (function* () {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 19);
      yield* connection.send("thrown away");
      const received = yield* connection.receive((data) => data.length >= expected.length);
      t.is(received.toString("latin1", 0, expected.length), expected);
      connection.finish();
      yield* connection.ended();
      t.is(connection.ending, "closed");
      connection.close();
    })(),
  );
});

test("RFC 9293 3.5.2: port 81, where nobody listens, refuses", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 81);
      t.is(connection.ending, "refused");
    })(),
  );
});

test("a settings block moves the ports of the web server and of the echo", async (t) => {
  const bench = await Bench.create({ ports: { http: 8000, echo: 7000 } });
  bench.run(
    (function* () {
      for (const port of [80, 7]) {
        t.is((yield* bench.peer.connect(DEVICE_ADDRESS, port)).ending, "refused");
      }
      for (const port of [8000, 7000]) {
        const connection = yield* bench.peer.connect(DEVICE_ADDRESS, port);
        t.is(connection.ending, "open");
        connection.close();
      }
      const answer = yield* bench.peer.ask(DEVICE_ADDRESS, 7000, bytes(5, 5), 1000);
      t.is(answer?.length, 5);
    })(),
  );
});
