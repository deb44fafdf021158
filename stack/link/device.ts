import {
  RX_BYTES,
  rxBegin,
  rxEnd,
  rxOverflows,
  rxPutBack,
  rxRead,
  rxSkip,
  txBegin,
  txCancel,
  txEnd,
  txReady,
  txWrite,
} from "nic";
import { IP_REASSEMBLY_SLOTS, LOOPBACK_BYTES, RAW_SOCKETS } from "../config";
import { Counter, count } from "../statistics";
import {
  loopbackBegin,
  loopbackEnd,
  loopbackRead,
  loopbackTxBegin,
  loopbackTxEnd,
  loopbackWaiting,
  loopbackWrite,
} from "./loopback";
import { waitingBegin, waitingCancel, waitingEnd, waitingSpare, waitingWrite } from "./waiting";

/**
 * The stream of the frame being received and the stream of the frame being sent, whatever device stands behind them. No
 * frame is ever held here: bytes go from the device's memory to their place and from their place to the device.
 */

/** Bytes that frames may take in the chip until they are read. */
export const LINK_RX_BYTES: u32 = RX_BYTES;

/** Devices behind the streams; WAITING is the slot of the packet that waits for ARP, for sending only. */
export const DEVICE_NIC: u32 = 0;
export const DEVICE_LOOPBACK: u32 = 1;
const DEVICE_WAITING: u32 = 2;

let rxDevice: u32 = DEVICE_NIC;
/** Bytes of the open frame not read yet. */
let rxLeft: u32 = 0;
let loopbackNext: bool = false;
let txDevice: u32 = DEVICE_NIC;

/** True when a frame of any length could be begun on the wire's device now. */
export function linkTxReady(): bool {
  return txReady();
}

/** How often the chip was seen to lose received frames for want of room; wraps. */
export function linkOverflows(): u32 {
  return rxOverflows();
}

/** True while frames to ourselves wait to be received. */
export function linkLoopbackWaiting(): bool {
  return LOOPBACK_BYTES != 0 && loopbackWaiting();
}

/** The oldest frame of the chip was put back, to be answered as soon as there is room for an answer. */
let putBack: bool = false;

function nicBegin(): u32 {
  if (putBack) {
    if (!txReady()) return 0;
    putBack = false;
  }
  return rxBegin();
}

/** True when an answer to the open frame could be sent now. */
export function linkCanAnswer(): bool {
  return (LOOPBACK_BYTES != 0 && rxDevice != DEVICE_NIC) || txReady();
}

/** Puts the open frame of the chip back: it comes again, from its beginning, when an answer can be sent. No other comes before it. */
export function linkPutBack(): void {
  rxLeft = 0;
  putBack = true;
  rxPutBack();
}

/** Opens the next received frame, loopback and wire by turns: its bytes without FCS; 0 = none. */
export function linkBegin(): u32 {
  if (LOOPBACK_BYTES == 0) {
    rxLeft = nicBegin();
    return rxLeft;
  }
  loopbackNext = !loopbackNext;
  rxDevice = DEVICE_NIC;
  rxLeft = loopbackNext ? 0 : nicBegin();
  if (rxLeft != 0) return rxLeft;
  rxLeft = loopbackBegin();
  if (rxLeft != 0) rxDevice = DEVICE_LOOPBACK;
  else if (loopbackNext) rxLeft = nicBegin();
  return rxLeft;
}

/** Device of the open frame. */
export function linkRxDevice(): u32 {
  return LOOPBACK_BYTES == 0 ? DEVICE_NIC : rxDevice;
}

/** Bytes of the open frame that have not been read or skipped. */
export function linkLeft(): u32 {
  return rxLeft;
}

/** Frames may be read from memory. */
const REPLAYS: bool = RAW_SOCKETS != 0 || IP_REASSEMBLY_SLOTS != 0;
/** Ring that the rest of the open frame is read from, after `linkReplay`; 0 = it still is in the device. */
let replayRing: usize = 0;
let replayMask: u32 = 0;
let replayAt: u32 = 0;

/** The rest of the open frame has been read: its next `bytes` bytes are read again, from a ring of memory at this offset. */
export function linkReplay(ring: usize, mask: u32, at: u32, bytes: u32): void {
  replayRing = ring;
  replayMask = mask;
  replayAt = at;
  rxLeft = bytes;
}

/** Next bytes of the ring; `to` 0 skips them. */
function replayRead(to: usize, bytes: u32): void {
  const at = replayAt & replayMask;
  replayAt += bytes;
  if (to == 0) return;
  const first = min(bytes, replayMask + 1 - at);
  memory.copy(to, replayRing + at, first);
  memory.copy(to + first, replayRing, bytes - first);
}

/** Reads the next bytes of the open frame. The caller has checked that they are there. */
export function linkRead(to: usize, bytes: u32): void {
  assert(bytes <= rxLeft);
  rxLeft -= bytes;
  if (REPLAYS && replayRing != 0) {
    replayRead(to, bytes);
    return;
  }
  if (LOOPBACK_BYTES != 0 && rxDevice != DEVICE_NIC) loopbackRead(to, bytes);
  else rxRead(to, bytes);
}

/** Passes over the next bytes of the open frame. */
export function linkSkip(bytes: u32): void {
  assert(bytes <= rxLeft);
  rxLeft -= bytes;
  if (REPLAYS && replayRing != 0) {
    replayRead(0, bytes);
    return;
  }
  if (LOOPBACK_BYTES != 0 && rxDevice != DEVICE_NIC) loopbackRead(0, bytes);
  else rxSkip(bytes);
}

/** Frees the open frame, read or not; one that was put back is not open. */
export function linkEnd(): void {
  rxLeft = 0;
  if (REPLAYS) replayRing = 0;
  if (LOOPBACK_BYTES != 0 && rxDevice != DEVICE_NIC) loopbackEnd();
  else rxEnd();
}

/** Opens a frame of exactly `bytes` to be sent, header included; false = no room now. */
export function linkTxBegin(device: u32, bytes: u32): bool {
  txDevice = device;
  if (LOOPBACK_BYTES != 0 && device == DEVICE_LOOPBACK) {
    if (loopbackTxBegin(bytes)) return true;
    count(Counter.LOOPBACK_FULL);
  } else if (txBegin(bytes)) return true;
  return false;
}

/** Opens the slot of the waiting packet instead, for an IP packet of `bytes` by way of `nextHop`; false = too long for it. */
export function linkTxWait(nextHop: u32, bytes: u32): bool {
  txDevice = DEVICE_WAITING;
  return waitingBegin(nextHop, bytes);
}

/** Memory for a whole packet that is on its way from the frame being received to the one being sent; 0 = there is none now. */
export function linkSpare(): usize {
  return txDevice == DEVICE_WAITING ? 0 : waitingSpare();
}

/** Appends to the frame being sent. */
export function linkWrite(from: usize, bytes: u32): void {
  if (txDevice == DEVICE_NIC) txWrite(from, bytes);
  else if (LOOPBACK_BYTES != 0 && txDevice == DEVICE_LOOPBACK) loopbackWrite(from, bytes);
  else waitingWrite(from, bytes);
}

/** The frame is whole: sends it. */
export function linkTxEnd(): void {
  if (txDevice == DEVICE_NIC) txEnd();
  else if (LOOPBACK_BYTES != 0 && txDevice == DEVICE_LOOPBACK) loopbackTxEnd();
  else waitingEnd();
}

/** Forgets the frame being sent. */
export function linkTxCancel(): void {
  if (txDevice == DEVICE_NIC) txCancel();
  else if (txDevice == DEVICE_WAITING) waitingCancel();
}
