/** The TFTP server (firmware/examples/tftp) against a scripted client: RFC 1350, RFC 1123 4.2.3.1. */
import test from "../conformance/proves.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../host-tools/root.js";
import type { Bench, Script } from "./bench.js";
import { Udp, exampleBench } from "./examples.js";

const [RRQ, WRQ, DATA, ACK, ERROR] = [1, 2, 3, 4, 5];
const asset = (name: string): Buffer =>
  readFileSync(join(packageRoot, "test/device/examples/assets", name));

function request(opcode: number, name: string, mode = "octet"): Buffer {
  return Buffer.from(`\0${String.fromCharCode(opcode)}${name}\0${mode}\0`, "latin1");
}

function packet(opcode: number, number: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(opcode);
  head.writeUInt16BE(number, 2);
  return Buffer.concat([head, data]);
}

/** The next packet: opcode and number, text, and whence. */
function* next(udp: Udp, waitMs = 900): Script<{ head: number[]; data: Buffer; port: number }> {
  const found = yield* udp.receive(waitMs);
  if (!found) return { head: [], data: Buffer.alloc(0), port: 0 };
  const { data, port } = found;
  return { head: [data.readUInt16BE(0), data.readUInt16BE(2)], data: data.subarray(4), port };
}

function* download(bench: Bench, name: string): Script<Buffer> {
  const udp = new Udp(bench);
  udp.send(request(RRQ, name, "OCTET"), 69);
  const parts: Buffer[] = [];
  for (;;) {
    const { head, data, port } = yield* next(udp);
    if (head[0] !== DATA || head[1] !== parts.length + 1) throw new Error(`got ${head.join(" ")}`);
    parts.push(data);
    udp.send(packet(ACK, parts.length), port);
    if (data.length < 512) break;
  }
  udp.close();
  return Buffer.concat(parts);
}

test("downloads: an asset, one whose last block is full; repeated by the timer only, doubling; forgers and strangers change nothing", async (t) => {
  const bench = await exampleBench("tftp", { limitSeconds: 60 });
  bench.run(
    (function* () {
      t.deepEqual(yield* download(bench, "hello.txt"), asset("hello.txt"));
      t.deepEqual(yield* download(bench, "/blocks.txt"), asset("blocks.txt"));
      const udp = new Udp(bench);
      udp.send(request(RRQ, "blocks.txt"), 69);
      // The request comes twice: one transfer.
      udp.send(request(RRQ, "blocks.txt"), 69);
      const first = yield* next(udp);
      const { port } = first;
      t.deepEqual(first.head, [DATA, 1]);
      t.deepEqual((yield* next(udp)).head, []);
      const start = bench.nowMs;
      t.deepEqual(yield* next(udp, 5000), first, "again");
      const again = bench.nowMs;
      t.deepEqual(yield* next(udp, 5000), first, "and again");
      t.true(again - start < 200 && bench.nowMs - again > 1900, "after twice the time");
      // The old acknowledgment comes twice: the block after it goes out once.
      udp.send(packet(ACK, 1), port);
      udp.send(packet(ACK, 1), port);
      t.deepEqual((yield* next(udp)).head, [DATA, 2]);
      t.deepEqual((yield* next(udp)).head, []);
      const stranger = new Udp(bench);
      stranger.send(packet(ACK, 2), port);
      t.deepEqual((yield* next(stranger)).head, [ERROR, 5]);
      udp.send(packet(ACK, 2), port);
      const last = yield* next(udp, 100);
      t.deepEqual([last.head, last.data.length], [[DATA, 3], 0]);
      udp.send(packet(ACK, 3), port);
      // Nobody answers: given up in the end, the place is free.
      for (let i = 0; i < 2; i++) new Udp(bench).send(request(RRQ, "hello.txt"), 69);
      yield* bench.sleep(10);
      const third = new Udp(bench);
      third.send(request(RRQ, "hello.txt"), 69);
      t.deepEqual((yield* next(third)).head, [ERROR, 0]);
      yield* bench.sleep(32_000);
      t.deepEqual(yield* download(bench, "hello.txt"), asset("hello.txt"));
    })(),
  );
});

test("H-11: uploads: blocks that come twice are written once, the last one is acknowledged again; too large, no such file, no such mode", async (t) => {
  const bench = await exampleBench("tftp", { limitSeconds: 60 });
  bench.run(
    (function* () {
      const text = Buffer.from(Array.from({ length: 1024 }, (_unused, i) => i % 251));
      const udp = new Udp(bench);
      udp.send(request(WRQ, "settings"), 69);
      const { head, port } = yield* next(udp);
      t.deepEqual(head, [ACK, 0]);
      for (const block of [1, 1, 2]) {
        udp.send(packet(DATA, block, text.subarray((block - 1) * 512, block * 512)), port);
        t.deepEqual((yield* next(udp)).head, [ACK, block]);
      }
      // Not before it is whole.
      const early = new Udp(bench);
      early.send(request(RRQ, "settings"), 69);
      t.deepEqual((yield* next(early)).head, [ERROR, 1]);
      for (let i = 0; i < 2; i++) {
        udp.send(packet(DATA, 3), port);
        t.deepEqual((yield* next(udp)).head, [ACK, 3]);
      }
      t.deepEqual(yield* download(bench, "settings"), text);

      const large = new Udp(bench);
      large.send(request(WRQ, "large"), 69);
      const begun = yield* next(large);
      for (let block = 1; block <= 5; block++) {
        large.send(packet(DATA, block, Buffer.alloc(512)), begun.port);
        t.deepEqual((yield* next(large)).head, block < 5 ? [ACK, block] : [ERROR, 3]);
      }
      const wrong: [Buffer, number][] = [
        [request(RRQ, "large"), 1],
        [request(RRQ, "nothing"), 1],
        [request(RRQ, "hello.txt", "netascii"), 4],
        [request(WRQ, "x".repeat(40)), 2],
        [Buffer.from("\0\x01never ends"), 4],
      ];
      for (const [data, code] of wrong) {
        large.send(data, 69);
        const answer = yield* next(large);
        t.deepEqual(answer.head, [ERROR, code]);
        t.is(answer.data.at(-1), 0);
      }
    })(),
  );
});
