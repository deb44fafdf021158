import { clockUs, mirrorFrame } from "board";
import { OPTIONS } from "options";
import {
  rxBegin as wireRxBegin,
  rxEnd as wireRxEnd,
  rxPutBack as wireRxPutBack,
  rxRead as wireRxRead,
  rxSkip as wireRxSkip,
  txBegin as wireTxBegin,
  txEnd as wireTxEnd,
  txWrite as wireTxWrite,
} from "wire";

/**
 * A frame device around the chip's own that mirrors the first MIRROR_BYTES of each frame over the log line, so that
 * `npm run monitor -- --pcap` works on real hardware. The line is slow: a mirrored frame takes milliseconds of it, and the
 * network goes no faster meanwhile. Built only with `npm run build -- --mirror`.
 */
export {
  RX_BYTES,
  nicCounter,
  nicDeadline,
  nicInit,
  nicLink,
  nicPoll,
  nicVersion,
  rxOverflows,
  txAnswers,
  txCancel,
  txReady,
} from "wire";

const SNAP: u32 = OPTIONS.MIRROR_BYTES;
const RX: usize = memory.data(OPTIONS.MIRROR_BYTES != 0 ? OPTIONS.MIRROR_BYTES : 0, 4);
const TX: usize = memory.data(OPTIONS.MIRROR_BYTES != 0 ? OPTIONS.MIRROR_BYTES : 0, 4);
/** Bytes of the open frames, and how many have passed. */
let rxBytes: u32 = 0;
let rxAt: u32 = 0;
let txBytes: u32 = 0;
let txAt: u32 = 0;

/** Opens the oldest received frame. */
export function rxBegin(): u32 {
  rxBytes = wireRxBegin();
  rxAt = 0;
  return rxBytes;
}

/** Reads on in the open frame. */
export function rxRead(to: usize, bytes: u32): void {
  wireRxRead(to, bytes);
  if (rxAt < SNAP) memory.copy(RX + rxAt, to, min<u32>(bytes, SNAP - rxAt));
  rxAt += bytes;
}

/** Passes over bytes of the open frame; what belongs to the mirrored part is read all the same. */
export function rxSkip(bytes: u32): void {
  const snapped = rxAt < SNAP ? min<u32>(bytes, SNAP - rxAt) : 0;
  if (snapped != 0) wireRxRead(RX + rxAt, snapped);
  if (bytes > snapped) wireRxSkip(bytes - snapped);
  rxAt += bytes;
}

/** Frees the open frame and mirrors it. */
export function rxEnd(): void {
  if (rxBytes == 0) return;
  if (rxAt < rxBytes && rxAt < SNAP) rxSkip(min<u32>(rxBytes, SNAP) - rxAt);
  wireRxEnd();
  mirrorFrame(0, clockUs(), rxBytes, RX, min<u32>(rxBytes, SNAP));
}

/** Puts the open frame back: it is mirrored when it is taken. */
export function rxPutBack(): void {
  rxBytes = 0;
  wireRxPutBack();
}

/** Opens a frame to be sent. */
export function txBegin(bytes: u32): bool {
  txBytes = bytes;
  txAt = 0;
  return wireTxBegin(bytes);
}

/** Appends to the frame to be sent. */
export function txWrite(from: usize, bytes: u32): void {
  wireTxWrite(from, bytes);
  if (txAt < SNAP) memory.copy(TX + txAt, from, min<u32>(bytes, SNAP - txAt));
  txAt += bytes;
}

/** Sends the frame and mirrors it. */
export function txEnd(): void {
  wireTxEnd();
  mirrorFrame(1, clockUs(), txBytes, TX, min<u32>(txBytes, SNAP));
}
