import type { Firmware } from "../build/compile.js";
import { placeOf, readSourceMap } from "../build/source-map.js";
import { shownName } from "../build/sources.js";
import { DeviceTrap } from "./machine.js";

/** Frames of the stack that a message shows. */
const FRAMES_MAX = 4;

/** What V8 calls a trap, in words that say what the firmware has done. */
const WORDS: readonly [RegExp, string][] = [
  [/unreachable/, "an assertion has failed, or code was reached that must not be"],
  [/memory access out of bounds|out of bounds memory/, "an access outside the memory"],
  [/divide by zero|remainder by zero/, "a division by zero"],
  [/divide result unrepresentable|overflow/, "a division overflows"],
];

/**
 * The error of a firmware that has trapped: what happened, in which function, file and line. Anything else that was thrown
 * comes back as it is.
 */
export function trapOf(error: unknown, firmware: Firmware): unknown {
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return new DeviceTrap(`the stack has overflowed: a recursion${trapPlace(error, firmware)}`);
  }
  if (error instanceof DeviceTrap) {
    return new DeviceTrap(`${error.message}${trapPlace(error, firmware)}`);
  }
  if (!(error instanceof WebAssembly.RuntimeError)) return error;
  const words = WORDS.find(([pattern]) => pattern.test(error.message))?.[1] ?? error.message;
  return new DeviceTrap(
    `the firmware has trapped (${error.message}): ${words}${trapPlace(error, firmware)}`,
  );
}

/** The innermost functions with their places, as far as the build kept them. */
function trapPlace(error: Error, firmware: Firmware): string {
  const map = firmware.sourceMap === undefined ? undefined : readSourceMap(firmware.sourceMap);
  const frames: string[] = [];
  for (const [, name, offset] of (error.stack ?? "").matchAll(
    /at (?:(\S+) )?\(?wasm:\S*?:(?:wasm-function\[\d+\]:)?0x([0-9a-f]+)/g,
  )) {
    const short = (name ?? "").split("/").pop() ?? "";
    const place = map && placeOf(map, parseInt(offset as string, 16));
    const text = place ? `${short} (${shownName(place.source)}:${place.line})` : (name ?? "?");
    if (frames.at(-1) !== text) frames.push(text);
  }
  return frames.length > 0 ? `, in ${frames.slice(0, FRAMES_MAX).join(" < ")}` : "";
}
