import { existsSync, readdirSync } from "node:fs";
import { extname, join, relative } from "node:path";
import { readBytes } from "../project/read-file.js";
import { TEXT_BASE } from "./literals.js";

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
export const ASSET_RECORD_BYTES = 24;

/**
 * The read-only blob: all of it lies in flash on a device (little-endian).
 *
 *     0  u32 offset of the asset directory
 *     4  u32 number of assets
 *     8  texts, one behind the other
 *     …  directory: 24 bytes an asset: path offset, path bytes, type offset, type bytes, data offset, data bytes (u32 each)
 *     …  paths, types and data (data 4-byte aligned)
 */
export function buildBlob(texts: TextTable, assets: Asset[]): Uint8Array {
  const parts: { at: number; bytes: Uint8Array }[] = [];
  let end = TEXT_BASE;
  for (const [value, at] of texts) {
    const bytes = Buffer.from(value, "latin1");
    parts.push({ at, bytes });
    end = Math.max(end, at + bytes.length);
  }
  const align = (n: number): number => (n + 3) & ~3;
  const directory = align(end);
  end = directory + assets.length * ASSET_RECORD_BYTES;
  const records = Buffer.alloc(assets.length * ASSET_RECORD_BYTES);
  const place = (bytes: Uint8Array): number => {
    const at = end;
    parts.push({ at, bytes });
    end = align(end + bytes.length);
    return at;
  };
  assets.forEach((asset, index) => {
    const path = Buffer.from(asset.path);
    const type = Buffer.from(asset.contentType);
    const fields = [
      place(path),
      path.length,
      place(type),
      type.length,
      place(asset.data),
      asset.data.length,
    ];
    fields.forEach((value, field) =>
      records.writeUInt32LE(value, index * ASSET_RECORD_BYTES + field * 4),
    );
  });
  parts.push({ at: directory, bytes: records });
  const blob = Buffer.alloc(align(end));
  blob.writeUInt32LE(directory, 0);
  blob.writeUInt32LE(assets.length, 4);
  for (const part of parts) blob.set(part.bytes, part.at);
  return blob;
}
