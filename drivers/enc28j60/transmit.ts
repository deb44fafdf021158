/**
 * Sending: slots in the packet memory (layout.ts). While one is on the wire others are filled; when the wire is
 * done, INT says so and the next is started, in the order in which they were filled. A frame is sent again after a late collision, which may be a false one
 * (erratum 13); the transmit logic is reset after every error (erratum 12).
 */
import {
  ECON1,
  ECON1_TXRST,
  ECON1_TXRTS,
  EIR,
  EIR_TXERIF,
  EIR_TXIF,
  ERDPT,
  ESTAT,
  ESTAT_LATECOL,
  ESTAT_TXABRT,
  ETXND,
  ETXST,
  EWRPT,
  TSV3_LATE_COLLISION,
} from "./registers";
import { NicCounter } from "../nic-counters";
import { count } from "../counters";
import { HALF_DUPLEX, gapContend, gapContends } from "./gap";
import { interruptMissed, interruptPending } from "./interrupt";
import {
  TX_BYTES_MAX,
  TX_BYTES_MIN,
  TX_LAST_MAX,
  TX_LAST_SHORT,
  TX_LONG_SLOTS,
  TX_SHORT0,
  TX_SHORT_BYTES,
  TX_SHORT_MAX,
  TX_SLOT0,
  TX_SLOTS,
  TX_SLOT_BYTES,
} from "./layout";
import {
  bufferRead,
  bufferWrite,
  burstEnd,
  clearBits,
  clearFlags,
  readEth,
  readEth16,
  setBits,
  writeEth,
  writeEth16,
} from "./spi";

/** No slot. */
const NONE: u32 = TX_SLOTS;
/**
 * While a frame waits for the wire, no more bytes than these are moved at a stretch: 26 us. A long frame takes 24 times as
 * much, in which short ones that are ready would not be started.
 */
export const STRETCH: u32 = 64;
/** Times that a frame is sent again after a late collision (erratum 13). */
const RETRIES_MAX: u32 = 16;
/** A transmission is looked after every so many milliseconds; unhindered it takes 1.3. */
export const TX_WATCH_MS: u32 = 25;
/**
 * So many looks without a result (400 ms), and the transmit logic is reset. The 15 backoffs that are allowed after
 * collisions add up to 366 ms at the most (802.3: 2^min(n,10) - 1 slots of 51.2 us after the n-th).
 */
const LOOKS_MAX: u32 = 16;
/** So long the wire is contended for once a frame could not get at it. */
const CONTEND_MS: u32 = 1000;

/** A byte for the control bytes (0: as MACON3 says) and for the status vector. */
const SCRATCH: usize = memory.data(4, 4);

/** Bytes of the frame in each slot. */
const LENGTHS: usize = memory.data(TX_SLOTS * 2, 4);

/** Slots: on the wire; being filled. */
let sending: u32 = NONE;
let filling: u32 = NONE;
/** Slots that wait for the wire, four bits each, the next one lowest, and how many they are. */
let queue: u32 = 0;
let waiting: u32 = 0;
/** Slots that wait or are on the wire: one bit each. */
let busy: u32 = 0;
/**
 * Of these, those with a frame that no short slot holds. While there is one the other long slot is kept for the next: short frames in it would
 * go first, and the wire would rest while the long one behind them is written.
 */
let longs: u32 = 0;
/** Bytes of the frame being filled that have not been written. */
let left: u32 = 0;
/** What ETXST and ETXND hold. */
let start: u32 = 0;
let end: u32 = 0;
let retries: u32 = 0;
/** Transmit resets for want of an answer, since the last frame that went out. */
let strikes: u32 = 0;
let watched: bool = false;
let watchDueMs: u32 = 0;
let looks: u32 = 0;
/** When the link partner goes first again (gap.ts), and whether that time has come. */
let contendEndMs: u32 = 0;
let contendOver: bool = false;

function bytesIn(slot: u32): u32 {
  return <u32>load<u16>(LENGTHS + <usize>(slot << 1));
}

function slotAddress(slot: u32): u32 {
  if (slot < TX_LONG_SLOTS) return TX_SLOT0 + slot * TX_SLOT_BYTES;
  return TX_SHORT0 + (slot - TX_LONG_SLOTS) * TX_SHORT_BYTES;
}

/** Programs ETXST and the control bytes, which stay as they are. */
export function transmitSetup(): void {
  store<u8>(SCRATCH, 0);
  for (let slot: u32 = 0; slot < TX_SLOTS; slot++) {
    writeEth16(EWRPT, slotAddress(slot));
    bufferWrite(SCRATCH, 1);
  }
  start = slotAddress(0);
  end = start;
  writeEth16(ETXST, start);
  writeEth16(ETXND, end);
  sending = NONE;
  filling = NONE;
  queue = 0;
  waiting = 0;
  busy = 0;
  longs = 0;
  left = 0;
  retries = 0;
  watched = false;
}

/** A frame is on the wire. */
export function transmitSending(): bool {
  return sending != NONE;
}

/** Transmit resets for want of an answer, since the last frame that went out. */
export function transmitStrikes(): u32 {
  return strikes;
}

/** Forgets them, when the whole chip starts anew. */
export function transmitStrikesClear(): void {
  strikes = 0;
}

/** A free slot for a frame of `bytes` bytes, or NONE. */
function freeSlot(bytes: u32): u32 {
  // An idle transmitter gets the slot that ETXST points to already.
  if (busy == 0) return start == slotAddress(1) ? 1 : 0;
  if (bytes <= TX_LAST_MAX) {
    for (
      let slot = bytes <= TX_SHORT_MAX ? TX_LONG_SLOTS : TX_LAST_SHORT;
      slot < TX_SLOTS;
      slot++
    ) {
      if (((busy >>> slot) & 1) == 0) return slot;
    }
    if (longs != 0) return NONE;
  }
  if ((busy & 1) == 0) return 0;
  return (busy & 2) == 0 ? 1 : NONE;
}

/** A frame of `bytes` bytes could be begun now. */
export function txReady(bytes: u32): bool {
  if (filling != NONE) return false;
  if (freeSlot(bytes) != NONE) return true;
  if (interruptPending()) transmitService();
  return freeSlot(bytes) != NONE;
}

/**
 * Opens a frame of exactly `bytes` bytes (14 to 1514, without FCS); false if there is no slot for it. Frames below 60
 * bytes are padded by the chip.
 */
export function txBegin(bytes: u32): bool {
  if (bytes < TX_BYTES_MIN || bytes > TX_BYTES_MAX || !txReady(bytes)) return false;
  filling = freeSlot(bytes);
  store<u16>(LENGTHS + <usize>(filling << 1), <u16>bytes);
  left = bytes;
  writeEth16(EWRPT, slotAddress(filling) + 1);
  return true;
}

/** A frame waits for the wire. */
export function transmitWaits(): bool {
  return waiting != 0;
}

/** Between two pieces of a long transfer: the next frame goes out as soon as the one on the wire has. */
export function transmitNext(): void {
  if (interruptPending()) transmitService();
}

/** Appends to the open frame, never past its end. */
export function txWrite(from: usize, bytes: u32): void {
  if (bytes > left) bytes = left;
  if (bytes == 0) return;
  left -= bytes;
  for (; waiting != 0 && bytes > STRETCH; bytes -= STRETCH) {
    bufferWrite(from, STRETCH);
    from += STRETCH;
    transmitNext();
  }
  bufferWrite(from, bytes);
}

/** Sends the open frame, or lets it wait for the wire. */
export function txEnd(): void {
  if (filling == NONE) return;
  assert(left == 0);
  burstEnd();
  const slot = filling;
  filling = NONE;
  busy |= 1 << slot;
  if (bytesIn(slot) > TX_LAST_MAX) longs |= 1 << slot;
  if (sending != NONE && interruptPending()) transmitService();
  if (sending == NONE) {
    startSlot(slot);
    return;
  }
  queue |= slot << (waiting << 2);
  waiting++;
}

/** Forgets the open frame. */
export function txCancel(): void {
  if (filling == NONE) return;
  burstEnd();
  filling = NONE;
  left = 0;
}

/** Writes those bytes of a pointer pair that change. */
function movePointer(register: u32, from: u32, to: u32): void {
  if (((from ^ to) & 0xff) != 0) writeEth(register, to & 0xff);
  if (from >> 8 != to >> 8) writeEth(register + 1, to >> 8);
}

function startSlot(slot: u32): void {
  const first = slotAddress(slot);
  const last = first + bytesIn(slot);
  movePointer(ETXST, start, first);
  movePointer(ETXND, end, last);
  start = first;
  end = last;
  sending = slot;
  retries = 0;
  send();
}

function send(): void {
  setBits(ECON1, ECON1_TXRTS);
  watched = false;
  looks = 0;
}

/** The frame on the wire is done with; the next may go. */
function finish(): void {
  busy &= ~(1 << sending);
  longs &= busy;
  sending = NONE;
  if (contendOver) gapContend(false);
  contendOver = false;
  if (waiting == 0) return;
  const slot = queue & 0xf;
  queue >>>= 4;
  waiting--;
  startSlot(slot);
}

/** Looks whether the frame on the wire has been sent, and sees to what follows. */
export function transmitService(): void {
  if (sending == NONE) return;
  const flags = readEth(EIR);
  if ((flags & EIR_TXERIF) != 0) {
    fail();
  } else if ((flags & EIR_TXIF) != 0) {
    clearFlags(EIR, EIR_TXIF);
    count(NicCounter.TX_FRAMES);
    strikes = 0;
    finish();
  }
}

/** The chip has given up. TXRTS may still be set (erratum 13), and ESTAT.LATECOL says nothing (erratum 15). */
function fail(): void {
  clearBits(ECON1, ECON1_TXRTS);
  const late = lateCollision();
  reset();
  if (late && retries < RETRIES_MAX) {
    retries++;
    count(NicCounter.TX_RETRIES);
    send();
  } else {
    count(NicCounter.TX_ERRORS);
    finish();
  }
}

/** A byte of the packet memory. ERDPT gets its place in the receive buffer back, wherever the receiver had it. */
function peek(address: u32): u32 {
  const position = readEth16(ERDPT);
  writeEth16(ERDPT, address);
  bufferRead(SCRATCH, 1);
  const value = <u32>load<u8>(SCRATCH);
  writeEth16(ERDPT, position);
  return value;
}

/** Bit 29 of the transmit status vector. */
function lateCollision(): bool {
  return (peek(end + 4) & TSV3_LATE_COLLISION) != 0;
}

/** Whether the chip still has what is written once: ETXST, and the control bytes of frames that are not on the wire. */
export function transmitHolds(): bool {
  let holds = readEth16(ETXST) == start;
  for (let slot: u32 = 0; slot < TX_SLOTS; slot++) {
    if (slot != sending && peek(slotAddress(slot)) != 0) holds = false;
  }
  return holds;
}

/** Second rung of recovery: the transmit logic is reset. The flags come last, because the reset may set TXERIF. */
function reset(): void {
  count(NicCounter.TX_RESETS);
  setBits(ECON1, ECON1_TXRST);
  clearBits(ECON1, ECON1_TXRST);
  clearBits(ESTAT, ESTAT_TXABRT | ESTAT_LATECOL);
  clearFlags(EIR, EIR_TXIF | EIR_TXERIF);
}

/** Each turn: a transmission that nobody reports is looked after, and in the end reset and tried once more. */
export function transmitWatch(nowMs: u32): void {
  if (HALF_DUPLEX && gapContends() && <i32>(nowMs - contendEndMs) >= 0) {
    if (sending == NONE) gapContend(false);
    else contendOver = true;
  }
  if (sending == NONE) return;
  if (!watched) {
    watched = true;
    watchDueMs = nowMs + TX_WATCH_MS;
    return;
  }
  if (<i32>(nowMs - watchDueMs) < 0) return;
  watchDueMs = nowMs + TX_WATCH_MS;
  const told = interruptPending();
  const frame = sending;
  transmitService();
  if (sending != frame || !watched) {
    // The chip was done, or had failed, and INT should have said so.
    if (!told) interruptMissed();
    return;
  }
  if (HALF_DUPLEX && !gapContends()) {
    // The partner goes first, and has had the wire for itself so long.
    clearBits(ECON1, ECON1_TXRTS);
    reset();
    gapContend(true);
    contendEndMs = nowMs + CONTEND_MS;
    contendOver = false;
    send();
    return;
  }
  looks++;
  if (looks < LOOKS_MAX) return;
  count(NicCounter.TX_TIMEOUTS);
  strikes++;
  clearBits(ECON1, ECON1_TXRTS);
  reset();
  if (strikes == 1) {
    send();
  } else {
    count(NicCounter.TX_ERRORS);
    finish();
  }
}
