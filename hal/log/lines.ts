/** Log lines over the UART of the MCU; the build puts the number of the format in its place. */
import { uartPoll, uartPut } from "mcu";
import { logEncode, logFrame } from "./frames";
import { mirrorEncode, mirrorEncoded } from "./mirror";

function put(from: usize, bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) uartPut(load<u8>(from + i));
  uartPoll();
}

function emit(id: u32, count: u32, a: u32, b: u32, c: u32, d: u32): void {
  put(logFrame(), logEncode(id, count, a, b, c, d));
}

/** Logs a format without arguments; the others take one to four. Verbs: see hal/virtual/board.ts. */
export function log0<F>(format: F): void {
  emit(changetype<u32>(format), 0, 0, 0, 0, 0);
}

export function log1<F>(format: F, a: u32): void {
  emit(changetype<u32>(format), 1, a, 0, 0, 0);
}

export function log2<F>(format: F, a: u32, b: u32): void {
  emit(changetype<u32>(format), 2, a, b, 0, 0);
}

export function log3<F>(format: F, a: u32, b: u32, c: u32): void {
  emit(changetype<u32>(format), 3, a, b, c, 0);
}

export function log4<F>(format: F, a: u32, b: u32, c: u32, d: u32): void {
  emit(changetype<u32>(format), 4, a, b, c, d);
}

/** Mirrors a frame over the log line: direction (0 received, 1 sent), time, whole length, and its first bytes. */
export function mirrorFrame(
  direction: u32,
  timeUs: u32,
  frameBytes: u32,
  at: usize,
  snapped: u32,
): void {
  put(mirrorEncoded(), mirrorEncode(direction, timeUs, frameBytes, at, snapped));
}
