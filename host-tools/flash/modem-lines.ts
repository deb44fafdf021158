import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors.js";
import type { SerialLine } from "../serial/line.js";

/** A pin of the board behind a modem line of the adapter. */
interface Wire {
  line: "dtr" | "rts";
  /** A transistor in between: line asserted means pin high. */
  inverted: boolean;
}

/** Which modem lines lead to the pins that choose the boot loader. */
export type ModemLines = Partial<Record<"nrst" | "boot0", Wire>>;

/**
 * Reads `--lines`: `rts=nrst,dtr=boot0`, in which `!` before a pin means that a transistor inverts.
 * An adapter's outputs are active low: asserted is 0 V.
 */
export function parseModemLines(text: string): ModemLines {
  const lines: ModemLines = {};
  for (const item of text.split(",")) {
    const match = /^(dtr|rts)=(!?)(nrst|boot0)$/.exec(item.trim().toLowerCase());
    if (!match) {
      throw new UserError(
        `--lines cannot read '${item}'; write it as in --lines rts=nrst,dtr=boot0 (or =!nrst)`,
      );
    }
    const [, line, mark, pin] = match as unknown as [
      string,
      Wire["line"],
      string,
      "nrst" | "boot0",
    ];
    lines[pin] = { line, inverted: mark === "!" };
  }
  return lines;
}

async function setPins(
  line: SerialLine,
  lines: ModemLines,
  levels: Partial<Record<"nrst" | "boot0", boolean>>,
): Promise<void> {
  const set: { dtr?: boolean; rts?: boolean } = {};
  for (const pin of ["nrst", "boot0"] as const) {
    const wire = lines[pin];
    const high = levels[pin];
    if (wire && high !== undefined) set[wire.line] = wire.inverted ? high : !high;
  }
  await line.setLines(set);
}

/** The program may run: an adapter that is opened asserts its lines, which holds a board in reset that hangs on them. */
export async function releaseBoard(line: SerialLine, lines: ModemLines): Promise<void> {
  await setPins(line, lines, { boot0: false, nrst: true });
}

/** Resets the board through the modem lines, into the boot loader (BOOT0 high) or the program. */
export async function resetByLines(
  line: SerialLine,
  lines: ModemLines,
  boot0: boolean,
  resetMs: number,
): Promise<void> {
  await setPins(line, lines, { boot0, nrst: false });
  await sleep(resetMs);
  await setPins(line, lines, { boot0, nrst: true });
  await sleep(resetMs);
}
