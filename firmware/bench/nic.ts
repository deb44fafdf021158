/** The frame device of the bench: nothing but the host's functions (hw.ts). */
import * as hw from "./hw";

export { rxBegin, rxRead, rxSkip, rxEnd, txWrite, txEnd, txCancel } from "./hw";

/** Nothing is lost for want of room. */
export const RX_BYTES: u32 = 0x7fffffff;

export function nicInit(_mac: usize): i32 {
  return 0;
}

export function nicPoll(_nowMs: u32): void {}

/** Up, 100 Mbit/s, full duplex. */
export function nicLink(): u32 {
  return 7;
}

export function nicVersion(): u32 {
  return 0;
}

export function nicDeadline(_nowMs: u32): u32 {
  return 0xffffffff;
}

export function nicCounter(_index: u32): u32 {
  return 0;
}

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
