import { resolve } from "node:path";
import { UserError } from "../../errors.js";
import { totalBytes, type Segment } from "../../flash/image/segments.js";
import { treeName } from "../sources.js";
import type { Firmware } from "../compile.js";
import type { StaticBuffer } from "../static-memory.js";
import type { ElfTables } from "./elf.js";
import type { StackDepth } from "./stack-depth.js";
import type { Target } from "./target.js";
import { sourceName } from "./wasm2c.js";

/** Bytes that belong to somebody. */
export interface Share {
  /** Source file, or in parentheses what is not one. */
  owner: string;
  bytes: number;
}

/** What an image takes, and who in it. */
export interface SizeReport {
  board: string;
  app: string;
  /** Everything that is written to flash. */
  flash: { bytes: number; budget: number; shares: Share[] };
  /** Everything in RAM, the stack's whole reservation included. */
  ram: { bytes: number; budget: number; shares: Share[]; buffers: StaticBuffer[] };
  /** Code alone (.text), as compilers compare it. */
  codeBytes: number;
  /** Bytes of one record of TCP. */
  records: Records;
  stack: StackDepth & { reserved: number };
}

/** What a connection costs besides its rings, in each phase of its life; 0 where the image has no such table. */
export interface Records {
  tcb: number;
  synQueueEntry: number;
  timeWaitEntry: number;
}

interface Measured {
  firmware: Firmware;
  target: Target;
  tables: ElfTables;
  segments: Segment[];
  stack: StackDepth;
}

/** Sorts every byte of flash and RAM to its owner. */
export function measure(image: Measured): SizeReport {
  const { firmware, target, tables } = image;
  const allocated = tables.sections.filter((section) => section.allocated && section.bytes > 0);
  const sectionBytes = (name: string): number =>
    allocated.find((section) => section.name === name)?.bytes ?? 0;
  const code = codeShares(tables);
  const codeBytes = sectionBytes(".text");
  const flash: Share[] = [
    ...code,
    { owner: "(padding of code)", bytes: codeBytes - total(code) },
    { owner: "(second-stage loader)", bytes: sectionBytes(".boot2") },
    { owner: "(vectors)", bytes: sectionBytes(".vectors") },
    { owner: "(constants)", bytes: sectionBytes(".rodata") + sectionBytes(".data") },
    { owner: "(texts and assets)", bytes: sectionBytes(".blob") },
  ];
  const buffers = firmware.statics;
  const linear = sectionBytes(".linear");
  const owned = buffers.reduce((sum, buffer) => sum + buffer.bytes, 0);
  const ram: Share[] = [
    ...group(buffers.map(({ file, bytes }) => ({ owner: file, bytes }))),
    { owner: "(stack)", bytes: target.stackBytes },
    { owner: "(variables)", bytes: sectionBytes(".bss") + sectionBytes(".data") },
    { owner: "(padding of buffers)", bytes: linear - owned },
  ];
  return {
    board: firmware.board.name,
    app: appName(firmware.app),
    flash: report(flash, totalBytes(image.segments), target.flashBudget),
    ram: { ...report(ram, total(ram), target.ramBudget), buffers },
    codeBytes,
    records: recordsOf(firmware),
    stack: { ...image.stack, reserved: target.stackBytes },
  };
}

/** Size of one record: that of its table by the number of records. */
export function recordsOf(firmware: Firmware): Records {
  const { options, statics } = firmware;
  const each = (name: string, count: number): number => {
    const buffer = statics.find((b) => b.file === "stack/tcp/connection.ts" && b.name === name);
    return buffer ? buffer.bytes / count : 0;
  };
  return {
    tcb: each("TCBS", options.TCP_TCBS),
    synQueueEntry: each("SYN_RECORDS", options.TCP_SYN_RECORDS),
    // One more stands for the answers with cookies that wait to be sent (stack/tcp/connection.ts).
    timeWaitEntry: each("TIME_WAITS", options.TCP_TIME_WAIT_RECORDS + options.TCP_SYN_COOKIES),
  };
}

function report(
  shares: Share[],
  bytes: number,
  budget: number,
): { bytes: number; budget: number; shares: Share[] } {
  const rest = bytes - total(shares);
  if (rest > 0) shares.push({ owner: "(alignment)", bytes: rest });
  const sorted = shares.filter((share) => share.bytes > 0).sort(byBytes);
  return { bytes, budget, shares: sorted };
}

/** Code by source file: the generated functions carry the path of the file that they come from. */
function codeShares(tables: ElfTables): Share[] {
  const text = tables.sections.findIndex((section) => section.name === ".text");
  const shares: Share[] = [];
  const seen = new Set<number>();
  for (const symbol of tables.symbols) {
    if (symbol.kind !== "function" || symbol.section !== text || symbol.bytes === 0) continue;
    // Two names of one function count once.
    if (seen.has(symbol.address)) continue;
    seen.add(symbol.address);
    shares.push({ owner: ownerOf(symbol.name), bytes: symbol.bytes });
  }
  return group(shares);
}

/** `stack/tcp/input/tcpInput` belongs to `stack/tcp/input.ts`, a method `…/input/Class#method` too. */
function ownerOf(symbol: string): string {
  const name = sourceName(symbol);
  if (name === undefined) return /^__/.test(symbol) ? "(compiler library)" : "(start-up)";
  if (name.startsWith("~lib/")) return "(AssemblyScript library)";
  const slash = name.lastIndexOf("/");
  return slash < 0 ? "(start-up)" : `${name.slice(0, slash).replace(/^project\//, "")}.ts`;
}

function group(shares: Share[]): Share[] {
  const byOwner = new Map<string, number>();
  for (const { owner, bytes } of shares) byOwner.set(owner, (byOwner.get(owner) ?? 0) + bytes);
  return [...byOwner].map(([owner, bytes]) => ({ owner, bytes }));
}

function total(shares: Share[]): number {
  return shares.reduce((sum, share) => sum + share.bytes, 0);
}

function byBytes(a: Share, b: Share): number {
  return b.bytes - a.bytes || (a.owner < b.owner ? -1 : 1);
}

/** The same on every computer: a name, or the path inside package or project. */
function appName(app: string): string {
  return /[\\/]/.test(app) ? treeName(resolve(app)).replace(/^project\//, "") : app;
}

/**
 * Refuses an image that does not fit.
 *
 * @throws UserError that says by how much, and who is largest.
 */
export function checkBudgets(size: SizeReport): void {
  const what = `'${size.app}' for ${size.board}`;
  for (const kind of ["flash", "ram"] as const) {
    const { bytes, budget, shares } = size[kind];
    if (bytes <= budget) continue;
    const largest = shares
      .slice(0, 5)
      .map((share) => `${share.owner} ${number(share.bytes)}`)
      .join(", ");
    throw new UserError(
      `${what} needs ${number(bytes)} bytes of ${kind === "ram" ? "RAM" : kind}, ` +
        `${number(bytes - budget)} over the budget of ${number(budget)}; largest: ${largest}`,
    );
  }
  const { stack } = size;
  if (stack.bytes <= stack.reserved) return;
  throw new UserError(
    `${what} needs a stack of ${number(stack.bytes)} bytes, its board.json reserves ${number(stack.reserved)}; ` +
      `deepest calls: ${stack.path.join(" > ")}`,
  );
}

/** `65,536`: thousands apart, the same in every locale. */
export function number(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The table that people read: a few lines of sum, then who has what. */
export function printSize(size: SizeReport, all = false): string {
  const lines: string[] = [];
  for (const [title, part] of [
    ["flash", size.flash],
    ["RAM", size.ram],
  ] as const) {
    const percent = ((part.bytes / part.budget) * 100).toFixed(1);
    lines.push(`${title}: ${number(part.bytes)} of ${number(part.budget)} bytes (${percent} %)`);
    const shown = all ? part.shares : part.shares.slice(0, 12);
    for (const share of shown) lines.push(`  ${number(share.bytes).padStart(9)}  ${share.owner}`);
    const rest = part.shares.slice(shown.length);
    if (rest.length > 0) {
      lines.push(
        `  ${number(total(rest)).padStart(9)}  in ${rest.length} more (as-tcpip size shows all)`,
      );
    }
  }
  lines.push(
    `stack: at most ${number(size.stack.bytes)} of ${number(size.stack.reserved)} bytes, by ${size.stack.path.slice(-3).join(" > ")}`,
  );
  return lines.join("\n");
}
