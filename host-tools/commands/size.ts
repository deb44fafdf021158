import type { Command } from "commander";
import { defaultApp, listExamples } from "../build/apps.js";
import { buildImage } from "../build/device/build.js";
import { number, printSize, type SizeReport } from "../build/device/size.js";
import { ensureCrossCompiler } from "../setup/cross-compiler.js";
import { imageBoards } from "./build.js";

/** Adds `size`. */
export function register(program: Command): void {
  program
    .command("size")
    .description(
      "what an application takes on each board: flash and RAM by source file, largest first",
    )
    .option("--board <name>", "only this board, with all its files")
    .option("--app <name>", "application: a name, or a folder with a main.ts", defaultApp())
    .option("--examples", "what each example adds to an image, on one board")
    .option("--json", "print the result as JSON")
    .action(async (options: SizeOptions) => {
      const say = (what: string): void => void process.stderr.write(`${what} ...\n`);
      await ensureCrossCompiler(say);
      if (options.examples) return examples(options, say);
      const boards = options.board ? [options.board] : imageBoards();
      const sizes: SizeReport[] = [];
      for (const board of boards) {
        const onStep = options.json ? () => {} : (what: string) => say(`${board}: ${what}`);
        sizes.push((await buildImage({ board, app: options.app, onStep })).size);
      }
      if (options.json) console.log(JSON.stringify(sizes));
      else if (options.board) console.log(printSize(sizes[0] as SizeReport, true));
      else console.log(table(sizes));
    });
}

/** Board of `--examples` when none is named. */
const EXAMPLES_BOARD = "w5500-evb-pico";
/** An application that has an address and no socket: what all images have. */
const FLOOR = "blank";

interface SizeOptions {
  board?: string;
  app: string;
  examples?: boolean;
  json?: boolean;
}

/** Builds every example for one board, and tells what each takes beyond an application without sockets. */
async function examples(options: SizeOptions, say: (what: string) => void): Promise<void> {
  const board = options.board ?? EXAMPLES_BOARD;
  const rows: ExampleSize[] = [];
  for (const app of [FLOOR, ...listExamples()]) {
    if (!options.json) say(`${board}: ${app}`);
    const { size } = await buildImage({ board, app, onStep: () => {} });
    rows.push({ app, flash: size.flash.bytes, ram: size.ram.bytes - size.stack.reserved });
  }
  if (options.json) console.log(JSON.stringify({ board, floor: FLOOR, examples: rows }));
  else console.log(exampleTable(rows));
}

/** Bytes of an image; RAM without the stack. */
export interface ExampleSize {
  app: string;
  flash: number;
  ram: number;
}

/** A table in Markdown: the first row is the floor, the others are told with what they add to it. */
export function exampleTable(rows: ExampleSize[]): string {
  const floor = rows[0] as ExampleSize;
  const lines = rows.map(({ app, flash, ram }) => {
    const added = [flash - floor.flash, ram - floor.ram].map(signed);
    return [`\`${app}\``, number(flash), number(ram), ...(app === floor.app ? ["", ""] : added)];
  });
  const head = ["application", "flash", "RAM", "flash added", "RAM added"];
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(head),
    line(head.map((_name, i) => (i === 0 ? "---" : "--:"))),
    ...lines.map(line),
  ].join("\n");
}

/** With its sign: an example without TCP has less than the floor. */
function signed(bytes: number): string {
  return `${bytes < 0 ? "-" : "+"}${number(Math.abs(bytes))}`;
}

/** One column a board, one row a source file, code bytes; then the sums. */
function table(sizes: SizeReport[]): string {
  const owners = new Map<string, number>();
  for (const size of sizes) {
    for (const { owner, bytes } of size.flash.shares) {
      owners.set(owner, Math.max(owners.get(owner) ?? 0, bytes));
    }
  }
  const rows = [...owners].sort((a, b) => b[1] - a[1]).map(([owner]) => owner);
  const width = Math.max(...rows.map((row) => row.length), 20);
  const widths = sizes.map((size) => Math.max(size.board.length, 9));
  const line = (label: string, cells: string[]): string =>
    [label.padEnd(width), ...cells.map((cell, i) => cell.padStart(widths[i] as number))].join("  ");
  const cell = (size: SizeReport, owner: string): string => {
    const share = size.flash.shares.find((s) => s.owner === owner);
    return share ? number(share.bytes) : "-";
  };
  return [
    line(
      "flash, bytes",
      sizes.map((size) => size.board),
    ),
    ...rows.map((owner) =>
      line(
        owner,
        sizes.map((size) => cell(size, owner)),
      ),
    ),
    line(
      "code (.text)",
      sizes.map((size) => number(size.codeBytes)),
    ),
    line(
      "flash",
      sizes.map((size) => number(size.flash.bytes)),
    ),
    line(
      "RAM with stack",
      sizes.map((size) => number(size.ram.bytes)),
    ),
    line(
      "stack, at most",
      sizes.map((size) => number(size.stack.bytes)),
    ),
  ].join("\n");
}
