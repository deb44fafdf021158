import { type ExecutionContext } from "ava";
import test from "../conformance/proves.js";
import { PERFECT } from "../../host-tools/net/link.js";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { converse, get, request, status } from "./http.js";
import type { Connection } from "./peer.js";

/** As small as a Blue Pill. */
const SMALL = {
  SOCKETS: 14,
  TCP_TCBS: 5,
  TCP_LISTENERS: 6,
  TCP_SYN_RECORDS: 8,
  TCP_TIME_WAIT_RECORDS: 6,
  TCP_RX_BYTES: 1024,
  TCP_TX_BYTES: 1024,
  UDP_SOCKETS: 2,
  UDP_RX_BYTES: 1024,
  LOOPBACK_BYTES: 0,
};

/** The tables that must come back to their level (TIME-WAIT empties by itself later). */
function* atLevel(bench: Bench, t: ExecutionContext): Script {
  yield* bench.sleep(1000);
  const { pools } = yield* status(bench);
  t.is(pools["tcbs"]?.used, 1, "only the connection of the status itself");
  t.is(pools["sockets"]?.used, 8, "the listeners, the datagram socket and that connection");
  t.is(pools["synQueue"]?.used, 0);
}

/** Opens connections that send `first` and then nothing. */
function* openMany(bench: Bench, count: number, port: number, first: string): Script<Connection[]> {
  const open = function* (): Script<Connection> {
    const connection = yield* bench.peer.connect(DEVICE_ADDRESS, port);
    yield* connection.send(first);
    return connection;
  };
  return yield* bench.all(Array.from({ length: count }, open));
}

function closeAll(connections: Connection[]): void {
  for (const connection of connections) {
    connection.pump();
    if (connection.ending === "open") connection.abort();
    else if (connection.ending === "closed") connection.close();
  }
}

for (const [name, options] of [
  ["twelve", {}],
  ["five", SMALL],
] as const) {
  test(`more clients than the ${name} TCBs: each gets its answers`, async (t) => {
    const bench = await Bench.create({ options });
    const client = function* (closing: boolean): Script {
      for (let i = 0; i < 10; i++) {
        const path = i % 2 ? "/style.css" : "/api/status";
        const fields = closing ? "Connection: close\r\n" : "";
        const { responses, ending } = yield* converse(bench, 80, get(path, fields), {
          finish: closing,
        });
        t.is(responses.length, 1);
        t.is(responses[0]?.status, 200);
        t.is(ending, "closed");
      }
    };
    bench.run(
      (function* () {
        yield* bench.all(Array.from({ length: 14 }, () => client(true)));
        yield* atLevel(bench, t);
      })(),
    );
  });

  for (const lossPercent of [0, 5]) {
    test(`persistent clients beyond the ${name} TCBs take turns at ${lossPercent} % loss: nobody is broken`, async (t) => {
      const bench = await Bench.create({
        options,
        impairments: { ...PERFECT, delayMs: 2, lossPercent },
      });
      // As a client of HTTP/1.1 may: a connection that ends before the first byte of a response is
      // opened again.
      const client = function* (): Script {
        let done = 0;
        let connection: Connection | undefined;
        for (let tries = 0; done < 20; tries++) {
          if (tries > 200) throw new Error("a client gets no answers");
          connection ??= yield* bench.peer.connect(DEVICE_ADDRESS, 80);
          if (connection.ending === "refused") throw new Error("refused");
          const response = yield* request(connection, get("/style.css"));
          if (response) done++;
          t.is(connection.received.length, 0, "no half response");
          if (connection.ending === "open" && response?.fields["connection"] !== "close") continue;
          yield* connection.ended();
          t.not(connection.ending, "reset");
          connection.close();
          connection = undefined;
        }
        connection?.close();
      };
      bench.run(
        (function* () {
          yield* bench.all(Array.from({ length: 20 }, client));
          yield* atLevel(bench, t);
        })(),
      );
    });
  }

  test(`S-14: silent and idle clients on the ${name} TCBs make room for new ones`, async (t) => {
    const bench = await Bench.create({ options });
    bench.run(
      (function* () {
        const idle: Connection[] = [];
        for (let i = 0; i < 16; i++) {
          const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
          const start = bench.nowMs;
          t.is((yield* request(connection, get("/favicon.svg")))?.status, 200);
          t.true(bench.nowMs - start < 1500, "an idle connection gives way at once");
          idle.push(connection);
          yield* bench.sleep(50);
        }
        t.is(idle.at(-1)?.ending, "open");
        closeAll(idle);
        const silent = yield* openMany(bench, 16, 80, "");
        const start = bench.nowMs;
        const { responses } = yield* converse(bench, 80, get("/favicon.svg"));
        t.is(responses[0]?.status, 200);
        t.true(bench.nowMs - start < 10_000, `served after ${bench.nowMs - start} ms`);
        closeAll(silent);
        yield* atLevel(bench, t);
      })(),
    );
  });

  for (const [kind, port, first] of [
    ["heads", 80, "GET / HTTP/1.1\r\nX-"],
    ["bodies", 80, get("/", "Content-Length: 1000\r\n")],
    ["echoed bodies", 8080, get("/", "Content-Length: 1000\r\n", "POST") + "abc"],
  ] as const) {
    test(`H-5: slow ${kind} on all of the ${name} TCBs do not keep others out (CVE-2007-6750)`, async (t) => {
      const bench = await Bench.create({ options });
      let over = false;
      const slow = function* (): Script {
        while (!over) {
          const connection = yield* bench.peer.connect(DEVICE_ADDRESS, port);
          yield* connection.send(first);
          while (connection.ending === "open" && !over) {
            yield* bench.sleep(900);
            yield* connection.send("x");
            connection.pump();
          }
          closeAll([connection]);
        }
      };
      bench.run(
        (function* () {
          for (let i = 0; i < 20; i++) bench.start(slow());
          yield* bench.sleep(3000);
          for (let i = 0; i < 8; i++) {
            const start = bench.nowMs;
            const { responses } = yield* converse(bench, 80, get("/favicon.svg"));
            t.is(responses[0]?.status, 200);
            t.true(bench.nowMs - start < 5000, `served after ${bench.nowMs - start} ms`);
            yield* bench.sleep(500);
          }
          over = true;
          yield* bench.sleep(2000);
          yield* atLevel(bench, t);
        })(),
      );
    });
  }

  test(`S-12: readers that never open their window leave the ${name} TCBs when others wait`, async (t) => {
    const bench = await Bench.create({ options });
    bench.run(
      (function* () {
        const stalled = yield* openMany(bench, 16, 19, "");
        for (const connection of stalled) connection.paused = true;
        yield* bench.sleep(2000);
        const start = bench.nowMs;
        const { responses } = yield* converse(bench, 80, get("/style.css"));
        t.is(responses[0]?.status, 200);
        t.true(bench.nowMs - start < 20_000, `served after ${bench.nowMs - start} ms`);
        for (const connection of stalled) connection.paused = false;
        closeAll(stalled);
        yield* bench.sleep(2000);
        yield* atLevel(bench, t);
      })(),
    );
  });
}

test("a slow client does not delay another one", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const slow = yield* openMany(bench, 8, 80, "GET /style.css HT");
      for (let i = 0; i < 5; i++) {
        const start = bench.nowMs;
        const { responses } = yield* converse(bench, 80, get("/style.css"));
        t.is(responses[0]?.status, 200);
        t.true(bench.nowMs - start < 50, `${bench.nowMs - start} ms`);
        yield* bench.sleep(100);
      }
      for (const connection of slow) {
        const response = yield* request(connection, "TP/1.1\r\nHost: a\r\n\r\n");
        t.is(response?.status, 200, "and slow ones are served too");
        connection.close();
      }
      yield* atLevel(bench, t);
    })(),
  );
});

test("RFC 9112 9.5: heads, bodies and idle connections have a time limit", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const cases: [string, number | undefined, number][] = [
        ["", undefined, 10_000],
        ["GET / HT", 408, 10_000],
        [get("/", "Content-Length: 9\r\n"), 408, 10_000],
        [get("/favicon.svg"), 200, 30_000],
      ];
      for (const [text, answer, limitMs] of cases) {
        const start = bench.nowMs;
        const { responses, ending } = yield* converse(bench, 80, text, { finish: false });
        t.is(responses[0]?.status, answer, text);
        t.is(ending, "closed");
        const tookMs = bench.nowMs - start;
        t.true(tookMs >= limitMs - 200 && tookMs < limitMs + 1500, `${text}: ${tookMs} ms`);
      }
      yield* atLevel(bench, t);
    })(),
  );
});

test("a stream client may be silent for long when nobody waits", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
      yield* bench.sleep(120_000);
      yield* connection.send("still here");
      const received = yield* connection.receive((data) => data.length >= 10);
      t.is(received.toString(), "still here");
      connection.close();
      yield* atLevel(bench, t);
    })(),
  );
});
