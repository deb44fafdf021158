/** WebSocket (RFC 6455) of as-tcpip/http, by the echo of test/device/web: npm's `ws` as a client, and a peer that breaks the rules. */
import test from "../conformance/proves.js";
import { Duplex } from "node:stream";
import { Lan, type TcpStream } from "../../host-tools/testing/index.js";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { converse, get } from "./http.js";
import type { Connection } from "./peer.js";

const APP = { app: "test/device/web" };
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const UPGRADE = "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n";
const ASK = `${UPGRADE}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n`;

const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];

interface Odd {
  fin?: boolean;
  rsv?: number;
  unmasked?: boolean;
  /** Bytes of the length field: 0, 2 or 8. */
  form?: number;
  /** A length that is not the payload's. */
  length?: bigint;
}

/** A frame of a client. */
function frame(opcode: number, payload: Uint8Array | string = "", odd: Odd = {}): Buffer {
  const data = Buffer.from(payload);
  const length = odd.length ?? BigInt(data.length);
  const form = odd.form ?? (length < 126n ? 0 : length < 65536n ? 2 : 8);
  const head = Buffer.alloc(2 + form);
  head[0] = (odd.fin === false ? 0 : 0x80) | ((odd.rsv ?? 0) << 4) | opcode;
  head[1] = (odd.unmasked ? 0 : 0x80) | (form === 0 ? Number(length) : form === 2 ? 126 : 127);
  if (form === 2) head.writeUInt16BE(Number(length), 2);
  if (form === 8) head.writeBigUInt64BE(length, 2);
  if (odd.unmasked) return Buffer.concat([head, data]);
  const key = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);
  const masked = Buffer.from(data.map((byte, i) => byte ^ (key[i & 3] as number)));
  return Buffer.concat([head, key, masked]);
}

function closing(code: number, reason: Uint8Array | string = ""): Buffer {
  const data = Buffer.from(reason);
  return frame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), data]));
}

interface Got {
  opcode: number;
  fin: boolean;
  data: Buffer;
}

/** The frames at the front of what a server sent; it does not mask. */
function frames(data: Buffer): Got[] {
  const got: Got[] = [];
  for (let at = 0; at + 2 <= data.length;) {
    const [first, second] = [data[at] as number, data[at + 1] as number];
    if ((first & 0x70) !== 0 || second > 126) throw new Error("not a frame of a small server");
    const long = second === 126;
    const length = long ? data.readUInt16BE(at + 2) : second;
    if (long && length < 126) throw new Error("a length that is not the shortest");
    const from = at + (long ? 4 : 2);
    if (from + length > data.length) break;
    const fin = (first & 0x80) !== 0;
    got.push({ opcode: first & 15, fin, data: data.subarray(from, from + length) });
    at = from + length;
  }
  return got;
}

/** Opens a WebSocket; the greeting of the device has come. */
function* open(bench: Bench): Script<Connection> {
  const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
  yield* connection.send(get("/socket", ASK));
  const greeting = Buffer.from("\x81\x04open", "latin1");
  yield* connection.receive((data) => data.includes(greeting));
  connection.take(connection.received.indexOf(greeting) + greeting.length);
  return connection;
}

/** Sends bytes on a WebSocket of their own, and takes the frames until the end. */
function* tell(bench: Bench, ...parts: Buffer[]): Script<Got[]> {
  const connection = yield* open(bench);
  for (const part of parts) yield* connection.send(part);
  const raw = yield* connection.ended();
  connection.close();
  return frames(raw);
}

function codeOf(got: Got | undefined): number {
  return got?.opcode === CLOSE && got.data.length >= 2 ? got.data.readUInt16BE(0) : 0;
}

test("RFC 6455 4.2: the handshake, and what is no handshake", async (t) => {
  const bench = await Bench.create(APP);
  bench.run(
    (function* () {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
      yield* connection.send(get("/socket", ASK));
      yield* connection.receive((data) => data.includes("open"));
      const head = connection.received.toString("latin1").split("\r\n\r\n")[0] as string;
      t.regex(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
      t.regex(head, /\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n/);
      t.regex(head, /\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
      t.regex(head, /\r\nSec-WebSocket-Protocol: echo$/);
      connection.close();
      const wrong: [string, number][] = [
        [get("/socket"), 400],
        [get("/socket", ASK.replace("Upgrade\r\n", "close\r\n")), 400],
        [get("/socket", ASK.replace(KEY, KEY.slice(1))), 400],
        [get("/socket", ASK.replace(/Sec-WebSocket-Key.*\r\n/, "")), 400],
        [get("/socket", ASK.replace("Version: 13", "Version: 8")), 426],
        [get("/socket", ASK, "POST"), 405],
      ];
      for (const [text, status] of wrong) {
        const { responses } = yield* converse(bench, 80, text);
        t.is(responses[0]?.status, status, text);
        if (status === 426) t.is(responses[0]?.fields["sec-websocket-version"], "13");
      }
    })(),
  );
});

test("RFC 6455 5.4, 5.5: fragments with a ping between them, byte by byte; close codes come back", async (t) => {
  const bench = await Bench.create(APP);
  const sent = Buffer.concat([
    frame(TEXT, "h\u00e9", { fin: false }),
    frame(PING, "p".repeat(125)),
    frame(CONTINUATION, "", { fin: false }),
    frame(PONG, "nobody asked"),
    frame(CONTINUATION, "llo"),
    frame(BINARY, ""),
    frame(BINARY, Buffer.alloc(700, 7)),
    frame(TEXT, ""),
    frame(TEXT, "", { fin: false }),
    frame(CONTINUATION, "", { fin: false }),
    frame(CONTINUATION, ""),
    closing(4321, "gr\u00fcn"),
  ]);
  bench.run(
    (function* () {
      const whole = yield* tell(bench, sent);
      const bytes = yield* tell(bench, ...[...sent].map((byte) => Buffer.from([byte])));
      for (const got of [whole, bytes]) {
        const pong = got.find(({ opcode }) => opcode === PONG);
        t.is(pong?.data.toString(), "p".repeat(125));
        const messages: { opcode: number; parts: Buffer[] }[] = [];
        for (const { opcode, data } of got.filter(({ opcode }) => opcode < CLOSE)) {
          if (opcode === CONTINUATION) messages.at(-1)?.parts.push(data);
          else messages.push({ opcode, parts: [data] });
        }
        const texts = messages.map((m) => [m.opcode, Buffer.concat(m.parts).toString()]);
        t.deepEqual(texts, [
          [TEXT, "h\u00e9llo"],
          [BINARY, ""],
          [BINARY, "\x07".repeat(700)],
          [TEXT, ""],
          [TEXT, ""],
        ]);
        t.is(codeOf(got.at(-1)), 4321);
      }
      t.deepEqual(yield* tell(bench, frame(CLOSE)), [
        { opcode: CLOSE, fin: true, data: Buffer.alloc(0) },
      ]);
      yield* bench.sleep(100);
    })(),
  );
  const codes = bench.world.log.map(({ text }) => /socket ended with (\d+)/.exec(text)?.[1]);
  t.deepEqual(codes.filter(Boolean), ["4321", "4321", "1005"]);
});

test("H-10, RFC 6455 5.2, 7.4, 8.1: what breaks the rules is ended with the right code", async (t) => {
  const bench = await Bench.create(APP);
  const bad = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
  const cases: [string, number, ...Buffer[]][] = [
    ["unmasked", 1002, frame(TEXT, "a", { unmasked: true })],
    ["reserved bit", 1002, frame(TEXT, "a", { rsv: 4 })],
    ["reserved opcode", 1002, frame(3, "a")],
    ["reserved control opcode", 1002, frame(11, "a")],
    ["fragmented ping", 1002, frame(PING, "a", { fin: false })],
    ["long ping", 1002, frame(PING, "a".repeat(126))],
    ["continuation of nothing", 1002, frame(CONTINUATION, "a")],
    ["message in a message", 1002, frame(TEXT, "a", { fin: false }), frame(TEXT, "b")],
    ["length in 16 bits for no reason", 1002, frame(TEXT, "a", { form: 2 })],
    ["length in 64 bits for no reason", 1002, frame(TEXT, "a".repeat(200), { form: 8 })],
    ["length with its highest bit", 1002, frame(TEXT, "a", { length: 1n << 63n })],
    ["too long", 1009, frame(TEXT, "a", { length: 1n << 32n })],
    ["too long by little", 1009, frame(TEXT, "a", { length: 1n << 31n })],
    ["lone continuation byte", 1007, frame(TEXT, bad(0x80))],
    ["overlong", 1007, frame(TEXT, bad(0xc0, 0xaf))],
    ["surrogate", 1007, frame(TEXT, bad(0xed, 0xa0, 0x80))],
    ["above U+10FFFF", 1007, frame(TEXT, bad(0xf4, 0x90, 0x80, 0x80))],
    ["cut off", 1007, frame(TEXT, bad(0xe2, 0x82))],
    [
      "bad across fragments",
      1007,
      frame(TEXT, bad(0xe2), { fin: false }),
      frame(CONTINUATION, bad(0x41)),
    ],
    ["close of one byte", 1002, frame(CLOSE, "a")],
    ["close with bad reason", 1007, closing(1000, bad(0xff))],
    ["close with half a character", 1007, closing(1000, bad(0xc3))],
    ...[0, 999, 1004, 1005, 1006, 1015, 2999, 5000].map((code): [string, number, Buffer] => [
      `close with ${code}`,
      1002,
      closing(code),
    ]),
    ...[1000, 1014, 3000, 4999].map((code): [string, number, Buffer] => [
      `close with ${code}`,
      code,
      closing(code),
    ]),
  ];
  bench.run(
    (function* () {
      for (const [what, code, ...parts] of cases) {
        const got = yield* tell(bench, ...parts);
        t.is(codeOf(got.at(-1)), code, what);
      }
      // Good UTF-8 whose characters are cut by the frames.
      const poop = Buffer.from("\u{1f4a9}");
      const split = [...poop].map((byte, i) =>
        frame(i === 0 ? TEXT : CONTINUATION, Buffer.from([byte]), { fin: i === 3 }),
      );
      const got = yield* tell(bench, ...split, closing(1000));
      t.is(Buffer.concat(got.slice(0, -1).map(({ data }) => data)).toString(), "\u{1f4a9}");
    })(),
  );
});

test("the handler sends by itself: at a time, many frames for a message, a close of its own; an end without one is 1006", async (t) => {
  const bench = await Bench.create(APP);
  bench.run(
    (function* () {
      const connection = yield* open(bench);
      yield* connection.send(frame(TEXT, "tick"));
      yield* connection.receive((data) => data.includes("tick"));
      connection.take(connection.received.length);
      yield* connection.send(frame(TEXT, "long"));
      yield* connection.receive((data) => frames(data).some(({ fin }) => fin));
      const got = frames(connection.received);
      t.deepEqual([got.length, got[0]?.opcode, got[1]?.opcode], [20, TEXT, CONTINUATION]);
      t.is(Buffer.concat(got.map(({ data }) => data)).toString(), "x".repeat(2000));
      connection.abort();
      const bye = yield* tell(bench, frame(TEXT, "bye"));
      t.is(codeOf(bye.at(-1)), 4000);
      yield* bench.sleep(100);
    })(),
  );
  const codes = bench.world.log.map(({ text }) => /socket ended with (\d+)/.exec(text)?.[1]);
  t.deepEqual(codes.filter(Boolean), ["1006", "4000"]);
});

test("a client that stays after the Close does not keep the processor awake", async (t) => {
  const lan = new Lan();
  const device = await lan.device(APP);
  const stream = await device.connect(80);
  await stream.write(get("/socket", ASK));
  await stream.readUntil("open");
  await stream.write(frame(TEXT, "late"));
  await stream.write(frame(TEXT, "bye"));
  await stream.readUntil("\x0f\xa0");
  await lan.sleep(300);
  const before = device.sleeps;
  await lan.sleep(500);
  t.true(device.sleeps > before, "it sleeps again and again");
  lan.close();
});

/** A connection of the simulated network as the stream that `ws` works on. */
class Wire extends Duplex {
  constructor(
    private readonly lan: Lan,
    private readonly stream: TcpStream,
  ) {
    super();
    setImmediate(() => void this.pump());
  }

  override _read(): void {}

  override _write(data: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.stream.write(data).then(() => done(), done);
  }

  override _final(done: () => void): void {
    this.stream.end();
    done();
  }

  setTimeout(): void {}
  setNoDelay(): void {}

  /** Lets the network's time pass, millisecond by millisecond, as long as `ws` has not ended. */
  private async pump(): Promise<void> {
    while (!this.destroyed) {
      await this.lan.sleep(1);
      const data = this.stream.readNow();
      if (data === null) return void this.push(null);
      if (data.length > 0) this.push(data);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

interface Client {
  on(event: string, heard: (...values: never[]) => void): void;
  send(data: string | Uint8Array, options?: { fin: boolean }): void;
  ping(data: string): void;
  close(code: number): void;
}

test("npm's ws is understood, and understands", async (t) => {
  const lan = new Lan();
  const device = await lan.device(APP);
  const stream = await device.connect(80);
  const name = "ws";
  const { WebSocket } = (await import(name)) as {
    WebSocket: new (url: string, protocols: string[], options: object) => Client;
  };
  const heard: string[] = [];
  await new Promise<void>((resolve, reject) => {
    const client = new WebSocket("ws://device/socket", ["echo"], {
      createConnection: () => new Wire(lan, stream),
    });
    client.on("error", reject);
    client.on("pong", (data: Buffer) => heard.push(`pong ${data.toString()}`));
    client.on("close", (code: number) => {
      heard.push(`close ${code}`);
      resolve();
    });
    client.on("message", (data: Buffer, isBinary: boolean) => {
      heard.push(`${isBinary ? "binary" : "text"} ${data.toString().slice(0, 20)} ${data.length}`);
      if (heard.length === 1) {
        client.send("b".repeat(10_000));
        client.send("\u00fc", { fin: false });
        client.ping("now");
        client.send("ber", { fin: true });
      } else if (heard.length === 4) client.send(Buffer.alloc(3, 1));
      else if (heard.length === 5) client.close(3333);
    });
  });
  t.deepEqual(heard, [
    "text open 4",
    `text ${"b".repeat(20)} 10000`,
    "pong now",
    "text \u00fcber 5",
    "binary \x01\x01\x01 3",
    "close 3333",
  ]);
  lan.close();
});
