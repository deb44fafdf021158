import test from "ava";
import { describeLastWords } from "../../host-tools/log/last-words.js";
import { LogDecoder } from "../../host-tools/log/serial-log.js";
import { encodeFrame, FRAME, FrameSplitter, type Piece } from "../../host-tools/log/frames.js";

const text = (string: string): Uint8Array => Buffer.from(string);

/** A log frame: u16 id, u8 count, u32 arguments, little-endian. */
function logFrame(id: number, ...args: number[]): Uint8Array {
  const payload = Buffer.alloc(3 + 4 * args.length);
  payload.writeUInt16LE(id, 0);
  payload.writeUInt8(args.length, 2);
  args.forEach((value, at) => payload.writeUInt32LE(value >>> 0, 3 + 4 * at));
  return encodeFrame(FRAME.LOG, payload);
}

/** Neighbouring texts joined, as a reader sees them. */
function shape(pieces: Piece[]): (string | number[])[] {
  const shown: (string | number[])[] = [];
  for (const piece of pieces) {
    if (piece.kind === "frame") shown.push([piece.type, ...piece.payload]);
    else if (piece.kind === "damaged") shown.push([-1]);
    else {
      const word = Buffer.from(piece.bytes).toString("latin1");
      if (typeof shown.at(-1) === "string") shown.push((shown.pop() as string) + word);
      else shown.push(word);
    }
  }
  return shown;
}

test("RFC 1055: END and ESC are escaped by two bytes each and come back", (t) => {
  const payload = Uint8Array.of(0xc0, 0xdb, 0xdc, 0xdd, 0x00);
  const frame = encodeFrame(FRAME.ETHERNET, payload);
  t.deepEqual([...frame], [0xc0, 2, 0xdb, 0xdc, 0xdb, 0xdd, 0xdc, 0xdd, 0, 0xc0]);
  t.deepEqual(new FrameSplitter().push(frame), [{ kind: "frame", type: 2, payload }]);
});

test("text passes between frames, wherever the stream is cut", (t) => {
  const stream = Buffer.concat([
    text("boot\n"),
    logFrame(3, 0xc0),
    logFrame(4),
    text("plain "),
    logFrame(5, 0xdbc0),
    text("end"),
  ]);
  const whole = shape(new FrameSplitter().push(stream));
  t.deepEqual(whole, [
    "boot\n",
    [1, 3, 0, 1, 0xc0, 0, 0, 0],
    [1, 4, 0, 0],
    "plain ",
    [1, 5, 0, 1, 0xc0, 0xdb, 0, 0],
    "end",
  ]);
  for (let cut = 0; cut <= stream.length; cut++) {
    const splitter = new FrameSplitter();
    const pieces = [
      ...splitter.push(stream.subarray(0, cut)),
      ...splitter.push(stream.subarray(cut)),
    ];
    t.deepEqual(shape(pieces), whole, `cut at ${cut}`);
  }
});

test("a reader that comes into the middle of a frame loses that frame only", (t) => {
  const first = logFrame(7, 0x11223344, 0x55667788);
  const rest = Buffer.concat([logFrame(8), text("hello\n"), logFrame(9)]);
  for (let at = 1; at < first.length; at++) {
    const pieces = shape(new FrameSplitter().push(Buffer.concat([first.subarray(at), rest])));
    t.deepEqual(pieces.slice(-3), [[1, 8, 0, 0], "hello\n", [1, 9, 0, 0]], `from byte ${at}`);
  }
});

test("a wrong escape and an endless frame are damage; what follows is read again", (t) => {
  const wrong = Uint8Array.of(0xc0, 1, 0xdb, 0x41, 0x42);
  t.deepEqual(shape(new FrameSplitter().push(wrong)), [[-1], "B"]);
  const endless = Buffer.concat([Uint8Array.of(0xc0, 2), Buffer.alloc(5000, 0x41)]);
  const pieces = shape(new FrameSplitter().push(Buffer.concat([endless, logFrame(1)])));
  t.deepEqual(pieces[0], [-1]);
  t.deepEqual(pieces.at(-1), [1, 1, 0, 0]);
});

const MESSAGES = [
  "info: board %m up, address %i",
  "warn: retry %u of %u",
  "debug: value %x %d",
  "error: chip absent",
];

test("log frames become lines by the message table: verbs, levels, order", (t) => {
  const decoder = new LogDecoder(MESSAGES);
  const entries = decoder.push(
    Buffer.concat([
      logFrame(0, 0x0200, 0x00000007, 0xc0a84d32),
      logFrame(1, 2, 5),
      text("plain\r\nwarn: low supply\n"),
      logFrame(2, 0xff, -3),
      logFrame(3),
    ]),
  );
  t.deepEqual(entries, [
    { kind: "line", level: "info", text: "board 02:00:00:00:00:07 up, address 192.168.77.50" },
    { kind: "line", level: "warn", text: "retry 2 of 5" },
    { kind: "line", text: "plain" },
    { kind: "line", level: "warn", text: "low supply" },
    { kind: "line", level: "debug", text: "value ff -3" },
    { kind: "line", level: "error", text: "chip absent" },
  ]);
});

test("without a table, or with another build's, numbers are shown", (t) => {
  t.deepEqual(new LogDecoder(undefined).push(logFrame(12, 3)), [
    { kind: "line", level: "info", text: "message 12 3" },
  ]);
  const [entry] = new LogDecoder(MESSAGES).push(logFrame(12, 3));
  t.like(entry, { level: "warn" });
  t.regex((entry as { text: string }).text, /12.*not in the message table/);
});

test("text: UTF-8 cut in two, a line without an end, endless lines", (t) => {
  const decoder = new LogDecoder(MESSAGES);
  const bytes = text("grün\nlogin: ");
  t.deepEqual(decoder.push(bytes.subarray(0, 3)), []);
  t.deepEqual(decoder.push(bytes.subarray(3)), [{ kind: "line", text: "grün" }]);
  t.true(decoder.pending);
  t.deepEqual(decoder.flush(), [{ kind: "line", text: "login: " }]);
  t.false(decoder.pending);
  const long = decoder.push(text("x".repeat(5000)));
  t.is(long.length, 1);
});

test("a log line that a frame interrupts is shown before it", (t) => {
  const entries = new LogDecoder(MESSAGES).push(Buffer.concat([text("half"), logFrame(3)]));
  t.deepEqual(
    entries.map((entry) => (entry as { text: string }).text),
    ["half", "chip absent"],
  );
});

test("frames whose length does not fit are damage, also at the end of a connection", (t) => {
  const decoder = new LogDecoder(MESSAGES);
  for (const frame of [
    encodeFrame(FRAME.LOG, Uint8Array.of(1)),
    encodeFrame(FRAME.LOG, Uint8Array.of(1, 0, 2, 0, 0, 0, 0)),
    encodeFrame(FRAME.ETHERNET, Uint8Array.of(0, 0, 0, 0, 0, 1, 0, 1, 2)),
  ]) {
    t.like(decoder.push(frame)[0], { level: "warn" });
  }
  decoder.push(Uint8Array.of(0xc0, 1, 5));
  t.like(decoder.end()[0], { level: "warn" });
  t.deepEqual(decoder.end(), []);
});

test("mirrored Ethernet frames: direction, time and bytes", (t) => {
  const frame = Uint8Array.from({ length: 60 }, (_, at) => (at * 5) & 0xff);
  const header = Buffer.alloc(7);
  header.writeUInt8(1, 0);
  header.writeUInt32LE(123456, 1);
  header.writeUInt16LE(60, 5);
  const bytes = encodeFrame(FRAME.ETHERNET, Buffer.concat([header, frame]));
  t.deepEqual(new LogDecoder(undefined).push(bytes), [
    { kind: "ethernet", direction: "sent", timeUs: 123456, frame, bytes: 60 },
  ]);
});

test("a mirror that cuts its frames says how long they were", (t) => {
  const cut = encodeFrame(FRAME.ETHERNET, Uint8Array.of(0, 1, 0, 0, 0, 0xea, 0x05, 7, 8));
  const [entry] = new LogDecoder(undefined).push(cut);
  t.like(entry, { kind: "ethernet", frame: Uint8Array.of(7, 8), bytes: 1514 });
});

test("docs/log-wire.md: number FFFF is a failing firmware's last words", (t) => {
  const [entry] = new LogDecoder(MESSAGES).push(logFrame(0xffff, 3, 0x10000401, 0x10000801));
  t.deepEqual(entry, {
    kind: "failed",
    words: { cause: 3, pc: 0x10000401, lr: 0x10000801 },
  });
  const functions = [
    { name: "reset", address: 0x10000400, bytes: 16, kind: "function" as const, section: 1 },
  ];
  t.is(
    describeLastWords({ cause: 3, pc: 0x10000401, lr: 0x10000801 }, functions),
    "the firmware has failed: a hard fault in reset (0x10000400), called from 0x10000800",
  );
  t.is(
    describeLastWords({ cause: 0x107, pc: 0xfffffffe, lr: 0 }, []),
    "the firmware has failed: cause 107h in 0xfffffffe",
  );
});

test("docs/log-wire.md: a frame of a type that is not known is dropped", (t) => {
  const bytes = Buffer.concat([encodeFrame(5, text("secret")), text("next\n")]);
  t.deepEqual(new LogDecoder(MESSAGES).push(bytes), [{ kind: "line", text: "next" }]);
});
