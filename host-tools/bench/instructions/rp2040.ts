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
 * The emulated Cortex-M0+ of the RP2040 (memory without wait states) with a replay in its flash. Gives the cost of each marked
 * stretch by the number of its mark.
 */
export class CountingCore {
  readonly mcu = new RP2040();
  readonly results = new Map<number, Counted>();
  /** Breakpoints that are no marks; with the two first registers. */
  onBreak: (code: number, r0: number, r1: number) => void = ignore;
  private readonly kinds: Uint8Array;
  private readonly hits: Uint32Array | undefined;
  private readonly nameOf: (address: number) => string;
  private open: { mark: number; counted: Counted } | undefined;
  private steps = 0;

  constructor(file: Buffer, profile = false) {
    const { mcu } = this;
    mcu.logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
    for (const { address, data } of readElf(file).segments) mcu.flash.set(data, address - FLASH);
    mcu.core.VTOR = FLASH;
    mcu.core.reset();
    fixCore(mcu.core);
    const tables = readElfTables(file);
    this.kinds = classes(tables);
    if (profile) this.hits = new Uint32Array(this.kinds.length);
    this.nameOf = functionNames(tables);
    mcu.onBreak = (code) => {
      const [r0, r1] = mcu.core.registers as unknown as [number, number];
      if (code === 1) this.mark(r0);
      else this.onBreak(code, r0, r1);
    };
  }

  private mark(value: number): void {
    if (value & 1) {
      this.open = { mark: value, counted: { insn: 0, cycles: 0, copyInsn: 0, copyCycles: 0 } };
      this.hits?.fill(0);
    } else if (this.open) {
      const { mark, counted } = this.open;
      if (this.hits) counted.profile = byFunction(this.hits, this.kinds, this.nameOf);
      this.results.set(mark, counted);
      this.open = undefined;
    }
  }

  /** Bytes of its memory. */
  read(address: number, bytes: number): Uint8Array {
    return Uint8Array.from({ length: bytes }, (_none, i) => this.mcu.readUint8(address + i));
  }

  /** Executes until something is so, which is asked behind each instruction. */
  run(until: () => boolean): void {
    const { core } = this.mcu;
    const { hits, kinds } = this;
    while (!until()) {
      if (++this.steps > INSTRUCTIONS_MAX) throw new Error("the replay does not come to an end");
      const at = (core.PC - FLASH) >> 1;
      const cycles = core.executeInstruction();
      if (!this.open) continue;
      const { counted } = this.open;
      const kind = kinds[at] as number;
      if (kind === 1) {
        counted.insn++;
        counted.cycles += cycles;
        if (hits) hits[at] = (hits[at] as number) + 1;
      } else if (kind === 2) {
        counted.copyInsn++;
        counted.copyCycles += cycles;
      }
    }
  }
}

/** Replays a recording; `profile` adds who in each stretch. */
export async function countOnRp2040(
  request: ReplayRequest,
  profile = false,
): Promise<Map<number, Counted>> {
  const folder = await buildCortex(CORTEX_M0PLUS, request);
  const file = readFileSync(join(folder, "replay.elf"));
  if (!process.env["KEEP_BUILD"]) rmSync(folder, { recursive: true, force: true });
  const core = new CountingCore(file, profile);
  let end: number | undefined;
  core.onBreak = (_code, failed) => void (end = failed);
  core.run(() => end !== undefined);
  if (end !== 0) throw new Error(`the replay on the emulated RP2040 has failed: ${end}`);
  return core.results;
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
