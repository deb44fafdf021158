import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Options } from "../../stack/options.js";
import { UserError } from "../errors.js";
import { packageRoot } from "../root.js";

/** What the host knows of a board: `hal/boards/<name>/board.json`. */
export interface Board {
  name: string;
  /** One line for people. */
  title: string;
  /** Where its images run: in Node, or on an MCU. */
  target: "wasm" | "rp2040" | "stm32f1" | "stm32f4";
  /** Ethernet chip on its SPI bus; `none` for a stack whose frames the host moves. */
  chip: "w5500" | "enc28j60" | "none";
  /** Folder of drivers/ that implements the frame device. */
  nic: string;
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

const folder = join(packageRoot, "hal/boards");

/** Names of all boards. */
export function listBoards(): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((e) => e.isDirectory() && existsSync(join(folder, e.name, "board.json")))
    .map((e) => e.name)
    .sort();
}

/** Reads a board's facts; a name that does not exist is the user's error. */
export function loadBoard(name: string): Board {
  const names = listBoards();
  if (!names.includes(name))
    throw new UserError(`unknown board '${name}'; there are: ${names.join(", ")}`);
  const facts = JSON.parse(readFileSync(join(folder, name, "board.json"), "utf8")) as Omit<
    Board,
    "name"
  >;
  return { options: {}, ...facts, name } as Board;
}
