import { checksumRead } from "cpu";
import {
  RX_BYTES,
  rxBegin,
  rxEnd,
  rxOverflows,
  rxPutBack,
  rxRead,
  rxSkip,
  txAnswers,
  txBegin,
  txCancel,
  txEnd,
  txReady,
  txWrite,
} from "nic";
import {
  RX_BYTES as RX_BYTES_2,
  rxBegin as rxBegin2,
  rxEnd as rxEnd2,
  rxOverflows as rxOverflows2,
  rxPutBack as rxPutBack2,
  rxRead as rxRead2,
  rxSkip as rxSkip2,
  txBegin as txBegin2,
  txCancel as txCancel2,
  txEnd as txEnd2,
  txAnswers as txAnswers2,
  txReady as txReady2,
  txWrite as txWrite2,
} from "nic2";
import {
  ANSWERS_WAIT,
  INTERFACES,
  IP_REASSEMBLY_SLOTS,
  LOOPBACK_BYTES,
  RAW_SOCKETS,
} from "../config";
import { LeasedInterface, iface, interfaceAt } from "../interface";
import { now } from "../now";
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

/** Bytes that frames may take in the chip until they are read; of two chips, in the smaller one. */
export const LINK_RX_BYTES: u32 = INTERFACES == 1 || RX_BYTES < RX_BYTES_2 ? RX_BYTES : RX_BYTES_2;

/**
 * Devices behind the streams: the chips by the numbers of their interfaces, "nic" and, where INTERFACES is 2, "nic2", so that a call
 * is one to a driver that the compiler knows; WAITING is the slot of the packet that waits for ARP, for sending only.
 */
export const DEVICE_NIC: u32 = 0;
const DEVICE_NIC_2: u32 = 1;
export const DEVICE_LOOPBACK: u32 = INTERFACES;
const DEVICE_WAITING: u32 = INTERFACES + 1;

let rxDevice: u32 = DEVICE_NIC;
/** Bytes of the open frame not read yet. */
let rxLeft: u32 = 0;
let loopbackNext: bool = false;
let txDevice: u32 = DEVICE_NIC;

/** True for a chip, and a frame that came from a wire. */
export function deviceIsWire(device: u32): bool {
  return INTERFACES == 1 ? device == DEVICE_NIC : device < DEVICE_LOOPBACK;
}

/** The interface that the open frame came by. What we send to ourselves comes by the first one. */
export function linkInterface(): LeasedInterface {
  return interfaceAt(INTERFACES > 1 && rxDevice == DEVICE_NIC_2 ? DEVICE_NIC_2 : DEVICE_NIC);
}

/** True when a frame of any length could be begun now, on the device of each wire that has a link. */
export function linkTxReady(): bool {
  if (INTERFACES == 1) return txReady();
  return (!iface.up || txReady()) && (!interfaceAt(DEVICE_NIC_2).up || txReady2());
}

/** How often the chips were seen to lose received frames for want of room; wraps. */
export function linkOverflows(): u32 {
  return INTERFACES == 1 ? rxOverflows() : rxOverflows() + rxOverflows2();
}

/** True while frames to ourselves wait to be received. */
export function linkLoopbackWaiting(): bool {
  return LOOPBACK_BYTES != 0 && loopbackWaiting();
}

/** The oldest frame of the chip was put back, to be answered as soon as there is room for an answer. */
let putBack: bool = false;
let putBack2: bool = false;

/**
 * Frames are put back for so long at most without one finding room, and then none is for a while: a wire that others fill would otherwise
 * also keep us from receiving. Ten frames of full size leave in this time.
 */
const PATIENCE_MS: u32 = 12;
const IMPATIENCE_MS: u32 = 60;
/** There was no room for an answer at these times: first, and last. */
let fullSinceMs: u32 = 0;
let fullMs: u32 = 0;

/** There is no room for an answer now: true when it may be waited for. */
export function linkMayWait(): bool {
  const over = now() - fullSinceMs >= PATIENCE_MS + IMPATIENCE_MS;
  if (over || now() - fullMs >= PATIENCE_MS) fullSinceMs = now();
  fullMs = now();
  return now() - fullSinceMs < PATIENCE_MS;
}

function nicBegin(): u32 {
  if (INTERFACES > 1) return eitherBegin();
  return ANSWERS_WAIT && putBack && waitsOn() ? 0 : rxBegin();
}

/** True while the frame that was put back has to wait. */
function waitsOn(): bool {
  if (txAnswers()) fullSinceMs = now();
  else if (linkMayWait()) return true;
  putBack = false;
  return false;
}

/** The second chip's turn. */
let secondNext: bool = false;

/** Opens a frame of either chip, by turns where both have one. */
function eitherBegin(): u32 {
  for (let tries: u32 = 0; tries < 2; tries++) {
    secondNext = !secondNext;
    rxDevice = secondNext ? DEVICE_NIC_2 : DEVICE_NIC;
    if (secondNext ? putBack2 : putBack) {
      if (nicReady(rxDevice)) fullSinceMs = now();
      else if (linkMayWait()) continue;
      if (secondNext) putBack2 = false;
      else putBack = false;
    }
    const bytes = secondNext ? rxBegin2() : rxBegin();
    if (bytes != 0) return bytes;
  }
  rxDevice = DEVICE_NIC;
  return 0;
}

function nicReady(device: u32): bool {
  return INTERFACES > 1 && device == DEVICE_NIC_2 ? txAnswers2() : txAnswers();
}

/** True when an answer to the open frame, which came from a wire, could be sent now. */
export function linkWireCanAnswer(): bool {
  return nicReady(rxDevice);
}

/** True when an answer to the open frame could be sent now. */
export function linkCanAnswer(): bool {
  return (LOOPBACK_BYTES != 0 && !deviceIsWire(rxDevice)) || nicReady(rxDevice);
}

/** Puts the open frame of the chip back: it comes again, from its beginning, when an answer can be sent. No other comes before it. */
export function linkPutBack(): void {
  rxLeft = 0;
  if (INTERFACES > 1 && rxDevice == DEVICE_NIC_2) {
    putBack2 = true;
    rxPutBack2();
    return;
  }
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
  return LOOPBACK_BYTES == 0 && INTERFACES == 1 ? DEVICE_NIC : rxDevice;
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
  if (INTERFACES > 1 && rxDevice == DEVICE_NIC_2) rxRead2(to, bytes);
  else if (LOOPBACK_BYTES != 0 && rxDevice != DEVICE_NIC) loopbackRead(to, bytes);
  else rxRead(to, bytes);
}

/** `linkRead` into a ring; returns the sum of these bytes. All that comes into the ring of a socket comes through here (`checksumRead`). */
export function linkReadSummed(to: usize, bytes: u32): u32 {
  linkRead(to, bytes);
  return checksumRead(to, bytes);
}

/** Passes over the next bytes of the open frame. */
export function linkSkip(bytes: u32): void {
  assert(bytes <= rxLeft);
  rxLeft -= bytes;
  if (REPLAYS && replayRing != 0) {
    replayRead(0, bytes);
    return;
  }
  if (INTERFACES > 1 && rxDevice == DEVICE_NIC_2) rxSkip2(bytes);
  else if (LOOPBACK_BYTES != 0 && rxDevice != DEVICE_NIC) loopbackRead(0, bytes);
  else rxSkip(bytes);
}

/** Frees the open frame, read or not; one that was put back is not open. */
export function linkEnd(): void {
  rxLeft = 0;
  if (REPLAYS) replayRing = 0;
  if (INTERFACES > 1 && rxDevice == DEVICE_NIC_2) rxEnd2();
  else if (LOOPBACK_BYTES != 0 && rxDevice != DEVICE_NIC) loopbackEnd();
  else rxEnd();
}

/** Opens a frame of exactly `bytes` to be sent, header included; false = no room now. */
export function linkTxBegin(device: u32, bytes: u32): bool {
  txDevice = device;
  if (INTERFACES > 1 && device == DEVICE_NIC_2) return txBegin2(bytes);
  if (LOOPBACK_BYTES != 0 && device == DEVICE_LOOPBACK) {
    if (loopbackTxBegin(bytes)) return true;
    count(Counter.LOOPBACK_FULL);
  } else if (txBegin(bytes)) return true;
  return false;
}

/**
 * Opens the slot of the waiting packet instead, for an IP packet of `bytes` by way of `nextHop` on the wire of chip `device`; false = too
 * long for it.
 */
export function linkTxWait(device: u32, nextHop: u32, bytes: u32): bool {
  txDevice = DEVICE_WAITING;
  return waitingBegin(device, nextHop, bytes);
}

/** Memory for a whole packet that is on its way from the frame being received to the one being sent; 0 = there is none now. */
export function linkSpare(): usize {
  return txDevice == DEVICE_WAITING ? 0 : waitingSpare();
}

/** Appends to the frame being sent. */
export function linkWrite(from: usize, bytes: u32): void {
  if (txDevice == DEVICE_NIC) txWrite(from, bytes);
  else writeElsewhere(from, bytes);
}

function writeElsewhere(from: usize, bytes: u32): void {
  if (INTERFACES > 1 && txDevice == DEVICE_NIC_2) txWrite2(from, bytes);
  else if (LOOPBACK_BYTES != 0 && txDevice == DEVICE_LOOPBACK) loopbackWrite(from, bytes);
  else waitingWrite(from, bytes);
}

/** The frame is whole: sends it. */
export function linkTxEnd(): void {
  if (txDevice == DEVICE_NIC) txEnd();
  else if (INTERFACES > 1 && txDevice == DEVICE_NIC_2) txEnd2();
  else if (LOOPBACK_BYTES != 0 && txDevice == DEVICE_LOOPBACK) loopbackTxEnd();
  else waitingEnd();
}

/** Forgets the frame being sent. */
export function linkTxCancel(): void {
  if (txDevice == DEVICE_NIC) txCancel();
  else if (INTERFACES > 1 && txDevice == DEVICE_NIC_2) txCancel2();
  else if (txDevice == DEVICE_WAITING) waitingCancel();
}
