import type { ChipModel, ChipOptions } from "./types.js";

/** Chips that a board can have. */
export type ChipName = "w5500" | "enc28j60";

/** Bits per second at which the cable hands frames to each chip; the model of the ENC28J60 times arrivals itself. */
export const LINK_BPS: Record<ChipName, number> = { w5500: 100e6, enc28j60: Infinity };

/** Makes the model of a chip; only the module of that chip is loaded. */
export async function createChip(
  name: ChipName,
  options: ChipOptions & { autoNegotiationMs?: number },
): Promise<ChipModel> {
  switch (name) {
    case "w5500":
      return new (await import("./chips/w5500/index.js")).W5500(options);
    case "enc28j60":
      return new (await import("./chips/enc28j60/index.js")).Enc28j60(options);
  }
}
