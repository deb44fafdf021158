import test from "ava";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";

test("the smallest web server answers one client after the other, and is not held up by a silent one", async (t) => {
  const bench = await Bench.create({ app: "http" });
  const ask = function* (text: string): Script<string> {
    const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
    yield* connection.send(text);
    const page = yield* connection.ended();
    t.is(connection.ending, "closed");
    connection.close();
    return page.toString();
  };
  bench.run(
    (function* () {
      for (let i = 0; i < 5; i++) {
        const page = yield* ask("GET / HTTP/1.0\r\n\r\n");
        t.regex(page, /^HTTP\/1\.0 200 OK\r\nContent-Type: text\/html\r\n\r\n<h1>.*<\/h1>\n$/);
      }
      const silent = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
      const start = bench.nowMs;
      t.true((yield* ask("GET / HTTP/1.1\nHost: a\n\n")).includes("200 OK"));
      t.true(bench.nowMs - start < 200, "a silent client costs nothing");
      // It keeps its place until somebody needs it.
      const others = [];
      for (let i = 0; i < 7; i++) others.push(yield* bench.peer.connect(DEVICE_ADDRESS, 80));
      yield* silent.ended();
      for (const connection of [silent, ...others]) connection.close();
    })(),
  );
});

test("the smallest echo serves four clients at once and says goodbye to more", async (t) => {
  const bench = await Bench.create({ app: "echo" });
  bench.run(
    (function* () {
      const clients = [];
      for (let i = 0; i < 4; i++) clients.push(yield* bench.peer.connect(DEVICE_ADDRESS, 7));
      for (let round = 0; round < 3; round++) {
        for (const [i, client] of clients.entries()) {
          const text = `client ${i}, round ${round}`.repeat(100);
          yield* client.send(text);
          yield* client.receive((data) => data.length >= text.length);
          t.is(client.take(text.length).toString(), text);
        }
      }
      const fifth = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
      yield* fifth.ended();
      t.is(fifth.ending, "closed");
      fifth.close();
      clients.pop()?.close();
      yield* bench.sleep(100);
      const next = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
      yield* next.send("hello");
      yield* next.receive((data) => data.length >= 5);
      t.is(next.received.toString(), "hello", "a place that is free is used again");
    })(),
  );
});

test("A18: loops of non-blocking calls alone serve clients, for each has its turns of the network", async (t) => {
  const bench = await Bench.create({ app: "test/device/busy", limitSeconds: 30 });
  bench.run(
    (function* () {
      for (const text of ["one", "two"]) {
        const client = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
        yield* client.send(text);
        t.is((yield* client.ended()).toString(), text);
        client.close();
      }
    })(),
  );
});
