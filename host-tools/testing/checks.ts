/** Refuses what plain JavaScript would pass on in silence: a test with a misspelt option passes, and has tried nothing. */
import { nearest } from "../build/apps.js";
import { loadBoard } from "../build/boards.js";
import { UserError } from "../errors.js";
import { PERFECT, type Impairments } from "../net/link.js";

/** Refuses a name that is none of those that are known. */
export function checkKeys(given: object, known: readonly string[], whose: string): void {
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue;
    const hint = nearest(key, known) || `; there are: ${known.join(", ")}`;
    throw new UserError(`${whose} has no option '${key}'${hint}`);
  }
}

/**
 * The same object, of which a name that it does not have is refused: undefined would be neither more nor less than any number. What test
 * runners ask of every object (`then`, `toJSON`, symbols …) stays undefined.
 */
export function strict<T extends object>(values: T, whose: string, what: string): T {
  const names = Object.keys(values);
  return new Proxy(values, {
    get(target, key, receiver): unknown {
      if (typeof key === "string" && !(key in target)) {
        const hint = nearest(key, names);
        if (hint !== "" || /^[A-Z0-9_]+$/.test(key)) {
          const known = names.length > 0 ? `; there are: ${names.join(", ")}` : "; it has none";
          throw new UserError(`${whose} has no ${what} '${key}'${hint || known}`);
        }
      }
      return Reflect.get(target, key, receiver);
    },
  });
}

/** Refuses trouble of a link that cannot be. */
export function checkLink(link: Partial<Impairments>): void {
  checkKeys(link, Object.keys(PERFECT), "link");
  for (const [key, value] of Object.entries(link)) {
    const high = key.endsWith("Percent") ? 100 : Infinity;
    if (typeof value === "number" && value >= 0 && value <= high) continue;
    const range = high === 100 ? "from 0 to 100" : "that is not negative";
    throw new UserError(`link.${key} cannot be '${value}'; give a number ${range}`);
  }
}

/** Refuses a board of hardware, whose firmware runs on a processor of its own. */
export function checkVirtual(board: string): void {
  if (loadBoard(board).target === "wasm") return;
  throw new UserError(
    `the board ${board} is not a virtual one; tests run on virtual-w5500, virtual-enc28j60 or a board of yours with "target": "wasm"`,
  );
}
