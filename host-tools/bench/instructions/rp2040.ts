import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { RP2040 } from "rp2040js";
import { readElfTables, type ElfTables } from "../../build/device/elf.js";
import { sourceName } from "../../build/device/wasm2c.js";
import { readElf } from "../../flash/image/elf.js";
import { fixCore } from "../../sim/rp2040/corrections.js";
import { CORTEX_M0PLUS, buildCortex, type ReplayRequest } from "./build.js";

/** What one stretch has cost. */
export interface Counted {
  insn: number;
  cycles: number;
  /** Instructions of the device's copy of received bytes, which `insn` leaves out. */
  copyInsn: number;
  copyCycles: number;
  /** Self cost by function, when asked for. */
  profile?: Map<string, number>;
}

const FLASH = 0x10000000;
/** No workload is longer than this. */
const INSTRUCTIONS_MAX = 400e6;

/** Classes of code by address, from the sections of the linker script. */
function classes(tables: ElfTables): Uint8Array {
  const end = Math.max(
    ...tables.sections.filter((s) => s.name === ".text").map((s) => s.address + s.bytes),
  );
  const kinds = new Uint8Array((end - FLASH) >> 1);
  for (const section of tables.sections) {
    const kind = { ".text": 1, ".copy": 2 }[section.name];
    if (kind === undefined) continue;
    kinds.fill(
      kind,
      (section.address - FLASH) >> 1,
      (section.address + section.bytes - FLASH) >> 1,
    );
  }
  return kinds;
}

/** Name of the function at each half-word of the code. */
function functionNames(tables: ElfTables): (address: number) => string {
  const functions = tables.symbols
    .filter((symbol) => symbol.kind === "function")
    .map((symbol) => ({ name: symbol.name, address: symbol.address & ~1 }))
    .sort((a, b) => a.address - b.address);
  return (address) => {
    let low = 0;
    let high = functions.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((functions[middle]?.address ?? 0) <= address) low = middle;
      else high = middle;
    }
    const name = functions[low]?.name ?? "?";
    return sourceName(name) ?? name;
  };
}

/**
 * Replays a recording on the emulated Cortex-M0+ of the RP2040 (memory without wait states). Gives the cost of each marked
 * stretch by the number of its mark; `profile` adds who in it.
 */
export async function countOnRp2040(
  request: ReplayRequest,
  profile = false,
): Promise<Map<number, Counted>> {
  const folder = await buildCortex(CORTEX_M0PLUS, request);
  const file = readFileSync(join(folder, "replay.elf"));
  if (!process.env["KEEP_BUILD"]) rmSync(folder, { recursive: true, force: true });
  const tables = readElfTables(file);
  const mcu = new RP2040();
  mcu.logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  for (const { address, data } of readElf(file).segments) mcu.flash.set(data, address - FLASH);
  const { core } = mcu;
  core.VTOR = FLASH;
  core.reset();
  fixCore(core);
  const kinds = classes(tables);
  const hits = profile ? new Uint32Array(kinds.length) : undefined;
  const nameOf = functionNames(tables);
  const results = new Map<number, Counted>();
  let end: number | undefined;
  let open: { mark: number; counted: Counted } | undefined;
  mcu.onBreak = (code) => {
    const value = core.registers[0] as number;
    if (code === 2) end = value;
    else if (value & 1) {
      open = { mark: value, counted: { insn: 0, cycles: 0, copyInsn: 0, copyCycles: 0 } };
      hits?.fill(0);
    } else if (open) {
      if (hits) open.counted.profile = byFunction(hits, kinds, nameOf);
      results.set(open.mark, open.counted);
      open = undefined;
    }
  };
  for (let steps = 0; end === undefined; steps++) {
    if (steps > INSTRUCTIONS_MAX) throw new Error("the replay does not come to an end");
    const at = (core.PC - FLASH) >> 1;
    const cycles = core.executeInstruction();
    if (!open) continue;
    const kind = kinds[at] as number;
    if (kind === 1) {
      open.counted.insn++;
      open.counted.cycles += cycles;
      if (hits) hits[at] = (hits[at] as number) + 1;
    } else if (kind === 2) {
      open.counted.copyInsn++;
      open.counted.copyCycles += cycles;
    }
  }
  if (end !== 0) throw new Error(`the replay on the emulated RP2040 has failed: ${end}`);
  return results;
}

function ignore(): void {}

function byFunction(
  hits: Uint32Array,
  kinds: Uint8Array,
  nameOf: (address: number) => string,
): Map<string, number> {
  const sums = new Map<string, number>();
  hits.forEach((count, at) => {
    if (count === 0 || kinds[at] !== 1) return;
    const name = nameOf(FLASH + at * 2);
    sums.set(name, (sums.get(name) ?? 0) + count);
  });
  return new Map([...sums].sort((a, b) => b[1] - a[1]));
}
