import { readFileSync } from "node:fs";

/** A function of the generated C that crosses the border of the program. */
export interface Prototype {
  /** Its name in the sources. */
  name: string;
  /** Count of its arguments, all of them 32-bit words. */
  arguments: number;
  result: boolean;
}

/** What the header that wasm2c writes declares: functions that the program needs, and functions that it offers. */
export function readPrototypes(file: string): { imports: Prototype[]; exports: Prototype[] } {
  const source = readFileSync(file, "utf8");
  const find = (pattern: RegExp): Prototype[] =>
    [...source.matchAll(pattern)].map((match) => ({
      name: match[2] as string,
      arguments: (match[3] as string).split(",").length - 1,
      result: match[1] !== "void",
    }));
  return {
    imports: find(/^(u32|void) w2c_hw_(\w+)\((struct w2c_hw\*[^)]*)\);/gm),
    exports: find(/^(u32|void) w2c_app_(\w+)\((w2c_app\*[^)]*)\);/gm),
  };
}
