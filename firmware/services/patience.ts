/**
 * How long clients may take. Two tables: the time that ends a phase in any case (RFC 9112 9.5), and the time after which a
 * client gives way when others wait for a connection, so that slow or silent clients cannot keep a small board busy
 * (slowloris, slow bodies, readers that never open their window).
 */
import { Phase } from "./client";

/** Never, for phases without a limit. */
export const FOREVER: u32 = 0x7fffffff;

/** Longest stay in a phase without progress, ms. */
export function limitMs(phase: u32): u32 {
  switch (phase) {
    case <u32>Phase.FRESH:
    case <u32>Phase.HEAD:
    case <u32>Phase.BODY:
      return 10_000;
    case <u32>Phase.IDLE:
      return 30_000;
    case <u32>Phase.RESPONSE:
      return 20_000;
    case <u32>Phase.LINGER:
      return 10_000;
    case <u32>Phase.FAREWELL:
      return 1_000;
    default:
      return FOREVER;
  }
}

/** Stay in a phase without progress after which the client gives way when others wait, ms. */
export function graceMs(phase: u32): u32 {
  switch (phase) {
    case <u32>Phase.IDLE:
      return 20;
    case <u32>Phase.FAREWELL:
      return 100;
    case <u32>Phase.HEAD:
    case <u32>Phase.LINGER:
      return 500;
    case <u32>Phase.FRESH:
    case <u32>Phase.BODY:
      return 1_000;
    case <u32>Phase.RESPONSE:
      // Long enough for a segment that is lost four times over.
      return 4_000;
    default:
      return 3_000;
  }
}
