import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.js";
import { flashFactsOf } from "../../flash/board-facts.js";
import { packageRoot, typed } from "../../root.js";
import type { Board } from "../boards.js";

/** Files that a build makes beside the ELF. */
export type Output = "bin" | "hex" | "uf2";

/**
 * What the device build must know of a board: the facts of its MCU (`hal/<target>/mcu.json`) and its own (`board.json`).
 *
 *     mcu.json                                            board.json
 *     gcc           flags that choose the CPU             stackBytes   stack, at the bottom of RAM (default 2048)
 *     optimize      -Os (default), -O2, …                 ramBytes     budgets: RAM with stack, flash
 *     ram           { origin, bytes }                     flashBytes
 *     vectorsAlign  alignment of the vector table
 *     sources       C and assembly beside start-up        flash        see host-tools/flash/board-facts.ts
 *     outputs       bin, hex, uf2                         ram, sources, optimize override those of mcu.json
 *
 * `sources` are paths in host-tools/build/c. There, the folder of the target must have `mcu.h`: mcu_putc(), mcu_flush() and
 * mcu_reset() for start-up and last words.
 */
export interface Target {
  gcc: string[];
  /** Optimisation of a release build. */
  optimize: string;
  /** Folder in host-tools/build/c with the MCU's mcu.h. */
  mcuFolder: string;
  /** Flash that an image may use: from its first address up to the settings block. */
  flash: Region;
  /** Address of the settings block. */
  settings: number;
  ram: Region;
  stackBytes: number;
  vectorsAlign: number;
  sources: string[];
  outputs: Output[];
  /** Budgets, bytes; at most the regions. */
  flashBudget: number;
  ramBudget: number;
}

export interface Region {
  origin: number;
  bytes: number;
}

interface McuFile {
  gcc: string[];
  optimize?: string;
  ram: { origin: string | number; bytes: number };
  vectorsAlign: number;
  sources?: string[];
  outputs: Output[];
}

/** The device build's description of a board; virtual boards have none. */
export function targetOf(board: Board): Target {
  const file = join(packageRoot, "hal", board.target, "mcu.json");
  if (board.target === "wasm" || !existsSync(file)) {
    const command = typed("sim", `--board ${board.name}`);
    throw new UserError(
      `${board.name} is a virtual board: it needs no image, run it with '${command}'`,
    );
  }
  const mcu = { ...(JSON.parse(readFileSync(file, "utf8")) as McuFile) };
  const own = board as Partial<Pick<McuFile, "ram" | "sources" | "optimize">> & {
    stackBytes?: number;
  };
  const ram = own.ram ?? mcu.ram;
  const facts = flashFactsOf(board);
  const end = facts.origin + facts.bytes;
  const settings = facts.settings ?? end;
  // A settings block may lie before the image (in a small erase unit) or behind it.
  const flashEnd = settings >= facts.appOrigin ? settings : end;
  const flash = { origin: facts.appOrigin, bytes: flashEnd - facts.appOrigin };
  return {
    gcc: mcu.gcc,
    optimize: own.optimize ?? mcu.optimize ?? "-Os",
    mcuFolder: board.target,
    flash,
    settings,
    ram: { origin: Number(ram.origin), bytes: ram.bytes },
    stackBytes: own.stackBytes ?? 2048,
    vectorsAlign: mcu.vectorsAlign,
    sources: own.sources ?? mcu.sources ?? [],
    outputs: mcu.outputs,
    flashBudget: Math.min(board.flashBytes ?? flash.bytes, flash.bytes),
    ramBudget: Math.min(board.ramBytes ?? ram.bytes, ram.bytes),
  };
}
