import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { readBytes } from "../project/read-file.js";
import { TEXT_BASE, textNumber } from "./literals.js";
import { pack } from "./pack.js";

export type TextTable = Map<string, number>;

/** A file that the firmware can serve. */
export interface Asset {
  /** Path as in a URL, with a leading slash; `index.html` also answers for its folder. */
  path: string;
  contentType: string;
  data: Uint8Array;
}

const CONTENT_TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".ico": "image/x-icon",
  ".txt": "text/plain; charset=utf-8",
};

/** All files of an application's `assets` folder, in a stable order. */
export function scanAssets(folder: string): Asset[] {
  if (!existsSync(folder)) return [];
  const assets: Asset[] = [];
  const walk = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const path = join(at, entry.name);
      if (entry.isDirectory()) {
        walk(path);
        continue;
      }
      const url = `/${relative(folder, path).replaceAll("\\", "/")}`;
      const contentType =
        CONTENT_TYPES[extname(entry.name).toLowerCase()] ?? "application/octet-stream";
      assets.push({
        path: url.replace(/\/index\.html$/, "/"),
        contentType,
        data: readBytes(path),
      });
    }
  };
  walk(folder);
  return assets;
}

/** Bytes of one record of the asset directory. */
export const ASSET_RECORD_BYTES = 16;

/** Set in the offset of a file's bytes: they are packed. */
export const PACKED = 0x80000000;

/** Files that are worth packing: what is compressed already would only take codes from the others. */
const IS_TEXT = /^text\/|\/javascript|json|xml/;

/**
 * The read-only blob: all of it lies in flash on a device (little-endian).
 *
 *     0  u32 offset of the asset directory
 *     4  u32 number of assets
 *     8  entity tag of all assets with its quotes, 10 bytes
 *    18  texts, one behind the other; where one was left out, what follows may lie
 *     …  where files are packed: the table of pairs (pack.ts)
 *     …  directory: 16 bytes an asset: path, type (as texts: offset shifted by 10, plus length), data offset, data bytes (u32 each)
 *     …  paths, types and data (data 4-byte aligned, unless they are packed)
 *
 * With `packed` a text file takes about half; `data bytes` are those of the file.
 */
export function buildBlob(texts: TextTable, assets: Asset[], packed = false): Uint8Array {
  const places = new Places(texts);
  const files = packed ? packedFiles(assets) : { data: new Map<Asset, Uint8Array>() };
  if (files.table) places.add(files.table, 4);
  const records = Buffer.alloc(assets.length * ASSET_RECORD_BYTES);
  const directory = places.add(records, 4);
  const names = new Map<string, number>();
  const name = (value: string): number => {
    const bytes = Buffer.from(value);
    const number = names.get(value) ?? textNumber(bytes, places.add(bytes));
    names.set(value, number);
    return number;
  };
  const named = assets.map(({ path, contentType }) => [name(path), name(contentType)]);
  assets.forEach((asset, index) => {
    const short = files.data.get(asset);
    const at = short ? PACKED + places.add(short) : places.add(asset.data, 4);
    [...(named[index] as number[]), at, asset.data.length].forEach((value, field) =>
      records.writeUInt32LE(value, index * ASSET_RECORD_BYTES + field * 4),
    );
  });
  const blob = places.blob();
  blob.writeUInt32LE(directory, 0);
  blob.writeUInt32LE(assets.length, 4);
  blob.write(entityTag(assets), 8, "latin1");
  return blob;
}

/** Where everything lies: texts at the offsets that the code has, other things in the holes between and behind them. */
class Places {
  private readonly parts: { at: number; bytes: Uint8Array }[] = [];
  private readonly holes: { from: number; to: number }[] = [];

  constructor(texts: TextTable) {
    let end = TEXT_BASE;
    for (const [value, at] of [...texts].sort((a, b) => a[1] - b[1])) {
      this.parts.push({ at, bytes: Buffer.from(value, "latin1") });
      if (at > end) this.holes.push({ from: end, to: at });
      end = Math.max(end, at + value.length);
    }
    this.holes.push({ from: end, to: Infinity });
  }

  /** Puts bytes into the first hole that holds them: their offset. */
  add(bytes: Uint8Array, alignment = 1): number {
    for (const hole of this.holes) {
      const at = Math.ceil(hole.from / alignment) * alignment;
      if (at + bytes.length > hole.to) continue;
      this.parts.push({ at, bytes });
      if (at > hole.from) this.holes.unshift({ from: hole.from, to: at });
      hole.from = at + bytes.length;
      return at;
    }
    throw new Error("the last hole has no end");
  }

  blob(): Buffer {
    const end = Math.max(TEXT_BASE, ...this.parts.map(({ at, bytes }) => at + bytes.length));
    const blob = Buffer.alloc(Math.ceil(end / 4) * 4);
    for (const { at, bytes } of this.parts) blob.set(bytes, at);
    return blob;
  }
}

/** What is packed, when that takes less. */
function packedFiles(assets: Asset[]): { table?: Uint8Array; data: Map<Asset, Uint8Array> } {
  const texts = assets.filter((asset) => IS_TEXT.test(asset.contentType));
  const { table, files } = pack(texts.map((asset) => asset.data));
  const total = (list: Uint8Array[]): number => list.reduce((sum, { length }) => sum + length, 0);
  const data = new Map(texts.map((asset, index) => [asset, files[index] as Uint8Array]));
  const pays = table.length + total(files) < total(texts.map((asset) => asset.data));
  return pays ? { table, data } : { data: new Map() };
}

/** Changes when any asset does (RFC 9110 8.8.3); one for all of them, as they change together, with the image. */
function entityTag(assets: Asset[]): string {
  const hash = createHash("sha256");
  for (const { path, data } of assets) hash.update(`${path}\n${data.length}\n`).update(data);
  return `"${hash.digest("hex").slice(0, 8)}"`;
}
