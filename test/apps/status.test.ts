import test from "ava";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../host-tools/root.js";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { converse, get, nextResponse, parseResponse, status, type Status } from "./http.js";

/** Members of a `const enum` in device code, as their names in the status document. */
function members(file: string, name: string): string[] {
  const source = readFileSync(join(packageRoot, file), "utf8");
  const body = new RegExp(`const enum ${name} \\{([^}]*)\\}`).exec(source)?.[1] ?? "";
  const names = [...body.matchAll(/^\s*([A-Z][A-Z0-9_]*)/gm)].map((match) => match[1] as string);
  return names
    .filter((member) => member !== "COUNT")
    .map((member) => member.toLowerCase().replace(/_(.)/g, (_all, c: string) => c.toUpperCase()));
}

test("the status names every counter of the stack and of the chip, in their order", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const document = yield* status(bench);
      t.deepEqual(Object.keys(document.counters), members("stack/statistics.ts", "Counter"));
      t.deepEqual(Object.keys(document.nic), members("drivers/nic-counters.ts", "NicCounter"));
    })(),
  );
});

test("the status tells what is: board, addresses, link, sockets and tables", async (t) => {
  const bench = await Bench.create({ hostName: "lamp-1" });
  bench.run(
    (function* () {
      const echo = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
      yield* echo.send("x");
      yield* echo.receive((data) => data.length === 1);
      yield* bench.sleep(3000);
      const s = yield* status(bench);
      t.is(s.board, "virtual-w5500");
      t.is(s.app, "demo");
      t.is(s.chip, "W5500");
      t.is(s.chipVersion, 4);
      t.is(s.hostName, "lamp-1");
      t.deepEqual(s.link, { up: true, mbit: 100, duplex: "full" });
      t.deepEqual(
        [s.address, s.mask, s.gateway],
        ["192.168.77.50", "255.255.255.0", "192.168.77.1"],
      );
      t.deepEqual(s.dhcp, { server: "0.0.0.0", lease: 0 });
      t.false("interfaces" in s, "one is told of as ever");
      t.is(s.uptime, Math.floor(bench.nowMs / 1000));
      const listening = s.sockets.filter((socket) => socket.state === "LISTEN");
      t.deepEqual(
        listening.map((socket) => socket.local),
        ["*:80", "*:8080", "*:7", "*:9", "*:5001", "*:19"],
      );
      const open = s.sockets.filter((socket) => socket.state === "ESTABLISHED");
      t.deepEqual(
        open.map((socket) => [socket.type, socket.local]),
        [["tcp", "192.168.77.50:7"]],
      );
      t.regex(open[0]?.remote ?? "", /^192\.168\.77\.1:\d+$/);
      t.is(s.pools["sockets"]?.used, s.sockets.length);
      t.is(s.pools["tcbs"]?.used, 2);
      t.true((s.counters["tcpIn"] ?? 0) > 4 && (s.nic["rxFrames"] ?? 0) > 5);
      echo.close();
    })(),
  );
});

test("RFC 9112 6.3: to HTTP/1.0 the end of the connection ends the status", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const text = "GET /api/status HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
      const { responses, ending } = yield* converse(bench, 80, text, { finish: false });
      const response = responses[0];
      t.is(ending, "closed");
      t.is(response?.fields["transfer-encoding"], undefined);
      t.is(response?.fields["content-length"], undefined);
      t.is(response?.fields["connection"], "close");
      t.is((JSON.parse(response?.body.toString() ?? "") as Status).address, "192.168.77.50");
    })(),
  );
});

test("the status stays JSON for readers that stop in the middle of it while everything changes", async (t) => {
  const bench = await Bench.create({ options: { TCP_TX_BYTES: 1024, TCP_RX_BYTES: 1024 } });
  const reader = function* (): Script<number> {
    const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
    // Ten documents are more than the client's ring holds, so the device has to stop wherever it
    // just is.
    for (let i = 0; i < 10; i++) yield* connection.send(get("/api/status"));
    let parsed = 0;
    for (let i = 0; i < 10; i++) {
      connection.paused = true;
      yield* bench.sleep(400);
      connection.paused = false;
      const response = yield* nextResponse(connection);
      JSON.parse(response?.body.toString() ?? "nothing");
      parsed++;
    }
    connection.close();
    return parsed;
  };
  const others = function* (): Script {
    for (let i = 0; i < 40; i++) {
      yield* converse(bench, 80, get("/style.css"));
      yield* bench.sleep(100);
    }
  };
  bench.run(
    (function* () {
      bench.start(others());
      t.deepEqual(yield* bench.all([reader(), reader(), reader()]), [10, 10, 10]);
    })(),
  );
});

test("the page is told of the status by events, once a second; who comes too late asks for the document", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const listeners = [];
      // Half of the 12 places.
      for (let i = 0; i < 6; i++) {
        const listener = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
        yield* listener.send(get("/api/events"));
        yield* listener.receive((data) => data.includes("\n\n"));
        listeners.push(listener);
      }
      const late = yield* converse(bench, 80, get("/api/events"));
      t.is(late.responses[0]?.status, 503);
      t.is((yield* status(bench)).board, "virtual-w5500");
      for (let second = 0; second < 30; second++) {
        yield* bench.sleep(1000);
        for (const listener of listeners) listener.pump();
      }
      for (const listener of listeners) {
        // Chunks end anywhere, in the middle of a number, too.
        const text = listener.received.toString().replace(/\r\n[0-9a-f]+\r\n/g, "");
        const documents = [...text.matchAll(/data: (.*)\n\n/g)].map(
          ([, data]) => JSON.parse(data as string) as Status,
        );
        t.true(documents.length >= 29 && documents.length <= 31, `${documents.length}`);
        const [first, last] = [documents[0] as Status, documents.at(-1) as Status];
        t.true(last.uptime - first.uptime >= 28 && last.uptime - first.uptime <= 31);
      }
    })(),
  );
});

test("RFC 9112 7.1: no chunk of the status is longer than the scratch", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const { raw } = yield* converse(bench, 80, get("/api/status", "Connection: close\r\n"));
      t.true(parseResponse(raw, false, true)?.body.toString().endsWith("}}\n"));
      for (const match of raw.toString("latin1").matchAll(/\r\n([0-9a-f]+)\r\n/g)) {
        t.true(parseInt(match[1] as string, 16) <= 1472);
      }
    })(),
  );
});
