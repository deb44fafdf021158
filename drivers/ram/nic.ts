import { frameOut } from "./hw";

export { nicCounter, nicDeadline, nicInit, nicLink, nicPoll, nicVersion } from "./idle";

/**
 * A frame device in plain memory: the host puts received frames into a short queue and is handed each frame that is sent. For
 * the gateway, for tests and for fuzzing; on a device the chip's own memory does this.
 */
const FRAME_BYTES: u32 = 1536;
/** Frames that can wait; a power of two. */
const FRAMES: u32 = 16;

/** Bytes of received frames that can wait: the host waits for room, so nothing is lost. */
export const RX_BYTES: u32 = 0x7fffffff;

const RX: usize = memory.data(FRAMES * FRAME_BYTES, 4);
const RX_LENGTHS: usize = memory.data(FRAMES * 4, 4);
const TX: usize = memory.data(FRAME_BYTES, 4);
let overflows: u32 = 0;
let rxHead: u32 = 0;
let rxTail: u32 = 0;
/** Place in the open frame. */
let rxAt: u32 = 0;
let txAt: u32 = 0;
let txBytes: u32 = 0;

/** Where the host puts the next received frame, 1514 bytes at most. */
export function ramFrameBuffer(): usize {
  return RX + (rxTail & (FRAMES - 1)) * FRAME_BYTES;
}

/** The host has put a frame of `bytes` bytes there. False when the queue is full: try again after a turn. */
export function ramFrameIn(bytes: u32): bool {
  if (bytes == 0 || bytes > FRAME_BYTES) return false;
  if (!ramFrameRoom()) {
    overflows += 1;
    return false;
  }
  store<u32>(RX_LENGTHS + ((rxTail & (FRAMES - 1)) << 2), bytes);
  rxTail += 1;
  return true;
}

/** True when `ramFrameIn` would take a frame: one slot stays free for the frame that the host is writing. */
export function ramFrameRoom(): bool {
  return rxTail - rxHead < FRAMES - 1;
}

export function rxBegin(): u32 {
  rxAt = 0;
  return rxHead == rxTail ? 0 : load<u32>(RX_LENGTHS + ((rxHead & (FRAMES - 1)) << 2));
}

export function rxRead(to: usize, bytes: u32): void {
  assert(rxAt + bytes <= load<u32>(RX_LENGTHS + ((rxHead & (FRAMES - 1)) << 2)));
  memory.copy(to, RX + (rxHead & (FRAMES - 1)) * FRAME_BYTES + rxAt, bytes);
  rxAt += bytes;
}

export function rxSkip(bytes: u32): void {
  rxAt += bytes;
}

export function rxEnd(): void {
  rxHead += 1;
}

export function rxPutBack(): void {
  rxAt = 0;
}

export function txReady(): bool {
  return true;
}

export { txReady as txAnswers };

export function txBegin(bytes: u32): bool {
  assert(bytes >= 14 && bytes <= 1514);
  txAt = 0;
  txBytes = bytes;
  return true;
}

export function txWrite(from: usize, bytes: u32): void {
  assert(txAt + bytes <= txBytes);
  memory.copy(TX + txAt, from, bytes);
  txAt += bytes;
}

export function txEnd(): void {
  assert(txAt == txBytes);
  if (txBytes < 60) {
    memory.fill(TX + txBytes, 0, 60 - txBytes);
    txBytes = 60;
  }
  frameOut(TX, txBytes);
}

/** How often the host has found no room for a frame. */
export function rxOverflows(): u32 {
  return overflows;
}

export function txCancel(): void {
  txBytes = 0;
}
