/** Packing of text assets (host-tools/build/pack.ts): what the device is to undo, and the blob around it. */
import test from "ava";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ASSET_RECORD_BYTES, PACKED, buildBlob, scanAssets } from "../../host-tools/build/blob.js";
import { PAIR_ROWS, pack, unpack } from "../../host-tools/build/pack.js";
import { packageRoot } from "../../host-tools/root.js";
import { Random } from "../../host-tools/sim/random.js";

const folder = join(packageRoot, "firmware/demo/assets");
const total = (list: Uint8Array[]): number => list.reduce((sum, { length }) => sum + length, 0);

function there(t: { deepEqual(a: unknown, b: unknown, why: string): void }, files: Buffer[]): void {
  const { table, files: packed } = pack(files);
  files.forEach((file, index) => {
    t.deepEqual(Buffer.from(unpack(packed[index] as Uint8Array, table)), file, `file ${index}`);
  });
}

test("what was packed comes out as it was: text, UTF-8, runs, every byte, nothing", (t) => {
  const random = new Random(1);
  const noise = Buffer.alloc(2000);
  random.fill(noise);
  const few = Buffer.from(noise.map((byte) => 97 + (byte % 3)));
  const every = Buffer.from(Array.from({ length: 256 }, (_unused, code) => code));
  there(t, [Buffer.from("grün, grüner, am grünsten: 緑 緑 緑 緑\r\n\tgrün"), Buffer.alloc(0)]);
  there(t, [Buffer.alloc(5000, "a"), Buffer.from("aaa"), few]);
  there(t, [every, Buffer.concat([every, every, every])]);
  there(t, [noise, few]);
  there(t, []);
});

test("the demo's files lie in six tenths of their bytes", (t) => {
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  const { table, files: packed } = pack(files);
  t.true(table.length + total(packed) < 0.6 * total(files), `${table.length} + ${total(packed)}`);
});

test("a blob holds text files packed and others as they are, or all as they are where that takes less", (t) => {
  const image = { path: "/x.png", contentType: "image/png", data: Buffer.from("png png png png") };
  const assets = [...scanAssets(folder), image];
  const blob = Buffer.from(buildBlob(new Map([["text", 18]]), assets, true));
  const directory = blob.readUInt32LE(0);
  const table = blob.subarray(directory - 2 * PAIR_ROWS, directory);
  t.is(blob.readUInt32LE(4), assets.length);
  assets.forEach((asset, index) => {
    const [path, type, at, bytes] = [0, 4, 8, 12].map((field) =>
      blob.readUInt32LE(directory + index * ASSET_RECORD_BYTES + field),
    ) as [number, number, number, number];
    const named = (text: number): string =>
      blob.toString("utf8", text >> 10, (text >> 10) + (text & 1023));
    t.is(named(path), asset.path);
    t.is(named(type), asset.contentType);
    t.is(bytes, asset.data.length);
    t.is(at >= PACKED, asset !== image, asset.path);
    const from = blob.subarray(at % PACKED);
    const found = at < PACKED ? from : unpack(from, table);
    t.deepEqual(Buffer.from(found.subarray(0, bytes)), Buffer.from(asset.data), asset.path);
  });
  const plain = buildBlob(new Map(), assets);
  t.true(blob.length < 0.7 * plain.length);
  const short = [{ path: "/a", contentType: "text/plain", data: Buffer.from("short") }];
  t.deepEqual(buildBlob(new Map(), short, true), buildBlob(new Map(), short));
});
