/**
 * Records of tables are whole words. AssemblyScript puts no padding behind a record, so with 13 bytes every second one of a table
 * would be misaligned: a fault on a Cortex-M0+, and found nowhere else.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { sources } from "./source-tree.js";

const SIZES: Record<string, number> = {
  u8: 1,
  i8: 1,
  bool: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  usize: 4,
  u64: 8,
};

interface RecordOf {
  path: string;
  base: string | undefined;
  fields: string[];
}

function records(): Map<string, RecordOf> {
  const found = new Map<string, RecordOf>();
  const pattern =
    /@unmanaged\s+(?:export\s+)?class\s+(\w+)(?:\s+extends\s+(\w+))?\s*\{([^]*?)\n\}/g;
  for (const { path, text } of sources("stack", "firmware", "drivers", "hal")) {
    for (const [, name, base, body] of text.matchAll(pattern)) {
      const fields = [...(body as string).matchAll(/^ {2}\w+: (\w+)(?: = [^;]*)?;$/gm)].map(
        (match) => match[1] as string,
      );
      found.set(name as string, { path, base, fields });
    }
  }
  return found;
}

/** With numbers of records that are one byte wide, or two (stack/config.ts). */
function layout(
  name: string,
  all: Map<string, RecordOf>,
  numberBytes: number,
): { bytes: number; align: number } {
  const record = all.get(name);
  let { bytes, align } = record?.base
    ? layout(record.base, all, numberBytes)
    : { bytes: 0, align: 1 };
  for (const type of record?.fields ?? []) {
    // A reference to another record is an address.
    const size = type === "RecordNumber" ? numberBytes : (SIZES[type] ?? 4);
    bytes = Math.ceil(bytes / size) * size + size;
    align = Math.max(align, size);
  }
  return { bytes, align };
}

test("records with words in them are whole words, or their tables round up", (t) => {
  const all = records();
  t.true(all.size > 20);
  // What others begin with stands in no table by itself.
  const bases = new Set([...all.values()].map(({ base }) => base));
  const torn = (numberBytes: number): string[] =>
    [...all.keys()].filter((name) => {
      if (bases.has(name)) return false;
      const { bytes, align } = layout(name, all, numberBytes);
      return bytes % align !== 0 && !rounded(name, (all.get(name) as RecordOf).path);
    });
  t.deepEqual([torn(1), torn(2)], [[], []]);
});

/** True when the distance of two records in their table is rounded up to whole words. */
function rounded(name: string, path: string): boolean {
  const text = readFileSync(join(packageRoot, path), "utf8");
  return (
    text.includes(`SLOT_BYTES: u32 = (offsetof<${name}>() + 3) & ~3;`) &&
    !text.includes(`* offsetof<${name}>()`)
  );
}
