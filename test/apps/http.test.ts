import test from "../conformance/proves.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PERFECT } from "../../host-tools/net/link.js";
import { packageRoot } from "../../host-tools/root.js";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { converse, get, nextResponse, request, type Outcome, type Response } from "./http.js";

const asset = (name: string): Buffer =>
  readFileSync(join(packageRoot, "firmware/demo/assets", name));

/** Packed files, and rings that hold a part of one only. */
const PACKED = { ASSETS_PACKED: 1, TCP_TX_BYTES: 1024 };

/** The only response of a conversation on port 80. */
function* one(bench: Bench, data: string): Script<Response> {
  const outcome = yield* converse(bench, 80, data);
  if (outcome.responses.length !== 1 || !outcome.responses[0]) {
    throw new Error(`${outcome.responses.length} responses to ${JSON.stringify(data)}`);
  }
  return outcome.responses[0];
}

for (const packed of [false, true])
  test(`RFC 9110 9.3.1: GET gives each file whole, with its type and length${packed ? ", packed" : ""}`, async (t) => {
    const bench = await Bench.create(packed ? { options: PACKED } : {});
    const files: [string, string, string][] = [
      ["/", "index.html", "text/html; charset=utf-8"],
      ["/index.html", "index.html", "text/html; charset=utf-8"],
      ["/style.css", "style.css", "text/css; charset=utf-8"],
      ["/app.js", "app.js", "text/javascript; charset=utf-8"],
      ["/logo.svg", "logo.svg", "image/svg+xml"],
      ["/favicon.svg?v=1", "favicon.svg", "image/svg+xml"],
    ];
    bench.run(
      (function* () {
        for (const [path, name, type] of files) {
          const response = yield* one(bench, get(path, "Connection: close\r\n"));
          t.is(response.status, 200, path);
          t.deepEqual(response.body, asset(name), path);
          t.is(response.fields["content-type"], type);
          t.is(response.fields["content-length"], String(asset(name).length));
          t.is(response.fields["connection"], "close");
        }
      })(),
    );
  });

test("packed files that several clients read by turns come whole", async (t) => {
  const bench = await Bench.create({
    options: PACKED,
    impairments: { ...PERFECT, lossPercent: 3 },
  });
  const names = ["app.js", "style.css", "app.js", "logo.svg"];
  let whole = 0;
  const read = function* (name: string): Script<void> {
    const response = yield* one(bench, get(`/${name}`, "Connection: close\r\n"));
    t.deepEqual(response.body, asset(name), name);
    whole++;
  };
  bench.run(
    (function* () {
      for (const name of names) bench.start(read(name));
      while (whole < names.length) yield* bench.sleep(10);
    })(),
  );
});

test("RFC 9110 9.3.2: HEAD gives the fields of GET and no body", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      for (const path of ["/", "/api/status", "/nothing"]) {
        const got = yield* one(bench, get(path));
        const { raw, responses } = yield* converse(bench, 80, get(path, "", "HEAD"));
        t.deepEqual(responses[0]?.fields, got.fields, path);
        t.is(responses[0]?.status, got.status);
        t.is(raw.indexOf("\r\n\r\n"), raw.length - 4, "nothing follows the head");
      }
    })(),
  );
});

test("RFC 9112 9.3: a connection persists in HTTP/1.1, and in HTTP/1.0 when asked to", async (t) => {
  const bench = await Bench.create();
  const cases: [string, boolean, string | undefined][] = [
    ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", true, undefined],
    ["GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false, "close"],
    ["GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close ,y\r\n\r\n", false, "close"],
    ["GET / HTTP/1.0\r\n\r\n", false, "close"],
    ["GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true, "keep-alive"],
    ["GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false, "close"],
    ["GET / HTTP/1.9\r\nHost: a\r\n\r\n", true, undefined],
  ];
  bench.run(
    (function* () {
      for (const [text, stays, field] of cases) {
        const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
        for (let turn = 0; turn < (stays ? 3 : 1); turn++) {
          const response = yield* request(connection, text);
          t.is(response?.status, 200, text);
          t.is(response?.fields["connection"], field, text);
        }
        if (stays) {
          yield* bench.sleep(500);
          connection.pump();
          t.is(connection.ending, "open", text);
        } else {
          yield* connection.ended();
          t.is(connection.ending, "closed", text);
        }
        connection.close();
      }
    })(),
  );
});

test("RFC 9110 13.1.2: a tag that still holds is answered with 304, another one with the file", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const tag = (yield* one(bench, get("/"))).fields["etag"] as string;
      t.regex(tag, /^"[0-9a-f]{8}"$/);
      const matching = [tag, `W/${tag}`, `"x", ${tag}`, "*", `"aaaaaaaaaaaaaaaaaaaaaaaaa",${tag} `];
      for (const value of matching) {
        const { responses, raw } = yield* converse(
          bench,
          80,
          get("/", `If-None-Match: ${value}\r\n`),
        );
        t.is(responses[0]?.status, 304, value);
        t.is(responses[0]?.fields["etag"], tag);
        t.is(raw.indexOf("\r\n\r\n"), raw.length - 4, "no body");
      }
      for (const value of ['"00000000"', tag.replaceAll('"', ""), `${tag}x`]) {
        t.is((yield* one(bench, get("/", `If-None-Match: ${value}\r\n`))).status, 200, value);
      }
      const status = yield* one(bench, get("/api/status", "If-None-Match: *\r\n"));
      t.is(status.status, 200, "the status document is new each time");
    })(),
  );
});

for (const packed of [false, true])
  test(`RFC 9110 14: a part of a file, and what is no part${packed ? ", packed" : ""}`, async (t) => {
    const bench = await Bench.create(packed ? { options: PACKED } : {});
    const css = asset("style.css");
    const size = css.length;
    bench.run(
      (function* () {
        const tag = (yield* one(bench, get("/style.css"))).fields["etag"] as string;
        const parts: [string, number, number][] = [
          ["bytes=0-0", 0, 0],
          ["Bytes=10-19 ", 10, 19],
          ["bytes=10-", 10, size - 1],
          ["bytes=-10", size - 10, size - 1],
          [`bytes=-${size + 1}`, 0, size - 1],
          ["bytes=5-99999999999", 5, size - 1],
          [`bytes=3-4\r\nIf-Range: ${tag}`, 3, 4],
        ];
        for (const [range, first, last] of parts) {
          const part = yield* one(bench, get("/style.css", `Range: ${range}\r\n`));
          t.is(part.status, 206, range);
          t.is(part.fields["content-range"], `bytes ${first}-${last}/${size}`, range);
          t.deepEqual(part.body, css.subarray(first, last + 1), range);
          t.is(part.fields["etag"], tag);
        }
        for (const range of [
          `bytes=${size}-`,
          "bytes=-0",
          "bytes=4294967295-",
          "bytes=99999999999-",
        ]) {
          const none = yield* one(bench, get("/style.css", `Range: ${range}\r\n`));
          t.is(none.status, 416, range);
          t.is(none.fields["content-range"], `bytes */${size}`);
        }
        const whole = [
          ..."bytes=5-4 bytes=0-1,3-4 lines=0-1 bytes=a-b bytes=1 bytes= bytes=-- bytes=1-2-3 bytes".split(
            " ",
          ),
          "bytes=0-1\r\nRange: bytes=0-1",
          'bytes=0-1\r\nIf-Range: "00000000"',
          `bytes=0-1\r\nIf-Range: W/${tag}`,
          "bytes=0-1\r\nIf-Range: Wed, 21 Oct 2015 07:28:00 GMT",
          "bytes=0-1\r\nContent-Length: 0",
        ];
        for (const range of whole.slice(0, -1)) {
          const { status, body } = yield* one(bench, get("/style.css", `Range: ${range}\r\n`));
          t.deepEqual([status, body.length], [200, size], range);
        }
        t.is((yield* one(bench, get("/style.css", `Range: ${whole.at(-1)}\r\n`))).status, 206);
        const body = get("/style.css", "Range: bytes=0-1\r\nContent-Length: 2\r\n") + "ab";
        t.is((yield* one(bench, body)).status, 200, "with a body");
        const held = get("/style.css", `Range: bytes=0-1\r\nIf-None-Match: ${tag}\r\n`);
        t.is((yield* converse(bench, 80, held)).responses[0]?.status, 304);
        const head = yield* converse(bench, 80, get("/style.css", "Range: bytes=0-1\r\n", "HEAD"));
        t.is(head.responses[0]?.fields["content-length"], String(size));
        t.is((yield* one(bench, get("/api/status", "Range: bytes=0-1\r\n"))).status, 200);
      })(),
    );
  });

test("RFC 9110 15.5: what is wrong with a request is told by its status", async (t) => {
  const bench = await Bench.create();
  const cases: [string, number][] = [
    [get("/nothing"), 404],
    [get("/", "", "POST"), 405],
    [get("/", "", "DELETE"), 405],
    ["OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405],
    [get("/", "", "BREW"), 501],
    [get("/", "", "get"), 501],
    [get(`/${"a".repeat(64)}`), 414],
    [get(`/?${"a".repeat(1100)}`), 414],
    [get("/", `X: ${"a".repeat(8200)}\r\n`), 431],
    [get("/", "X: y\r\n".repeat(65)), 431],
    ["GET / HTTP/2.0\r\n\r\n", 505],
    [get("/", "Expect: a miracle\r\n"), 417],
    [get("/", "Content-Length: 65537\r\n"), 413],
  ];
  bench.run(
    (function* () {
      for (const [text, status] of cases) {
        const response = yield* one(bench, text);
        t.is(response.status, status, text.slice(0, 60));
        t.is(response.body.toString(), `${response.status} ${response.reason}\n`);
        if (status === 405) t.is(response.fields["allow"], "GET, HEAD");
      }
    })(),
  );
});

test("RFC 9112 9.3.2: pipelined requests are answered in order", async (t) => {
  const bench = await Bench.create();
  const names = ["style.css", "app.js", "nothing", "logo.svg", "favicon.svg", "style.css"];
  bench.run(
    (function* () {
      const all = names.map((name) => get(`/${name}`)).join("");
      const { responses, ending } = yield* converse(bench, 80, all);
      t.deepEqual(
        responses.map((r) => r.status),
        [200, 200, 404, 200, 200, 200],
      );
      for (const [i, name] of names.entries()) {
        if (name !== "nothing") t.deepEqual(responses[i]?.body, asset(name));
      }
      t.is(ending, "closed");
    })(),
  );
});

test("RFC 9112 9.6: a body after an answered request does not destroy the response", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const body = Buffer.alloc(50_000, "x");
      const head = get("/", `Content-Length: ${body.length}\r\n`, "POST");
      const { responses, ending } = yield* converse(
        bench,
        80,
        Buffer.concat([Buffer.from(head), body]),
      );
      t.is(responses[0]?.status, 405);
      t.is(ending, "closed");
    })(),
  );
});

test("RFC 9110 9.3.1: the body of a GET is dropped and the next request understood", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const bodies = [
        get("/", "Content-Length: 20\r\n") + "GET /nothing HTTP/1.",
        get("/", "Content-Length: 60000\r\n") + "G".repeat(60000),
        get("/", "Transfer-Encoding: chunked\r\n") +
          "5;x=y\r\nGET /\r\n3\r\n\r\n\r\r\n0\r\nA: b\r\n\r\n",
      ];
      const { responses, ending } = yield* converse(bench, 80, bodies.join("") + get("/app.js"));
      t.deepEqual(
        responses.map((r) => r.body),
        [...bodies.map(() => asset("index.html")), asset("app.js")],
      );
      t.is(ending, "closed");
      const over = get("/", "Transfer-Encoding: chunked\r\n") + "10000\r\n";
      const refused = yield* converse(
        bench,
        80,
        over + "x".repeat(65536) + "\r\n1\r\nx\r\n0\r\n\r\n",
      );
      t.is(refused.responses[0]?.status, 413);
    })(),
  );
});

test("RFC 9110 10.1.1: Expect: 100-continue is answered before the body comes", async (t) => {
  const bench = await Bench.create();
  bench.run(
    (function* () {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
      yield* connection.send(get("/", "Content-Length: 3\r\nExpect: 100-Continue\r\n"));
      t.is((yield* nextResponse(connection))?.status, 100);
      yield* connection.send("abc");
      t.is((yield* nextResponse(connection))?.status, 200);
      const refused = yield* request(
        connection,
        get("/", "Content-Length: 3\r\nExpect: 100-continue\r\n", "POST"),
      );
      t.is(refused?.status, 405, "the final status, at once");
      yield* connection.ended();
      connection.close();
    })(),
  );
});

test("H-8: requests sent byte by byte are answered as those sent at once", async (t) => {
  const bench = await Bench.create();
  const requests = [
    get("/style.css"),
    get("/nothing", "Connection: close\r\n"),
    get("/", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n" + get("/favicon.svg"),
    get("/%6Cogo.svg?a", 'If-None-Match: "x"\r\nX-Long: ' + "y".repeat(200) + "\r\n", "HEAD"),
    "GET / HTTP/1.0\r\n\r\n",
    "\r\n\r\nGET http://device/app.js HTTP/1.1\r\nHost: device\r\n\r\n",
    get("/", "Content-Length: 5, 5\r\n"),
    "GET /\r\n",
  ];
  bench.run(
    (function* () {
      for (const text of requests) {
        const atOnce: Outcome = yield* converse(bench, 80, text);
        const byByte = yield* converse(bench, 80, text, { pieceBytes: 1, pauseMs: 1 });
        t.is(byByte.raw.toString("latin1"), atOnce.raw.toString("latin1"), text.slice(0, 60));
        t.true(atOnce.responses.length > 0);
      }
    })(),
  );
});
