/** The frame device of the bench: nothing but the host's functions (hw.ts). */
import * as hw from "./hw";

export {
  nicCounter,
  nicDeadline,
  nicInit,
  nicLink,
  nicPoll,
  nicVersion,
} from "../../drivers/ram/idle";
export { rxBegin, rxRead, rxSkip, rxEnd, txWrite, txEnd, txCancel } from "./hw";

/** Nothing is lost for want of room. */
export const RX_BYTES: u32 = 0x7fffffff;

/** There is always room for an answer, so no frame waits for it. */
export function rxPutBack(): void {}

export function txReady(): bool {
  return hw.txReady() != 0;
}

export { txReady as txAnswers };

export function txBegin(bytes: u32): bool {
  return hw.txBegin(bytes) != 0;
}

export function rxOverflows(): u32 {
  return 0;
}
