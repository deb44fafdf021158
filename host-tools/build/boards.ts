import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Options } from "../../stack/options.js";
import { UserError } from "../errors.js";
import { parseJson, readText } from "../project/read-file.js";
import { packageRoot, projectRoot } from "../root.js";

/** What the host knows of a board: `board.json` in the package's hal/boards/<name> or the project's boards/<name>. */
export interface Board {
  name: string;
  /** The board's folder. */
  folder: string;
  /** One line for people. */
  title: string;
  /** Where its images run: in Node, or on an MCU. */
  target: "wasm" | "rp2040" | "stm32f1" | "stm32f4";
  /** Ethernet chip on its SPI bus; `none` for a stack whose frames the host moves. */
  chip: "w5500" | "enc28j60" | "none";
  /** Folder of drivers/ that implements the frame device. */
  nic: string;
  /** The same for the second interface (INTERFACES 2), where the board has a second chip. */
  nic2?: string;
  /** That chip, on the same bus with a select of its own: for the boards that run in Node. */
  chip2?: "w5500" | "enc28j60";
  /** File of hal/cpu with the CPU's primitives. */
  cpu: string;
  /** SPI clock, Hz. */
  spiHz: number;
  /** RAM and flash that an image may use, bytes; absent on virtual boards. */
  ramBytes?: number;
  flashBytes?: number;
  /** Overrides of the build options. */
  options: Partial<Options>;
  /** Target-specific facts (pins, memory map, …), read by the device build. */
  [more: string]: unknown;
}

/** Folder of a board: the project's own come first. */
function boardFolder(name: string): string | undefined {
  return [join(projectRoot(), "boards", name), join(packageRoot, "hal/boards", name)].find(
    (folder) => existsSync(join(folder, "board.json")),
  );
}

function namesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => existsSync(join(folder, name, "board.json")));
}

/** Names of all boards: the package's and the project's. */
export function listBoards(): string[] {
  const names = [join(packageRoot, "hal/boards"), join(projectRoot(), "boards")].flatMap(namesIn);
  return [...new Set(names)].sort();
}

/** Reads a board's facts; a name that does not exist is the user's error. */
export function loadBoard(name: string): Board {
  const folder = /^[\w.-]+$/.test(name) ? boardFolder(name) : undefined;
  if (folder === undefined) {
    // A board without an Ethernet chip is none that anybody would ask for.
    const names = listBoards().filter((one) => loadBoard(one).chip !== "none");
    throw new UserError(`unknown board '${name}'; there are: ${names.join(", ")}`);
  }
  const file = join(folder, "board.json");
  const facts = parseJson(readText(file), file) as object;
  const board = { options: {}, ...facts, name, folder } as Board;
  const fault = faultOf(board);
  if (fault === undefined) return board;
  throw new UserError(`${file}: ${fault}; docs/boards.md tells how a board is made`);
}

const TARGETS: readonly string[] = ["wasm", "rp2040", "stm32f1", "stm32f4"];
const CHIPS: readonly string[] = ["w5500", "enc28j60", "none"];

/** What a board.json must say and does not. */
function faultOf(board: Board): string | undefined {
  if (!TARGETS.includes(board.target)) return `"target" must be one of ${TARGETS.join(", ")}`;
  if (!CHIPS.includes(board.chip)) return `"chip" must be one of ${CHIPS.join(", ")}`;
  const { chip2 } = board;
  if (chip2 !== undefined && (chip2 as string) !== "w5500" && chip2 !== "enc28j60") {
    return '"chip2" must be one of w5500, enc28j60';
  }
  for (const key of ["title", "nic", "cpu"]) {
    if (typeof board[key] !== "string") return `"${key}" must be a text`;
  }
  if (board.chip !== "none" && !(board.spiHz > 0)) return '"spiHz" must be a number of hertz';
  if (!existsSync(join(board.folder, "index.ts"))) return "there is no index.ts beside it";
  return undefined;
}
