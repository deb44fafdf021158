import * as intelHex from "nrf-intel-hex";
import { UserError } from "../../errors.js";
import { joinSegments, type Segment } from "./segments.js";

// The package is CommonJS and exports the class itself, which Node shows as `default`; its types,
// written for bundlers, put one more `default` in between.
const MemoryMap = intelHex.default as unknown as typeof intelHex.default.default;

/**
 * Reads an Intel HEX file.
 *
 * @throws UserError when a record is malformed, its checksum wrong, or the end is missing.
 */
export function readHex(text: string): Segment[] {
  if (!/^:00000001FF\s*$/im.test(text)) {
    throw new UserError("the HEX file has no end record; it is cut off or not Intel HEX");
  }
  try {
    return joinSegments([...MemoryMap.fromHex(text)].map(([address, data]) => ({ address, data })));
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(`the HEX file is damaged: ${reason}; build it again`);
  }
}

/** Writes Intel HEX: 16 bytes a record, extended linear addresses, upper case, `\n` line ends. */
export function writeHex(segments: readonly Segment[]): string {
  const map = new MemoryMap(joinSegments(segments).map(({ address, data }) => [address, data]));
  return `${map.asHexString(16).trimEnd()}\n`;
}
