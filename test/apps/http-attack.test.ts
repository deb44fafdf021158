import { type ExecutionContext } from "ava";
import test from "../conformance/proves.js";
import { Random } from "../../host-tools/sim/random.js";
import { Bench, type Script } from "./bench.js";
import { converse, get, status } from "./http.js";

/**
 * What comes back for a request: its only status, and that the connection has ended in good order.
 */
function* refused(bench: Bench, t: ExecutionContext, text: string): Script<number> {
  const { responses, ending, raw } = yield* converse(bench, 80, text, { finish: false });
  const shown = JSON.stringify(text.slice(0, 70));
  t.is(responses.length, 1, `one response to ${shown}: ${raw.toString("latin1", 0, 300)}`);
  t.is(responses[0]?.fields["connection"], "close", shown);
  t.is(ending, "closed", shown);
  return responses[0]?.status ?? 0;
}

/**
 * Sends each request on a connection of its own and expects a refusal; then the device must still
 * be well.
 */
function refuses(t: ExecutionContext, bench: Bench, cases: [string, number][]): void {
  bench.run(
    (function* () {
      const before = yield* status(bench);
      for (const [text, expected] of cases) {
        const shown = JSON.stringify(text.slice(0, 70));
        t.is(yield* refused(bench, t, text), expected, shown);
      }
      yield* bench.sleep(200);
      const after = yield* status(bench);
      t.deepEqual(after.pools["tcbs"], before.pools["tcbs"]);
      t.deepEqual(after.pools["sockets"], before.pools["sockets"]);
    })(),
  );
}

/** A request behind the bad one: it must never be answered. */
const HIDDEN = get("/nothing");

test("H-1: a Content-Length that is no plain number is refused and the connection ends", async (t) => {
  const bench = await Bench.create();
  const values = ["-1", "+5", "0x10", "5, 5", "5 6", "5,6", "", " ", "1e3", "12345678901234567890"];
  values.push("4294967296", "99999999999", "5;", "\t", "５");
  const cases = values.map((value): [string, number] => [
    get("/", `Content-Length: ${value}\r\n`) + HIDDEN,
    400,
  ]);
  cases.push([get("/", "Content-Length: 1\r\nContent-Length: 2\r\n") + HIDDEN, 400]);
  cases.push([get("/", "Content-Length: 0\r\nContent-Length: 0\r\n") + HIDDEN, 400]);
  cases.push([get("/", "Content-Length: 4294967295\r\n") + HIDDEN, 413]);
  refuses(t, bench, cases);
});

test("H-2: two ways to see the end of a message are refused (RFC 9112 11.2)", async (t) => {
  const bench = await Bench.create();
  const chunked = "Transfer-Encoding: chunked\r\n";
  const body = "0\r\n\r\n" + HIDDEN;
  refuses(t, bench, [
    [get("/", `Content-Length: 5\r\n${chunked}`) + body, 400],
    [get("/", `${chunked}Content-Length: 5\r\n`) + body, 400],
    [get("/", "Transfer-Encoding: chunked, identity\r\n") + body, 400],
    [get("/", "Transfer-Encoding: identity, chunked\r\n") + body, 501],
    [get("/", "Transfer-Encoding: gzip, chunked\r\n") + body, 501],
    [get("/", "Transfer-Encoding: chunked, chunked\r\n") + body, 400],
    [get("/", `${chunked}${chunked}`) + body, 400],
    [get("/", "Transfer-Encoding : chunked\r\n") + body, 400],
    [get("/", "Transfer-Encoding: chunked x\r\n") + body, 400],
    [get("/", "Transfer-Encoding: chun ked\r\n") + body, 400],
    [get("/", "Transfer-Encoding: xchunked\r\n") + body, 400],
    [get("/", "Transfer-Encoding: \r\n") + body, 400],
    [get("/", "Transfer-Encoding: identity\r\n") + body, 400],
    [`GET / HTTP/1.0\r\n${chunked}\r\n${body}`, 400],
  ]);
});

test("H-3: chunks that are malformed or endless are refused with constant memory", async (t) => {
  const bench = await Bench.create();
  const head = get("/", "Transfer-Encoding: chunked\r\n");
  const bad = ["FFFFFFFFFFFFFFFF\r\n", "-1\r\n", "\r\n", "0x5\r\n", `${"0".repeat(1000)}\r\n`];
  bad.push(
    `5;${"x".repeat(100_000)}`,
    "5;a\0b\r\n",
    "5 5\r\n",
    " 5\r\n",
    "5\n12345\n0\n\n",
    "g\r\n",
  );
  bad.push(
    "3\r\nabcd\r\n",
    "3\r\nabc\n0\r\n\r\n",
    "3\r\nabc0\r\n\r\n",
    "0\r\n x: y\r\n\r\n",
    "0\r\nx\0\r\n\r\n",
  );
  const cases = bad.map((body): [string, number] => [head + body + HIDDEN, 400]);
  cases.push([`${head}FFFFFFFF\r\n${HIDDEN}`, 413]);
  cases.push([`${head}0\r\n${"X: y\r\n".repeat(10_000)}\r\n`, 431]);
  refuses(t, bench, cases);
});

test("H-4: heads without end and malformed lines are refused; no buffer overruns", async (t) => {
  const bench = await Bench.create();
  const line = (text: string): string => `GET / HTTP/1.1\r\nHost: a\r\n${text}\r\n\r\n${HIDDEN}`;
  const cases: [string, number][] = [
    [`GET /${"a".repeat(65536)}`, 414],
    [`GET /?${"a".repeat(65536)}`, 414],
    [`GET http://${"a".repeat(65536)}`, 414],
    ["G".repeat(65536), 501],
    [`GET / HTTP/1.1\r\nHost: a\r\n${"X: y\r\n".repeat(10_000)}`, 431],
    [`GET / HTTP/1.1\r\nHost: a\r\n${"x".repeat(65536)}`, 431],
    [`GET / HTTP/1.1\r\nHost: a\r\nX:${" ".repeat(65536)}`, 431],
    ["\r\n".repeat(20), 400],
    [`GET${" ".repeat(3)}/ HTTP/1.1\r\n`, 400],
  ];
  const lines = ["no colon", "X : y", " X: y", "\tX: y", ": y", "X: a\0b", "X: a\rb", "X: a\nY: b"];
  lines.push("X\x80: y", "X: a\x7fb", "X: y\r\n folded", "Host: a b", "Host: a/b", "Host: a@b");
  for (const text of lines) cases.push([line(text), 400]);
  refuses(t, bench, cases);
});

test("H-6: methods, versions and bytes that are none are refused", async (t) => {
  const bench = await Bench.create();
  refuses(t, bench, [
    ["GET\r\n\r\n", 400],
    ["GET \r\n\r\n", 400],
    ["GET /\r\n\r\n", 400],
    ["GET / \r\n\r\n", 400],
    ["GET / HTTP\r\n\r\n", 400],
    ["GET / HTTP/1\r\n\r\n", 400],
    ["GET / HTTP/1.1.1\r\n\r\n", 400],
    ["GET / http/1.1\r\n\r\n", 400],
    ["GET / HTTP/9.9\r\n\r\n", 505],
    ["GET / HTTP/0.9\r\n\r\n", 505],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501],
    ["BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", 501],
    ["CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 501],
    [`${"A".repeat(17)} / HTTP/1.1\r\nHost: a\r\n\r\n`, 501],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400],
    ["\0\0\0\0", 400],
    ["GET / HTTP/1.1\nHost: a\n\n", 400],
  ]);
});

test("H-7: a path is decoded once and names a file or nothing", async (t) => {
  const bench = await Bench.create();
  const closing = "Connection: close\r\n";
  const cases: [string, number][] = [
    [get("/../x", closing), 404],
    [get("/%2e%2e/", closing), 404],
    [get("/./", closing), 404],
    [get("//", closing), 404],
    [get("//style.css", closing), 404],
    [get("/%2fstyle.css", closing), 404],
    [get("/%252e", closing), 404],
    [get("/style.css/", closing), 404],
    [get("/style.css%20", closing), 404],
    [get("/%00", closing), 400],
    [get("/style.css%00.html", closing), 400],
    [get("/%0d%0aX:%20y", closing), 400],
    [get("/%zz", closing), 400],
    [get("/%4", closing), 400],
    [get("/a#b", closing), 400],
    [get("/\xff", closing), 400],
    [get("style.css", closing), 400],
    [get("*", closing), 400],
    [get("http:///style.css", closing), 400],
    [get("http://user@device/style.css", closing), 400],
    [get("https://device/style.css", closing), 400],
    [get("http://device", closing), 200],
    [get("HTTP://device:80/%73tyle.css?x", closing), 200],
    [get("http://device?x", closing), 200],
    [get("/%e2%82%ac", closing), 404],
  ];
  refuses(t, bench, cases);
});

test("H-9: HTTP/1.1 needs exactly one Host (RFC 9112 3.2)", async (t) => {
  const bench = await Bench.create();
  refuses(t, bench, [
    ["GET / HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400],
    ["GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400],
    ["GET http://device/ HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 200],
    ["GET / HTTP/1.1\r\nhOSt: [::1]:80\t \r\nConnection: close\r\n\r\n", 200],
    ["GET / HTTP/1.0\r\n\r\n", 200],
  ]);
});

/** Bytes that are random, or a request with some of its bytes changed. */
function garbage(random: Random): Buffer {
  const kind = random.below(3);
  if (kind === 0)
    return Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)));
  const words = [
    "GET",
    "HEAD",
    " ",
    "/",
    "HTTP/1.1",
    "\r\n",
    ":",
    "Host",
    "Content-Length",
    "0",
    "5",
  ];
  words.push(
    "Transfer-Encoding",
    "chunked",
    "\r\n\r\n",
    ",",
    "\0",
    "Expect: 100-continue",
    "POST",
    "%41",
  );
  if (kind === 1) {
    const count = random.below(40);
    return Buffer.from(
      Array.from({ length: count }, () => words[random.below(words.length)]).join(""),
    );
  }
  const bytes = Buffer.from(
    get("/style.css", "Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n0\r\n\r\n",
  );
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
  return bytes;
}

test("H-6: a thousand random requests leave every table at its level", async (t) => {
  const bench = await Bench.create({ limitSeconds: 3000 });
  const random = new Random(20);
  bench.run(
    (function* () {
      const before = yield* status(bench);
      const client = function* (count: number): Script {
        for (let i = 0; i < count; i++) {
          const port = random.below(2) === 0 ? 80 : 8080;
          const pieceBytes = 1 + random.below(400);
          yield* converse(bench, port, garbage(random), { pieceBytes });
        }
      };
      yield* bench.all([client(250), client(250), client(250), client(250)]);
      yield* bench.sleep(500);
      const after = yield* status(bench);
      for (const pool of ["sockets", "tcbs", "synQueue", "udp"]) {
        t.deepEqual(after.pools[pool], before.pools[pool], pool);
      }
      t.is((yield* converse(bench, 80, get("/app.js"))).responses[0]?.status, 200);
    })(),
  );
});
