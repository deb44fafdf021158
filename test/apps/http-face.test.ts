/** The HTTP face for applications (as-tcpip/http), by a server that uses all of it (test/device/web). */
import test from "ava";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { converse, get, nextResponse, request, type Response } from "./http.js";
import type { Connection } from "./peer.js";

const APP = { app: "test/device/web" };

/** Sends requests, each on a connection of its own, and gives the responses. */
async function ask(...requests: string[]): Promise<Response[]> {
  const bench = await Bench.create(APP);
  return bench.run(
    (function* () {
      const responses: Response[] = [];
      for (const text of requests) {
        const { responses: got } = yield* converse(bench, 80, text);
        if (got.length !== 1) throw new Error(`${got.length} responses to ${text}`);
        responses.push(got[0] as Response);
      }
      return responses;
    })(),
  );
}

function post(path: string, body: string, fields = "", method = "POST"): string {
  return get(path, `Content-Length: ${body.length}\r\n${fields}`, method) + body;
}

/** `data` in chunks of the given size. */
function chunked(data: string, bytes: number): string {
  let out = "";
  for (let at = 0; at < data.length; at += bytes) {
    const part = data.slice(at, at + bytes);
    out += `${part.length.toString(16)}\r\n${part}\r\n`;
  }
  return `${out}0\r\n\r\n`;
}

test("a handler answers with type, length, a field of its own; and reads fields of the request", async (t) => {
  const [plain, named, head] = await ask(
    get("/hello"),
    get("/hello", "Authorization:  Basic YTpi\r\n"),
    get("/hello", "", "HEAD"),
  );
  t.is(plain?.body.toString(), "hello ");
  t.is(plain?.fields["content-type"], "text/plain");
  t.is(plain?.fields["content-length"], "6");
  t.is(plain?.fields["x-greeting"], "yes");
  t.is(named?.body.toString(), "hello Basic YTpi");
  t.deepEqual(head?.fields, plain?.fields);
});

/** RFC 9110 15; what is none of them is answered as 400. */
const REASONS =
  `200 OK|201 Created|204 No Content|206 Partial Content|303 See Other|304 Not Modified|400 Bad Request|
401 Unauthorized|403 Forbidden|404 Not Found|405 Method Not Allowed|408 Request Timeout|409 Conflict|413 Content Too Large|
414 URI Too Long|416 Range Not Satisfiable|417 Expectation Failed|426 Upgrade Required|431 Request Header Fields Too Large|
500 Internal Server Error|501 Not Implemented|503 Service Unavailable|505 HTTP Version Not Supported`
    .replaceAll("\n", "")
    .split("|");

test("RFC 9110 15: each status has its reason", async (t) => {
  const answers = await ask(
    ...REASONS.map((reason) => get(`/params?status=${reason.slice(0, 3)}`)),
    get("/params?status=402"),
  );
  t.deepEqual(
    answers.map(({ status, reason }) => `${status} ${reason}`),
    [...REASONS, "400 Bad Request"],
  );
});

test("query and form are decoded; what is not kept is refused", async (t) => {
  const answers = await ask(
    get("/params?name=J%c3%a9r%C3%B4me+B&count=42&mode=very%20fast"),
    get("/params?count=4294967296&name=%4"),
    get("/params"),
    post("/params?count=1", "name=a%26b&mode=slow&count=2"),
    get("/params?count=4294967295", "Content-Length: 3\r\n") + "a=b",
  );
  t.deepEqual(
    answers.map(({ body }) => JSON.parse(body.toString()) as unknown),
    [
      { name: "Jérôme B", count: 42, fast: true, body: 0 },
      { name: null, count: 7, fast: false, body: 0 },
      { name: null, count: 7, fast: false, body: 0 },
      { name: "a&b", count: 1, fast: false, body: 28 },
      { name: null, count: 4294967295, fast: false, body: 0 },
    ],
  );
  const chunks = get("/params", "Transfer-Encoding: chunked\r\n", "POST");
  const [form, ...refused] = await ask(
    chunks + chunked("name=chunked&count=5", 3),
    post("/params", "x".repeat(126)),
    chunks + chunked("x".repeat(200), 50),
    get(`/params?${"q".repeat(130)}`),
    get("/hello", `Authorization: ${"a".repeat(130)}\r\n`),
  );
  t.is((JSON.parse(form?.body.toString() ?? "") as { name: string }).name, "chunked");
  t.deepEqual(
    refused.map(({ status }) => status),
    [413, 413, 414, 431],
  );
});

test("a route with a rest; methods that it does not have; a handler that says nothing", async (t) => {
  const [thing, none, gone, wrong, silent] = await ask(
    get("/things/a%20lamp"),
    get("/things/"),
    get("/things/x", "", "DELETE"),
    get("/things/x", "", "PATCH"),
    get("/silent"),
  );
  t.is(thing?.body.toString(), "a lamp");
  t.is(none?.status, 404);
  t.is(gone?.status, 204);
  t.is(gone?.fields["content-length"], undefined);
  t.is(wrong?.status, 405);
  t.is(wrong?.fields["allow"], "GET, HEAD, DELETE");
  t.is(silent?.status, 500);
});

test("an answer of many pieces: in chunks, to the end of the connection for HTTP/1.0, none for HEAD; pipelined", async (t) => {
  const wanted = Array.from({ length: 200 }, (_, i) => [i, 0 - i, i % 2 === 1]);
  const bench = await Bench.create(APP);
  bench.run(
    (function* () {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
      yield* connection.send(get("/json") + get("/count") + get("/json") + get("/hello"));
      const got: (string | undefined)[] = [];
      for (let i = 0; i < 4; i++)
        got.push((yield* nextResponse(connection))?.body.toString("latin1"));
      const document = { rows: wanted, end: "" };
      t.deepEqual(JSON.parse(got[0] ?? ""), document);
      t.is(got[1], "02");
      t.deepEqual(JSON.parse(got[2] ?? ""), document);
      t.is(got[3], "hello ");
      const head = yield* converse(bench, 80, get("/json", "", "HEAD"));
      t.is(head.raw.indexOf("\r\n\r\n"), head.raw.length - 4);
      const old = yield* converse(bench, 80, "GET /json HTTP/1.0\r\n\r\n");
      t.is(old.responses[0]?.fields["transfer-encoding"], undefined);
      t.deepEqual(JSON.parse(old.responses[0]?.body.toString() ?? ""), document);
    })(),
  );
});

test("uploads come piece by piece, with a length or in chunks; they can be refused, and the end of one is told", async (t) => {
  const data = Array.from({ length: 5000 }, (_, i) => String.fromCharCode(97 + (i % 23))).join("");
  const sum = [...data].reduce((s, c) => (Math.imul(s, 31) + c.charCodeAt(0)) >>> 0, 0);
  const [plain, chunks, refused, early] = await ask(
    post("/upload", data),
    get("/upload", "Transfer-Encoding: chunked\r\n", "POST") + chunked(data, 777),
    post("/upload", "x", "", "PUT"),
    post("/upload", "!abc"),
  );
  t.is(plain?.body.toString(), String(sum));
  t.is(chunks?.body.toString(), String(sum));
  t.is(refused?.status, 409);
  t.is(refused?.fields["connection"], "close");
  t.is(early?.status, 403);

  const bench = await Bench.create(APP);
  bench.run(
    (function* () {
      const broken = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
      yield* broken.send(get("/upload", "Content-Length: 10\r\n", "POST") + "aaa");
      yield* bench.sleep(100);
      broken.abort();
      yield* bench.sleep(100);
      const polite = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
      const expecting = "Content-Length: 2\r\nExpect: 100-continue\r\n";
      const first = yield* request(polite, get("/upload", expecting, "POST"));
      t.is(first?.status, 100);
      t.is((yield* request(polite, "ab"))?.body.toString(), String(97 * 31 + 98));
      polite.close();
    })(),
  );
  const sumOf3 = 97 * 31 * 31 + 97 * 31 + 97;
  t.true(bench.world.log.some(({ text }) => text.includes(`upload broken off at ${sumOf3}`)));
});

/** Takes what has come of events, without the framing of the chunks. */
function events(connection: Connection): string[] {
  return [...connection.received.toString().matchAll(/data: (.*)\n\n/g)].map((m) => m[1] as string);
}

test("events come to all who listen, end with the client, and take half of the places at most", async (t) => {
  const bench = await Bench.create(APP);
  bench.run(
    (function* () {
      const open = function* (): Script<Connection> {
        const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
        yield* connection.send(get("/events"));
        yield* connection.receive((data) => data.includes("\r\n\r\n"));
        return connection;
      };
      const listeners = [yield* open(), yield* open(), yield* open()];
      t.regex(listeners[0]?.received.toString() ?? "", /Content-Type: text\/event-stream\r\n/);
      const refused = yield* converse(bench, 80, get("/events"));
      t.is(refused.responses[0]?.status, 503);
      yield* bench.sleep(60_000);
      for (const listener of listeners) {
        listener.pump();
        t.is(listener.ending, "open");
        const numbers = events(listener).map(Number);
        t.true(numbers.length >= 59 && numbers.length <= 61, `${numbers.length}`);
        t.true(numbers.every((n, i) => n === (numbers[0] as number) + i));
      }
      listeners[0]?.finish();
      listeners[1]?.abort();
      yield* bench.sleep(3000);
      t.is((yield* open()).ending, "open");
    })(),
  );
  t.is(bench.world.log.filter(({ text }) => text.includes("left at tick")).length, 2);
});

test("RFC 8259: JSON that was sent is read token by token, and what is none is refused where it begins", async (t) => {
  const tokens: [string, string][] = [
    ['{"a":1,"b":[true,false,null,"x"]}', "{KaN1Kb[tfnSx]}."],
    [" [ ] ", "[]."],
    [
      '{"n":-2147483648,"m":2147483648,"f":1.5,"e":1e2,"z":-0}',
      "{KnN-2147483648KmN-7KfN-7KeN-7KzN0}.",
    ],
    ['{"skip":{"a":[1,{"b":2}]},"c":3,"skip":"x","d":{}}', "{KskipKcN3KskipKd{}}."],
    [String.raw`"\u00e9\ud83d\ude00\n\"\\\/"`, 'S\u00e9\u{1f600}\n"\\/.'],
    ['"\u00e9\u{1f600}"', "S\u00e9\u{1f600}."],
    ["3", "N3."],
    [`${"[".repeat(32)}${"]".repeat(32)}`, `${"[".repeat(32)}${"]".repeat(32)}.`],
    [`${"[".repeat(33)}${"]".repeat(33)}`, `${"[".repeat(32)}!`],
    ['{"a":1,}', "{KaN1!"],
    ["[1 2]", "[N1!"],
  ];
  // What the host's own parser says of these is what the device says, too.
  const documents = [
    ...'[] {} [[]] [1,2] [1,] [,1] [1 {a:1} {\'a\':1} {"a"} {"a":} {"a":1 {"a":1] [1} ] }'.split(
      " ",
    ),
    ..."0 -0 01 -01 - +1 1. .1 1.5 1.5e3 1e 1e+ 1e+5 1E-5 1e5.5 0x1 1a --1 NaN Infinity".split(" "),
    ..."true tru truex True false fals falsey null nul nulll".split(" "),
    '""',
    '"',
    '"a',
    'a"',
    '"\t"',
    '"\\t"',
    '"\\x"',
    '"\\u12"',
    '"\\u12g4"',
    '"\\u1234"',
    '"\\',
    '"\\"',
    "1 ",
    " 1",
    "1 1",
    "[1]x",
    "[1] ",
    '{"a":1,"a":2}',
    '{"a":1 "b":2}',
    '{"a":1,,"b":2}',
    "{1:2}",
    "\u0000",
    "1\u0000",
    "/**/1",
  ];
  const never = [
    '"\\ud800"',
    '"\\ud800\\u0041"',
    '"\\udc00"',
    '"\xff"',
    '"\xc3"',
    '"\xed\xa0\x80"',
  ];
  const bench = await Bench.create(APP);
  bench.run(
    (function* () {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
      const read = function* (body: Buffer): Script<string> {
        const head = get("/tokens", `Content-Length: ${body.length}\r\n`, "POST");
        const message = Buffer.concat([Buffer.from(head), body]);
        return (yield* request(connection, message))?.body.toString() ?? "";
      };
      for (const [text, wanted] of tokens) t.is(yield* read(Buffer.from(text)), wanted, text);
      for (const text of documents) {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        t.is((yield* read(Buffer.from(text))).endsWith(valid ? "." : "!"), true, text);
      }
      for (const text of never)
        t.true((yield* read(Buffer.from(text, "latin1"))).endsWith("!"), text);
      connection.close();
    })(),
  );
});
