/**
 * Sending. Transmit memory holds the frame on the wire, then complete frames that wait, then the one being written:
 *
 *     sent          target      waiting        end     write
 *       |             |            |            |        |
 *     --+-------------+------------+------------+--------+----
 *       | on the wire | waits      | waits      | open   | room
 *     --+-------------+------------+------------+--------+----
 *
 * The chip sends what lies between TX_RD and TX_WR as one frame, so TX_WR moves on only when the last frame has been
 * sent. Pointers run freely modulo 65536 and are never read back: only the driver moves TX_WR.
 */
import { clockUs } from "board";
import { NicCounter } from "../nic-counters";
import { count } from "../counters";
import { linkIsHalfDuplex, linkIsUp, linkMbits100 } from "./link";
import { Recovery, needRecovery, recoveryNeeded } from "./recovery";
import {
  BUFFER_BYTES,
  S0_READ,
  S0_WRITE,
  Sn_CR,
  Sn_CR_SEND,
  Sn_IMR,
  Sn_IR,
  Sn_IR_RECV,
  Sn_IR_SENDOK,
  Sn_TX_RD,
  Sn_TX_WR,
} from "./registers";
import { closeStream, read16, read8, write16, write8, writeStream } from "./spi";

const FRAME_MIN: u32 = 14;
const FRAME_MAX: u32 = 1514;
/** Shorter frames are filled with zeros (IEEE 802.3: 64 bytes with FCS). */
const PADDED_BYTES: u32 = 60;
/** Complete frames that may wait for the wire. */
const WAITING_MAX: u32 = 4;
/** A frame that is late by this much is looked for in TX_RD: SENDOK can be lost. */
const GRACE_US: u32 = 1500;
/** A frame that is not sent after this time never will be; half duplex has up to 16 attempts (IEEE 802.3 4.2.3.2.5). */
const LIMIT_FULL_US: u32 = 20_000;
const LIMIT_HALF_US: u32 = 400_000;

/** End pointers of the waiting frames, oldest first. */
const WAITING: usize = memory.data(2 * WAITING_MAX, 4);
/** More than the padding of the shortest frame. */
const ZEROS: usize = memory.data(48, 4);

let waiting: u32 = 0;
let sent: u32 = 0;
let target: u32 = 0;
let end: u32 = 0;
let write: u32 = 0;
/** Bytes of the open frame still to come, without padding. */
let left: u32 = 0;
let padding: u32 = 0;
let open: bool = false;
/** The open frame goes nowhere: there is no link. */
let discarded: bool = false;
let inFlight: bool = false;
let startUs: u32 = 0;
let wireUs: u32 = 0;
/** SENDOK pulls INTn, so that a sleeping device wakes for the next waiting frame. */
let wakes: bool = false;

/** Forgets everything: the socket has been opened, all its pointers are 0, Sn_IMR is RECV only. What waited is lost. */
export function transmitReset(): void {
  for (; waiting > 0; waiting--) count(NicCounter.TX_ERRORS);
  if (inFlight) count(NicCounter.TX_ERRORS);
  sent = 0;
  target = 0;
  end = 0;
  open = false;
  inFlight = false;
  wakes = false;
}

/** True while a complete frame waits for the wire. */
export function transmitIsWaiting(): bool {
  return waiting > 0;
}

/** Has INTn go low when the frame on the wire is sent. */
export function transmitWake(): void {
  if (wakes || !inFlight) return;
  wakes = true;
  write8(Sn_IMR, S0_WRITE, Sn_IR_RECV | Sn_IR_SENDOK);
}

function hasRoom(bytes: u32): bool {
  return waiting < WAITING_MAX && ((end - sent) & 0xffff) + bytes <= BUFFER_BYTES;
}

/** Microseconds that a frame and the gap behind it take on the wire, a little more rather than less. */
function wireTime(bytes: u32): u32 {
  const slots = bytes + 24;
  return (linkMbits100() ? (slots * 21) >>> 8 : (slots * 13) >>> 4) + 2;
}

/** Puts the oldest waiting frame on the wire. */
function launch(): void {
  if (waiting == 0) return;
  const pointer = <u32>load<u16>(WAITING);
  waiting--;
  memory.copy(WAITING, WAITING + 2, 2 * (WAITING_MAX - 1));
  write16(Sn_TX_WR, S0_WRITE, pointer);
  // One burst: the command, and behind it SENDOK of the last frame is cleared. This frame's own SENDOK is at least
  // 6.7 us away: with an SPI clock under 1.2 MHz it could be lost, and TX_RD would have to tell.
  write16(Sn_CR, S0_WRITE, (Sn_CR_SEND << 8) | Sn_IR_SENDOK);
  wireUs = wireTime((pointer - target) & 0xffff);
  target = pointer;
  inFlight = true;
  startUs = clockUs();
}

function complete(): void {
  inFlight = false;
  sent = target;
  count(NicCounter.TX_FRAMES);
  if (wakes && waiting == 0) {
    wakes = false;
    write8(Sn_IMR, S0_WRITE, Sn_IR_RECV);
  }
  launch();
}

/**
 * Looks whether the frame on the wire is sent, and sends the next. The chip is not asked before the frame can be done.
 * SENDOK may never come (link lost, or lost under load): then TX_RD tells, and time.
 */
export function transmitProgress(): void {
  if (!inFlight || recoveryNeeded() != Recovery.NONE) return;
  const elapsed = clockUs() - startUs;
  if (elapsed < wireUs) return;
  const flags = read8(Sn_IR, S0_READ);
  // All ones is a bus without a chip: MACRAW mode never sets them all.
  if (flags == 0xff) return needRecovery(Recovery.REINIT);
  if ((flags & Sn_IR_SENDOK) != 0) return complete();
  if (elapsed < wireUs + GRACE_US) return;
  if (read16(Sn_TX_RD, S0_READ) == target) {
    count(NicCounter.TX_TIMEOUTS);
    return complete();
  }
  if (elapsed < (linkIsHalfDuplex() ? LIMIT_HALF_US : LIMIT_FULL_US)) return;
  inFlight = false;
  count(NicCounter.TX_TIMEOUTS);
  count(NicCounter.TX_RESETS);
  needRecovery(Recovery.REOPEN);
}

/** True if a frame of 1514 bytes could be begun now. Without a link frames are taken and lost, as on a cut cable. */
export function txReady(): bool {
  if (open) return false;
  if (!linkIsUp()) return true;
  if (recoveryNeeded() != Recovery.NONE) return false;
  if (hasRoom(FRAME_MAX)) return true;
  transmitProgress();
  return hasRoom(FRAME_MAX);
}

/** Opens a frame of exactly `bytes` (14..1514, without FCS); false = no room now. */
export function txBegin(bytes: u32): bool {
  if (open || bytes < FRAME_MIN || bytes > FRAME_MAX) return false;
  discarded = !linkIsUp();
  if (!discarded) {
    if (recoveryNeeded() != Recovery.NONE) return false;
    const padded = max(bytes, PADDED_BYTES);
    if (!hasRoom(padded)) transmitProgress();
    if (!hasRoom(padded)) return false;
    padding = padded - bytes;
  }
  left = bytes;
  write = end;
  open = true;
  return true;
}

/** Appends to the open frame; more than it was opened for is not taken. */
export function txWrite(from: usize, bytes: u32): void {
  if (!open) return;
  const now = min(bytes, left);
  left -= now;
  if (discarded || now == 0) return;
  writeStream(write, from, now);
  write = (write + now) & 0xffff;
}

/** Completes the open frame and sends it, or lets it wait for the wire. */
export function txEnd(): void {
  if (!open) return;
  open = false;
  if (discarded) return count(NicCounter.TX_ERRORS);
  // What was promised and not written is a fault of the caller: it must not become old bytes on the wire.
  assert(left == 0);
  if (padding > 0) {
    writeStream(write, ZEROS, padding);
    write = (write + padding) & 0xffff;
  }
  closeStream();
  end = write;
  store<u16>(WAITING + <usize>(waiting << 1), <u16>end);
  waiting++;
  if (inFlight) transmitProgress();
  else launch();
}

/** Forgets the open frame; what it wrote lies in memory that is written again. */
export function txCancel(): void {
  open = false;
  closeStream();
}
