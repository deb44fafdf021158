import test from "../conformance/proves.js";
import { Random } from "../../host-tools/sim/random.js";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { converse, get, nextResponse, status, type Outcome, type Response } from "./http.js";

function bytes(count: number, seed: number): Buffer {
  const data = Buffer.alloc(count);
  new Random(seed).fill(data);
  return data;
}

function post(body: Buffer, fields = "", method = "POST"): Buffer {
  const head = get("/echo", `Content-Length: ${body.length}\r\n${fields}`, method);
  return Buffer.concat([Buffer.from(head), body]);
}

/** A body in chunks of random sizes, with extensions and trailers now and then. */
function chunked(body: Buffer, seed: number): Buffer {
  const random = new Random(seed);
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const size = Math.min(body.length - at, 1 + random.below(random.chance(0.5) ? 20 : 3000));
    const extension = random.chance(0.2) ? ' ;a=b;c="d"' : "";
    const digits = random.chance(0.3) ? size.toString(16).toUpperCase() : size.toString(16);
    parts.push(Buffer.from(`${digits}${extension}\r\n`), body.subarray(at, at + size));
    parts.push(Buffer.from("\r\n"));
    at += size;
  }
  parts.push(Buffer.from("0\r\nTrailer: yes\r\n\r\n"));
  return Buffer.concat(parts);
}

function* echo(bench: Bench, data: Buffer | string): Script<Response> {
  const { responses, ending }: Outcome = yield* converse(bench, 8080, data);
  if (responses.length !== 1 || !responses[0]) throw new Error(`${responses.length} responses`);
  if (ending !== "closed") throw new Error(`the connection was ${ending}`);
  return responses[0];
}

test("a body of any length comes back with its length and type", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      for (const count of [0, 1, 511, 512, 1459, 1460, 1461, 8191, 8192, 8193, 200_000]) {
        const body = bytes(count, count);
        const type = 'Content-Type:  text/x-test; a="b" \t\r\n';
        const response = yield* echo(bench, post(body, type, count % 2 ? "PUT" : "POST"));
        t.is(response.status, 200);
        t.is(response.fields["content-length"], String(count));
        t.is(response.fields["content-type"], 'text/x-test; a="b"');
        t.true(response.body.equals(body), `${count} bytes`);
      }
      const untyped = yield* echo(bench, post(bytes(3, 1)));
      t.is(untyped.fields["content-type"], "application/octet-stream");
      const long = yield* echo(bench, post(bytes(3, 1), `Content-Type: a/${"b".repeat(80)}\r\n`));
      t.is(long.fields["content-type"], "application/octet-stream", "too long to be kept");
    })(),
  );
});

test("RFC 9112 7.1: a chunked body comes back chunked, whatever the chunks", async (t) => {
  const bench = await Bench.create();
  const head = Buffer.from(get("/", "Transfer-Encoding: chunked\r\nContent-Type: a/b\r\n", "POST"));
  bench.run(
    (function* () {
      for (const [seed, count] of [0, 1, 100, 5000, 100_000].entries()) {
        const body = bytes(count, seed);
        const data = Buffer.concat([head, chunked(body, seed)]);
        const response = yield* echo(bench, data);
        t.is(response.status, 200);
        t.is(response.fields["transfer-encoding"], "chunked");
        t.is(response.fields["content-type"], "a/b");
        t.true(response.body.equals(body), `${count} bytes`);
        if (count > 5000) continue;
        const { raw } = yield* converse(bench, 8080, data, { pieceBytes: 1 });
        t.true(raw.includes(Buffer.from("HTTP/1.1 200 OK")));
        const again = yield* echo(bench, data);
        t.deepEqual(again, response);
      }
    })(),
  );
});

test("RFC 9112 9.3.2: bodies and chunks one behind the other are told apart", async (t) => {
  const bench = await Bench.create();
  const head = get("/", "Transfer-Encoding: chunked\r\n", "PUT");
  const data = Buffer.concat([
    post(Buffer.from(get("/"))),
    Buffer.from(head),
    chunked(Buffer.from("0\r\n\r\n"), 3),
    post(Buffer.alloc(0)),
    Buffer.from(get("/", "", "POST")),
    Buffer.from(get("/")),
  ]);
  bench.run(
    (function* () {
      for (const pieceBytes of [data.length, 1]) {
        const { responses } = yield* converse(bench, 8080, data, { pieceBytes });
        t.deepEqual(
          responses.map((r) => [r.status, r.body.toString()]),
          [
            [200, get("/")],
            [200, "0\r\n\r\n"],
            [200, ""],
            [200, ""],
            [405, "405 Method Not Allowed\n"],
          ],
        );
        t.is(responses[4]?.fields["allow"], "POST, PUT");
      }
    })(),
  );
});

test("RFC 9110 10.1.1: a client that expects it gets 100 Continue, then its body", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 8080);
      for (const coding of ["Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"]) {
        yield* connection.send(get("/", `${coding}Expect: 100-continue\r\n`, "POST"));
        t.is((yield* nextResponse(connection))?.status, 100);
        yield* connection.send(coding.startsWith("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n");
        const response = yield* nextResponse(connection);
        t.is(response?.status, 200);
        t.is(response?.body.toString(), "hello");
      }
      connection.close();
    })(),
  );
});

test("H-3: a chunk that is malformed before the answer is refused, later the connection is reset", async (t) => {
  const bench = await Bench.create();
  const head = get("/", "Transfer-Encoding: chunked\r\n", "POST");
  bench.run(
    (function* () {
      const before = yield* status(bench);
      for (const body of ["x\r\n", "FFFFFFFFF\r\n", "-1\r\n", "\r\n", "5 5\r\n"]) {
        const early = yield* converse(bench, 8080, head + body, { finish: false });
        t.is(early.responses[0]?.status, 400, body);
        t.is(early.ending, "closed");
      }
      for (const body of ["x\r\n", "3\r\nabcd\r\n", "-1\r\n"]) {
        const late = yield* converse(bench, 8080, `${head}2\r\nab\r\n${body}`, { finish: false });
        t.is(late.responses.length, 0, "no complete response");
        t.is(late.ending, "reset", body);
      }
      for (const cut of [post(bytes(100, 1)).subarray(0, 150), Buffer.from(`${head}5\r\nab`)]) {
        const { responses, ending } = yield* converse(bench, 8080, cut);
        t.is(responses.length, 0, "a body cut short does not look complete");
        t.is(ending, "reset");
      }
      yield* bench.sleep(300);
      t.deepEqual((yield* status(bench)).pools["tcbs"], before.pools["tcbs"]);
    })(),
  );
});

test("a body comes back over a bad network", async (t) => {
  const bench = await Bench.create({
    impairments: {
      lossPercent: 5,
      delayMs: 3,
      reorderPercent: 5,
      duplicatePercent: 2,
      corruptPercent: 1,
      rateBps: 0,
    },
    seed: 7,
    limitSeconds: 3000,
  });
  bench.run(
    (function* () {
      const body = bytes(60_000, 9);
      const response = yield* echo(bench, post(body));
      t.true(response.body.equals(body));
      const head = get("/", "Transfer-Encoding: chunked\r\n", "PUT");
      const again = yield* echo(bench, Buffer.concat([Buffer.from(head), chunked(body, 4)]));
      t.true(again.body.equals(body));
    })(),
  );
});
