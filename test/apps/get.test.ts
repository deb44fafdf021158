/** The HTTP client (firmware/examples/get) against scripted servers: RFC 9112. */
import test from "ava";
import { Listener, exampleBench, lines, takeUntil } from "./examples.js";

/** FNV-1a, as the example tells it. */
function digest(text: string): string {
  let value = 0x811c9dc5;
  for (const byte of Buffer.from(text, "latin1")) value = Math.imul(value ^ byte, 0x01000193);
  return (value >>> 0).toString(16);
}

const BODY = "0123456789abcdef\r\n".repeat(40);

/** What a server sends, and the status and body that must come out of it; no status: an error. */
const ANSWERS: [text: string, status?: number, body?: string][] = [
  [`HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}beyond`, 200, BODY],
  [`HTTP/1.0 200 OK\nServer: ${"x".repeat(300)}\n\n${BODY}`, 200, BODY],
  [
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" +
      "HTTP/1.1 404 Not Found\r\ncontent-length:4\r\n\r\ngone",
    404,
    "gone",
  ],
  [
    "HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: gzip, Chunked\r\nContent-Length: 5\r\n\r\n" +
      `4;name="a;b"\r\nabcd\r\n1\r\n\n\r\n2D0\r\n${BODY}\r\n0\r\nTrailer: x\r\n\r\nbeyond`,
    200,
    `abcd\n${BODY}`,
  ],
  ["HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", 204, ""],
  ["HTTP/1.1 304 Not Modified\r\n\r\n", 304, ""],
  ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4 \t\r\n\r\nsame", 200, "same"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nlength"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 4x\r\n\r\nfour"],
  ["HTTP/1.1 200 OK\r\nContent-Length: 4, 5\r\n\r\nfour"],
  ["HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nfour"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked \t\r\n\r\n4 \r\nfour\r\n0\r\n\r\n", 200, "four"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfourfive\r\n0\r\n\r\n"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4x\r\nfour\r\n0\r\n\r\n"],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80000000\r\nfour\r\n0\r\n\r\n"],
  ["HTTP/1.1 20x OK\r\n\r\n"],
  ["SSH-2.0-OpenSSH_9.9\r\n\r\n"],
  [""],
];

test("length, chunks with extensions and trailers, the end of the connection, interim responses; what is not whole is an error", async (t) => {
  const bench = await exampleBench("get", { limitSeconds: 3000 });
  bench.run(
    (function* () {
      const listener = new Listener(bench, 80);
      for (const [text, status, body] of ANSWERS) {
        const client = yield* listener.accept();
        const asked = yield* takeUntil(client, "\r\n\r\n");
        t.is(asked, "GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n");
        // Cut at odd places.
        for (let i = 0; i < text.length; i += i < 200 ? 7 : 391) {
          yield* client.send(text.slice(i, i + (i < 200 ? 7 : 391)));
        }
        client.finish();
        yield* bench.sleep(100);
        const told = lines(bench).at(-1) ?? "";
        if (status === undefined) t.regex(told, /^GET failed \(error \d+\)/, JSON.stringify(text));
        else {
          const wanted = `GET ${status}: ${body?.length ?? 0} bytes, digest ${digest(body ?? "")}, `;
          t.true(told.startsWith(wanted), `${told} instead of ${wanted}`);
        }
        client.close();
      }
    })(),
  );
});

test("a head that comes a line each five seconds is not waited for", async (t) => {
  const bench = await exampleBench("get", { limitSeconds: 300 });
  bench.run(
    (function* () {
      const listener = new Listener(bench, 80);
      const client = yield* listener.accept();
      const start = bench.nowMs;
      yield* client.send("HTTP/1.1 200 OK\r\n");
      while (client.ending === "open" && bench.nowMs - start < 200_000) {
        yield* bench.sleep(5000);
        yield* client.send("X: y\r\n");
        client.pump();
      }
      t.true(bench.nowMs - start < 45_000, `${bench.nowMs - start} ms`);
      t.true(lines(bench).includes("GET failed (error 110)"));
      client.close();
    })(),
  );
});
