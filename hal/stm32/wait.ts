/** Waiting for hardware, never for ever. */
import { ld32 } from "../cortex-m/hw";

/**
 * Reads a register until the bits of `mask` have `value`, `turns` times at most; false when they never had. A turn takes eight
 * cycles or more.
 */
export function awaitRegister(at: usize, mask: u32, value: u32, turns: u32): bool {
  for (; turns != 0; turns--) if ((ld32(at) & mask) == value) return true;
  return false;
}
