import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { UserError } from "../../errors.js";
import { writableRange, type FlashFacts } from "../board-facts.js";
import { isElf, readElf } from "./elf.js";
import { readHex } from "./hex.js";
import { hex, joinSegments, segmentEnd, type Segment } from "./segments.js";
import { isUf2, readUf2 } from "./uf2.js";

/** Formats of an image file. */
export type ImageFormat = "uf2" | "elf" | "hex" | "bin";

/** An image file in memory. */
export interface Image {
  path: string;
  format: ImageFormat;
  segments: Segment[];
}

/** The format by content where the content tells, by name otherwise. */
function formatOf(path: string, file: Uint8Array): ImageFormat {
  if (isUf2(file)) return "uf2";
  if (isElf(file)) return "elf";
  const extension = extname(path).toLowerCase();
  if (extension === ".hex" || extension === ".ihex") return "hex";
  if (extension === ".bin") return "bin";
  throw new UserError(`'${path}' is not an image; give a .uf2, .elf, .hex or .bin file`);
}

/**
 * Reads an image file. A `.bin` has no addresses: it begins where the board's images begin.
 *
 * @throws UserError when it cannot be read, is damaged, or is for another chip.
 */
export function loadImage(path: string, facts: FlashFacts): Image {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "error";
    throw new UserError(`cannot read '${path}' (${code}); give the path of an image file`);
  }
  const format = formatOf(path, file);
  const read: Record<ImageFormat, () => Segment[]> = {
    uf2: () => {
      if (facts.method === "bootsel") return readUf2(file);
      throw new UserError(
        `${facts.board} does not take UF2 files; give its .elf, .hex or .bin instead`,
      );
    },
    elf: () => readElf(file).segments,
    hex: () => readHex(file.toString("latin1")),
    bin: () => joinSegments([{ address: facts.appOrigin, data: file }]),
  };
  return { path, format, segments: read[format]() };
}

/**
 * Refuses an image that would write anything outside the board's flash, or into its boot loader.
 *
 * @throws UserError that names the offending addresses.
 */
export function checkRange(segments: readonly Segment[], facts: FlashFacts): void {
  if (segments.length === 0) throw new UserError("the image is empty; build it again");
  const end = facts.origin + facts.bytes;
  for (const segment of segments) {
    if (segment.address >= facts.appOrigin && segmentEnd(segment) <= end) continue;
    const range = `${hex(segment.address)}-${hex(segmentEnd(segment) - 1)}`;
    throw new UserError(
      `the image wants to write ${range}, outside of what ${facts.board} has for it ` +
        `(${writableRange(facts)}); nothing was written. Is it an image for this board?`,
    );
  }
}
