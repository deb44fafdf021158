/** Edges of pins by the interrupt lines (EXTI: RM0008 10.2, RM0368 10.2): line n belongs to pin n of one port. */
import { ld32, st32 } from "../cortex-m/hw";
import { EXTI } from "mcu";
import { wakeClear, wakeOn } from "./core";
import { EXTI_FTSR, EXTI_IMR, EXTI_PR, EXTI_RTSR } from "./registers";

/** The interrupt of a line, the same on both families: one each for 0..4, one for 5..9, one for 10..15. */
function irqOf(line: u32): u32 {
  if (line < 5) return 6 + line;
  return line < 10 ? 23 : 40;
}

/** Lets edges on a line be seen, and wake a sleep; false when the chip's INTn has it. */
export function edgesArm(line: u32): bool {
  const bit: u32 = 1 << line;
  if ((ld32(EXTI + EXTI_IMR) & bit) != 0) return false;
  st32(EXTI + EXTI_RTSR, ld32(EXTI + EXTI_RTSR) | bit);
  st32(EXTI + EXTI_FTSR, ld32(EXTI + EXTI_FTSR) | bit);
  st32(EXTI + EXTI_PR, bit);
  st32(EXTI + EXTI_IMR, ld32(EXTI + EXTI_IMR) | bit);
  wakeOn(irqOf(line));
  return true;
}

/** True when a line has had an edge since the last call. */
export function edgesTake(line: u32): bool {
  const bit: u32 = 1 << line;
  if ((ld32(EXTI + EXTI_PR) & bit) == 0) return false;
  st32(EXTI + EXTI_PR, bit);
  wakeClear(irqOf(line));
  return true;
}
