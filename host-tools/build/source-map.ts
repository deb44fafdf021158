/** The part of a source map (ECMA-426) that matters here: which line stands behind a byte of the module. */
export interface SourceMap {
  /** Offsets in the module, ascending, each with its place. */
  offsets: number[];
  places: Place[];
}

export interface Place {
  source: string;
  /** From 1. */
  line: number;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Reads a source map as the compiler writes it: one line of mappings whose columns are byte offsets. */
export function readSourceMap(text: string): SourceMap {
  const { mappings, sources } = JSON.parse(text) as { mappings: string; sources: string[] };
  const map: SourceMap = { offsets: [], places: [] };
  let [offset, source, line] = [0, 0, 0];
  for (const segment of (mappings.split(";")[0] ?? "").split(",")) {
    const values = decode(segment);
    if (values.length === 0) continue;
    offset += values[0] as number;
    if (values.length < 4) continue;
    source += values[1] as number;
    line += values[2] as number;
    map.offsets.push(offset);
    map.places.push({ source: sources[source] ?? "", line: line + 1 });
  }
  return map;
}

/** Base64 VLQ: five bits a digit, least significant first, the sign in the lowest bit. */
function decode(segment: string): number[] {
  const values: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = DIGITS.indexOf(digit);
    value += (bits & 31) * 2 ** shift;
    shift += 5;
    if (bits & 32) continue;
    values.push(value & 1 ? -Math.floor(value / 2) : Math.floor(value / 2));
    [value, shift] = [0, 0];
  }
  return values;
}

/** The place of the instruction at an offset: that of the last mapping before it. */
export function placeOf(map: SourceMap, offset: number): Place | undefined {
  let [low, high] = [0, map.offsets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((map.offsets[middle] as number) <= offset) low = middle + 1;
    else high = middle;
  }
  return map.places[low - 1];
}
