/** The TFTP server (firmware/examples/tftp) against a scripted client: RFC 1350, RFC 1123 4.2.3.1. */
import test from "../conformance/proves.js";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../host-tools/root.js";
import { DEVICE_ADDRESS, type Bench, type Script } from "./bench.js";
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

/** Uploads a file of one block, from a socket that stays. */
function* upload(udp: Udp, name: string, data: Buffer): Script<number> {
  udp.send(request(WRQ, name), 69);
  const begun = yield* next(udp);
  if (begun.head.join() !== "4,0") throw new Error(`got ${begun.head.join(" ")}`);
  udp.send(packet(DATA, 1, data), begun.port);
  const acked = yield* next(udp);
  if (acked.head.join() !== "4,1") throw new Error(`got ${acked.head.join(" ")}`);
  return begun.port;
}

test("a client that keeps its port gets file after file; a last block that comes again much later is still acknowledged; new clients go first", async (t) => {
  const bench = await exampleBench("tftp", { limitSeconds: 60 });
  bench.run(
    (function* () {
      const udp = new Udp(bench);
      const tid = yield* upload(udp, "a", Buffer.from("first"));
      // At once, by the same port: what was put comes back.
      udp.send(request(RRQ, "a"), 69);
      const got = yield* next(udp, 500);
      t.deepEqual([got.head, got.data.toString()], [[DATA, 1], "first"]);
      // The acknowledgment is lost, the client has its file and goes on.
      yield* bench.sleep(300);
      udp.send(request(RRQ, "hello.txt"), 69);
      t.deepEqual((yield* next(udp, 100)).head, [], "its request has been answered");
      const again = yield* next(udp);
      t.deepEqual(again, got);
      udp.send(packet(ACK, 1), again.port);
      // 5 s are what tftp-hpa waits before it repeats its last block.
      yield* bench.sleep(5000);
      udp.send(packet(DATA, 1, Buffer.from("first")), tid);
      t.deepEqual((yield* next(udp)).head, [ACK, 1]);
      // One that only waits makes room: two downloads beside it.
      const large = [new Udp(bench), new Udp(bench)];
      const first: { head: number[]; port: number }[] = [];
      for (const client of large) {
        client.send(request(RRQ, "blocks.txt"), 69);
        first.push(yield* next(client, 500));
      }
      t.deepEqual(
        first.map(({ head }) => head),
        [
          [DATA, 1],
          [DATA, 1],
        ],
      );
      // In the middle of one the client begins anew; the old transfer hears that nobody wants it.
      (large[1] as Udp).send(packet(ERROR, 0), first[1]?.port as number);
      const restless = large[0] as Udp;
      restless.send(packet(ACK, 1), first[0]?.port as number);
      t.deepEqual((yield* next(restless)).head, [DATA, 2]);
      restless.send(request(RRQ, "hello.txt"), 69);
      const anew = yield* next(restless);
      t.deepEqual([anew.head, anew.data], [[DATA, 1], asset("hello.txt")]);
      t.not(anew.port, first[0]?.port);
    })(),
  );
});

test("RFC 1350, RFC 1123 4.2.3.5: blocks that are too long, requests to everybody or from port 0, strangers without an end, blocks that come again and again", async (t) => {
  const bench = await exampleBench("tftp", { limitSeconds: 120 });
  bench.run(
    (function* () {
      const udp = new Udp(bench);
      udp.send(request(WRQ, "b"), 69);
      const { port } = yield* next(udp);
      udp.send(packet(DATA, 1, Buffer.alloc(513)), port);
      t.deepEqual((yield* next(udp)).head, [ERROR, 4]);
      yield* bench.sleep(10);
      udp.send(request(RRQ, "b"), 69);
      t.deepEqual((yield* next(udp)).head, [ERROR, 1], "nothing was kept of it");

      // With options that we do not know it is answered as without (RFC 2347).
      const options = Buffer.from("blksize\x001024\0tsize\x000\0timeout\x001\0");
      udp.send(Buffer.concat([request(RRQ, "hello.txt"), options]), 69);
      const plain = yield* next(udp);
      t.deepEqual([plain.head, plain.data], [[DATA, 1], asset("hello.txt")]);
      udp.send(packet(ACK, 1), plain.port);

      const everybody = new Udp(bench);
      t.true(everybody.send(request(RRQ, "hello.txt"), 69, (DEVICE_ADDRESS | 0xff) >>> 0) > 0);
      t.deepEqual((yield* next(everybody)).head, []);

      // A stranger writes all the time: the block is repeated all the same.
      const busy = new Udp(bench);
      busy.send(request(RRQ, "blocks.txt"), 69);
      const begun = yield* next(busy);
      const stranger = new Udp(bench);
      let repeated = 0;
      for (let i = 0; i < 120; i++) {
        stranger.send(packet(ACK, 1), begun.port);
        stranger.send(Buffer.from("x"), begun.port);
        if ((yield* next(busy, 10)).head[0] === DATA) repeated++;
        yield* next(stranger, 1);
      }
      t.is(repeated, 1, "after a second");
      busy.send(packet(ERROR, 0), begun.port);

      // A client that says the same block for ever is given up: its place is free.
      const stuck = new Udp(bench);
      stuck.send(request(WRQ, "c"), 69);
      const stuckAt = (yield* next(stuck)).port;
      stuck.send(packet(DATA, 1, Buffer.alloc(512)), stuckAt);
      let last = bench.nowMs;
      for (let i = 0; i < 90; i++) {
        stuck.send(packet(DATA, 1, Buffer.alloc(512)), stuckAt);
        if ((yield* next(stuck, 100)).head[0] === ACK) last = bench.nowMs;
        yield* bench.sleep(400);
      }
      t.true(bench.nowMs - last > 1000, "no answer any more");
      yield* upload(new Udp(bench), "d", Buffer.from("x"));
    })(),
  );
});
