import { UserError } from "../errors.js";

/** One static buffer: a named constant whose value is a `memory.data(…)`. */
export interface StaticBuffer {
  /** Source file, relative to the package. */
  file: string;
  name: string;
  address: number;
  bytes: number;
}

/** The few parts of the compiler's binaryen module that are read here. */
interface BinaryenModule {
  getNumGlobals(): number;
  getGlobalByIndex(index: number): number;
  getNumDataSegments(): number;
  getDataSegmentByIndex(index: number): number;
  getDataSegmentInfo(segment: number): { offset: number; data: ArrayBuffer };
}
interface Binaryen {
  getGlobalInfo(global: number): { name: string; init: number };
  getExpressionInfo(expression: number): { value?: unknown };
}

/** `const NAME: T =`, at most with `changetype<T>(` behind it, up to the place where `memory.data` stands. */
const DECLARATION =
  /(?:^|[;\n])\s*(?:export\s+)?const\s+(\w+)\s*(?::\s*\w+\s*)?=\s*(changetype<\w+>\(\s*)?$/;

/** Suffix of the constants that carry a buffer's size through the compiler. */
const BYTES = "__bytes";

/**
 * Finds out which static buffer lies where. Sources are rewritten so that beside each `const NAME: usize =
 * memory.data(SIZE, ALIGN);` stands a constant with the size, on the same line; the compiled module's globals then tell
 * address and size, before the optimiser removes them. A buffer of 0 bytes, of what an option leaves out, has no place and the
 * address 0.
 *
 * With `guardBytes` each buffer is followed by that many bytes that nobody owns, and starts at a multiple of 8: the red
 * zones of the guarded native build.
 */
export class StaticMemory {
  readonly buffers: StaticBuffer[] = [];
  /** First and last address of all static data, the last one exclusive; both 0 when there is none. */
  start = 0;
  end = 0;

  constructor(private readonly guardBytes = 0) {}

  /** Rewrites one source text; `file` is for messages. */
  rewrite(source: string, file: string): string {
    let out = "";
    let from = 0;
    for (const match of source.matchAll(/(?<![\w.])memory\.data\s*(<[^>(]*>)?\s*\(/g)) {
      const open = match.index + match[0].length;
      if (isComment(source, match.index)) continue;
      const { parts, end } = splitArguments(source, open);
      const before = DECLARATION.exec(source.slice(0, match.index));
      const after = (before?.[2] ? /^\s*,?\s*\)\s*;/ : /^\s*;/).exec(source.slice(end));
      if (!before || !after) {
        const line = source.slice(0, match.index).split("\n").length;
        throw new UserError(
          `${file}:${line}: memory.data() must be the value of a named constant at top level, so that its RAM has an owner`,
        );
      }
      out += source.slice(from, match.index) + this.replacement(match[1], parts);
      out += `${before[2] ? ")" : ""}; const ${before[1]}${BYTES}: u32 = ${sizeOf(match[1], parts)};`;
      from = end + after[0].length;
    }
    return out + source.slice(from);
  }

  private replacement(type: string | undefined, parts: string[]): string {
    const text = `memory.data${type ?? ""}(${parts.join(",")})`;
    if (type) return text;
    const [bytes = ""] = parts;
    const align = (parts[1] ?? "16").trim();
    const guarded =
      this.guardBytes === 0
        ? text
        : `memory.data((${bytes}) + ${this.guardBytes}, (${align}) > 8 ? (${align}) : 8)`;
    // The compiler wants a buffer to have a byte. The question takes no line of its own.
    const size = bytes.trim().replace(/\s+/g, " ");
    return /^[1-9]\d*$/.test(size) ? guarded : `((${size}) != 0 ? ${guarded} : 0)`;
  }

  /** A compiler transform that reads the buffers from the module. */
  transform(): new () => object {
    const { buffers } = this;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the compiler makes an instance of the class itself
    const memory = this;
    return class {
      declare binaryen: Binaryen;
      afterCompile(module: BinaryenModule): void {
        const segments: { address: number; bytes: number }[] = [];
        for (let i = 0; i < module.getNumDataSegments(); i++) {
          const { offset, data } = module.getDataSegmentInfo(module.getDataSegmentByIndex(i));
          const start = offset >>> 0;
          memory.start = memory.end === 0 ? start : Math.min(memory.start, start);
          memory.end = Math.max(memory.end, start + data.byteLength);
          segments.push({ address: start, bytes: data.byteLength });
        }
        const values = new Map<string, number>();
        for (let i = 0; i < module.getNumGlobals(); i++) {
          const { name, init } = this.binaryen.getGlobalInfo(module.getGlobalByIndex(i));
          const value = init ? this.binaryen.getExpressionInfo(init).value : undefined;
          if (typeof value === "number") values.set(name, value >>> 0);
        }
        for (const [name, bytes] of values) {
          if (!name.endsWith(BYTES)) continue;
          const global = name.slice(0, -BYTES.length);
          const address = values.get(global);
          if (address === undefined || bytes === 0) continue;
          const slash = global.lastIndexOf("/");
          const file = `${global.slice(0, slash).replace(/^project\//, "")}.ts`;
          buffers.push({ file, name: global.slice(slash + 1), address, bytes });
        }
        // Constants inside of functions are no globals, but theirs all the same.
        for (const { address, bytes } of segments) {
          const owned = buffers.some((b) => b.address <= address && address < b.address + b.bytes);
          if (!owned) buffers.push({ file: "(constants)", name: `at ${address}`, address, bytes });
        }
        buffers.sort((a, b) => a.address - b.address);
      }
    };
  }
}

function sizeOf(type: string | undefined, parts: string[]): string {
  if (!type) return `<u32>(${parts[0]})`;
  const values = (parts[0] ?? "").trim().replace(/^\[|\]$/g, "");
  const count = values.trim() === "" ? 0 : splitArguments(`${values})`, 0).parts.length;
  return `<u32>(${count} * sizeof${type}())`;
}

/** The arguments of a call whose opening parenthesis is just before `at`, and the place behind the closing one. */
export function splitArguments(source: string, at: number): { parts: string[]; end: number } {
  const parts: string[] = [];
  let depth = 0;
  let from = at;
  for (; at < source.length; at++) {
    const c = source[at] as string;
    if ("([{".includes(c)) depth++;
    else if (depth === 0 && (c === ")" || c === ",")) {
      const part = source.slice(from, at);
      if (c === "," || part.trim() !== "") parts.push(part);
      from = at + 1;
      if (c === ")") return { parts, end: at + 1 };
    } else if (")]}".includes(c)) depth--;
  }
  throw new UserError("memory.data( without its closing parenthesis");
}

/** True when a place lies behind `//` or in a block comment's line. */
function isComment(source: string, at: number): boolean {
  const line = source.slice(source.lastIndexOf("\n", at - 1) + 1, at);
  return /^\s*(\*|\/\*)/.test(line) || line.includes("//");
}
