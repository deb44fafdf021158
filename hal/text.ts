import { log } from "./virtual/hw";
export function text(literal: string): u32 { return 0; }
export function log2(m: u32, a: u32, b: u32): void { log(m, 2, a, b, 0, 0); }
