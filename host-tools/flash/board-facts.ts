/**
 * What the flasher must know of a board: the `flash` object of `hal/boards/<board>/board.json`.
 *
 *     "flash": {
 *       "origin": "0x08000000",     first address of the flash
 *       "bytes": 65536,             its size
 *       "appOrigin": "0x08010000",  first address that an image may use; default: origin
 *       "settings": "0x0800fc00",   address of the settings block; absent: the board keeps none
 *       "method": "an3155",         bootsel, an3155 or espruino
 *       "chipIds": ["0x410"],       product ids that the boot loader may report (AN2606)
 *       "eraseBytes": [1024]        sizes of the erase units from the origin; the last one repeats
 *     }
 *
 * Addresses are numbers or hexadecimal strings. What a target always has (erase units, ids of the
 * family) need not be written.
 */
import { listBoards, loadBoard, type Board } from "../build/boards.js";
import { UserError } from "../errors.js";
import { hex } from "./image/segments.js";

/** Ways an image gets into a board. */
export const METHODS = ["bootsel", "an3155", "espruino"] as const;
export type Method = (typeof METHODS)[number];

/** A part of the flash that is erased as one. */
export interface EraseUnit {
  /** Number that the boot loader's erase commands use: counted from the origin. */
  number: number;
  address: number;
  bytes: number;
}

/** Facts in force for a board. */
export interface FlashFacts {
  board: string;
  title: string;
  origin: number;
  bytes: number;
  /** First address that an image may use; what lies before belongs to a boot loader. */
  appOrigin: number;
  /** Address of the settings block. */
  settings?: number;
  /** It has a second Ethernet chip. */
  second?: boolean;
  method: Method;
  chipIds: number[];
  /** All erase units, in order. */
  units: EraseUnit[];
}

const KIB = 1024;

/** What boards of a target have in common; erase units as in RM0008 and RM0368. */
const TARGETS: Record<
  string,
  { origin: number; method: Method; eraseBytes: number[] } | undefined
> = {
  rp2040: { origin: 0x10000000, method: "bootsel", eraseBytes: [4 * KIB] },
  stm32f1: { origin: 0x08000000, method: "an3155", eraseBytes: [KIB] },
  stm32f4: {
    origin: 0x08000000,
    method: "an3155",
    eraseBytes: [16 * KIB, 16 * KIB, 16 * KIB, 16 * KIB, 64 * KIB, 128 * KIB],
  },
};

function number(value: unknown, field: string, board: string): number {
  const parsed = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof parsed === "number" && Number.isInteger(parsed) && parsed >= 0) return parsed;
  throw new UserError(`hal/boards/${board}/board.json: flash.${field} must be a whole number`);
}

function eraseUnits(origin: number, bytes: number, sizes: readonly number[]): EraseUnit[] {
  const units: EraseUnit[] = [];
  for (let address = origin, index = 0; address < origin + bytes; index++) {
    const size = sizes[Math.min(index, sizes.length - 1)] as number;
    units.push({ number: index, address, bytes: size });
    address += size;
  }
  return units;
}

/** Names of the boards that have a flash. */
export function flashBoards(): string[] {
  return listBoards().filter((name) => TARGETS[loadBoard(name).target] !== undefined);
}

/** Reads the facts out of a board's description. @throws UserError where the board has no flash. */
export function flashFactsOf(board: Board): FlashFacts {
  const target = TARGETS[board.target];
  const flash = (board["flash"] ?? {}) as Record<string, unknown>;
  if (!target) {
    throw new UserError(
      `${board.name} exists only in the simulator; boards with a flash: ${flashBoards().join(", ")}`,
    );
  }
  const read = (field: string, fallback: unknown): number =>
    number(flash[field] ?? fallback, field, board.name);
  const origin = read("origin", target.origin);
  const bytes = read("bytes", board.flashBytes);
  const method = flash["method"] ?? target.method;
  if (!METHODS.includes(method as Method)) {
    throw new UserError(
      `hal/boards/${board.name}/board.json: flash.method must be one of ${METHODS.join(", ")}`,
    );
  }
  const sizes = (flash["eraseBytes"] as unknown[] | undefined) ?? target.eraseBytes;
  const facts: FlashFacts = {
    board: board.name,
    title: board.title,
    origin,
    bytes,
    appOrigin: read("appOrigin", origin),
    method: method as Method,
    chipIds: ((flash["chipIds"] as unknown[] | undefined) ?? []).map((id) =>
      number(id, "chipIds", board.name),
    ),
    units: eraseUnits(
      origin,
      bytes,
      sizes.map((size) => number(size, "eraseBytes", board.name)),
    ),
  };
  if (board["nic2"] !== undefined) facts.second = true;
  if (flash["settings"] !== undefined) facts.settings = read("settings", undefined);
  return facts;
}

/** The facts of a board by its name. */
export function flashFacts(name: string): FlashFacts {
  return flashFactsOf(loadBoard(name));
}

/** The erase units that a range of addresses touches. */
export function unitsOf(facts: FlashFacts, address: number, bytes: number): EraseUnit[] {
  return facts.units.filter(
    (unit) => unit.address < address + bytes && address < unit.address + unit.bytes,
  );
}

/** The erase units that segments touch, in order. */
export function touchedFlash(
  facts: FlashFacts,
  segments: readonly { address: number; data: Uint8Array }[],
): EraseUnit[] {
  const touched = new Set(segments.flatMap((s) => unitsOf(facts, s.address, s.data.length)));
  return facts.units.filter((unit) => touched.has(unit));
}

/** `0x08000000-0x0800ffff`: what an image may use. */
export function writableRange(facts: FlashFacts): string {
  return `${hex(facts.appOrigin)}-${hex(facts.origin + facts.bytes - 1)}`;
}
