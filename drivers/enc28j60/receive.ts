/**
 * Receiving: frames are read straight out of the chip's receive buffer (DS39662E 7.2).
 *
 *     next:  pointer to the packet after this one (2) | status (4) | frame with FCS | byte to make it even
 *
 * ERDPT always stands where the next byte is to be read: header, frame, FCS and filler are clocked out in one burst, and
 * the pointer is written only to jump over something long. A frame of L bytes costs L + 17 bytes on the bus in four
 * instructions, or L + 13 in two where frames are so short that several are given back to the chip at once.
 */
import {
  ECON1,
  ECON1_RXEN,
  ECON1_RXRST,
  EIR,
  EIR_RXERIF,
  ERDPT,
  ERXND,
  ERXRDPT,
  ERXST,
  ERXWRPT,
  RSVH_CRC_ERROR,
  RSVH_RECEIVED_OK,
  RSVH_ZERO,
} from "./registers";
import { NicCounter } from "../nic-counters";
import { count } from "../counters";
import { interruptLied, interruptPending, interruptPolled, interruptTrue } from "./interrupt";
import { FCS_BYTES, FRAME_BYTES_MAX, FRAME_BYTES_MIN, RX_BYTES, RX_END, rxAfter } from "./layout";
import {
  bufferRead,
  clearBits,
  packetCount,
  packetDone,
  readEth16,
  setBits,
  writeEth16,
} from "./spi";
import { STRETCH, transmitNext, transmitSending, transmitService, transmitWaits } from "./transmit";

const HEADER_BYTES: u32 = 6;
/** Frames below this are never accepted by the chip (DS39662E 7.2). */
const COUNT_MIN: u32 = 18;
/** So many bytes are clocked out rather than jumped over: a jump takes four bytes and two more instructions. */
const CLOCKED_MAX: u32 = 8;
/** Memory is given back to the chip when so much of it has been read, or when there is nothing more to read. */
const FREE_BYTES: u32 = 1024;
/** Runts that one call drops before it lets the caller go on. */
const RUNTS_MAX: u32 = 16;
/** Times that EPKTCNT is read and counted down in a receive reset. */
const DRAINS_MAX: u32 = 3;

/** What a frame of full size takes. */
const FULL_BYTES: u32 = HEADER_BYTES + FRAME_BYTES_MAX;

/** Header of the frame that is being opened; also where bytes go that nobody wants. */
const SCRATCH: usize = memory.data(CLOCKED_MAX, 4);

/** Address of the header of the next frame to open, or of the open one. */
let next: u32 = 0;
/** Address behind the open frame; `next` when none is open. */
let following: u32 = 0;
let open: bool = false;
/** Bytes of the open frame that have not been read. */
let left: u32 = 0;
/** Bytes that the frame had which was opened last. */
let opened: u32 = 0;
/** FCS and filler behind them. */
let tail: u32 = 0;
/** Bytes read and not given back to the chip. */
let unfreed: u32 = 0;
/** Receive resets since the last good frame. */
let strikes: u32 = 0;

/** Programs the receive buffer, with reception off (DS39662E 6.1). ERXST is 0000 (erratum 5). */
export function receiveSetup(): void {
  writeEth16(ERXST, 0);
  writeEth16(ERXND, RX_END);
  writeEth16(ERXRDPT, RX_END);
  writeEth16(ERDPT, 0);
  next = 0;
  following = 0;
  open = false;
  left = 0;
  tail = 0;
  unfreed = 0;
}

/** Receive resets since the last good frame. */
export function receiveStrikes(): u32 {
  return strikes;
}

/** Bytes of the frame that was opened last, without FCS. */
export function receivedBytes(): u32 {
  return opened;
}

/** Forgets them, when the whole chip starts anew. */
export function receiveStrikesClear(): void {
  strikes = 0;
}

/** Address that ERDPT has. */
function receivePosition(): u32 {
  return rxAfter(following, RX_BYTES - (left + tail));
}

/** Gives read memory back to the chip: up to the byte before the next frame, an odd address (erratum 14). */
export function receiveFree(): void {
  if (unfreed == 0) return;
  unfreed = 0;
  writeEth16(ERXRDPT, next == 0 ? RX_END : next - 1);
}

/**
 * What has come and was not given back leaves no room for two frames of full size. If one waits for something now those behind it may be
 * lost: one is on its way, and it takes half the time of the next until this one is read.
 */
export function receiveTight(): bool {
  const write = readEth16(ERXWRPT);
  const came = write >= next ? write - next : write + RX_BYTES - next;
  return came + unfreed > RX_BYTES - 2 * FULL_BYTES;
}

/** Whether a frame waits. While a frame is being sent, INT may be low for that. */
function frameWaits(): bool {
  if (interruptPolled()) return packetCount() != 0;
  if (!interruptPending()) return false;
  if (!transmitSending()) return true;
  transmitService();
  return interruptPending();
}

/** Opens the oldest frame: its length without FCS, 0 if there is none. */
export function rxBegin(): u32 {
  assert(!open);
  for (let runts: u32 = 0; runts < RUNTS_MAX; runts++) {
    if (!frameWaits()) break;
    const length = openFrame();
    if (length == 0) break;
    if (length >= FRAME_BYTES_MIN - FCS_BYTES) return length;
    close();
  }
  receiveFree();
  return 0;
}

/**
 * Reads and judges a header: 0, after recovery, if it makes no sense. The chip places the next packet right behind this
 * one, so that the pointer and the byte count must agree.
 */
function openFrame(): u32 {
  bufferRead(SCRATCH, HEADER_BYTES);
  const pointer = <u32>load<u16>(SCRATCH);
  const bytes = <u32>load<u16>(SCRATCH, 2);
  const status = <u32>load<u16>(SCRATCH, 4);
  const sane =
    bytes >= COUNT_MIN &&
    bytes <= FRAME_BYTES_MAX &&
    (status & (RSVH_RECEIVED_OK | RSVH_CRC_ERROR | RSVH_ZERO)) == RSVH_RECEIVED_OK &&
    pointer == rxAfter(next, (HEADER_BYTES + bytes + 1) & ~1);
  if (!sane) {
    badHeader();
    return 0;
  }
  interruptTrue();
  strikes = 0;
  open = true;
  following = pointer;
  left = bytes - FCS_BYTES;
  opened = left;
  tail = FCS_BYTES + (bytes & 1);
  return left;
}

/** The header makes no sense: there was no frame, and INT is to blame, or the receive buffer is out of step. */
function badHeader(): void {
  if (packetCount() == 0) {
    interruptLied();
    writeEth16(ERDPT, next);
    return;
  }
  count(NicCounter.RX_BAD_HEADER);
  receiveReset();
}

/** Reads on in the open frame, never past its end. */
export function rxRead(to: usize, bytes: u32): void {
  if (bytes > left) bytes = left;
  if (bytes == 0) return;
  left -= bytes;
  for (; bytes > STRETCH && transmitWaits(); bytes -= STRETCH) {
    bufferRead(to, STRETCH);
    to += STRETCH;
    transmitNext();
  }
  bufferRead(to, bytes);
}

/** Leaves bytes of the open frame out, never past its end. */
export function rxSkip(bytes: u32): void {
  if (bytes > left) bytes = left;
  if (bytes == 0) return;
  left -= bytes;
  skip(bytes, receivePosition());
}

/** Lets ERDPT go on to `to`, which is `bytes` further. */
function skip(bytes: u32, to: u32): void {
  if (bytes <= CLOCKED_MAX) bufferRead(SCRATCH, bytes);
  else writeEth16(ERDPT, to);
}

/** Closes the open frame. Its memory goes back to the chip at once, or together with that of other short frames. */
export function rxEnd(): void {
  if (!open) return;
  count(NicCounter.RX_FRAMES);
  close();
}

/** Puts the open frame back: it is the oldest one again, to be read from its beginning. */
export function rxPutBack(): void {
  if (!open) return;
  open = false;
  left = 0;
  tail = 0;
  following = next;
  writeEth16(ERDPT, next);
}

function close(): void {
  open = false;
  skip(left + tail, following);
  left = 0;
  tail = 0;
  unfreed += following >= next ? following - next : following + RX_BYTES - next;
  next = following;
  packetDone();
  if (unfreed >= FREE_BYTES) receiveFree();
}

/**
 * First rung of recovery: the receive logic is reset, the buffer is emptied and everything begins at address 0 again.
 * Frames in the buffer are lost.
 */
export function receiveReset(): void {
  count(NicCounter.RX_RESETS);
  strikes++;
  clearBits(ECON1, ECON1_RXEN);
  setBits(ECON1, ECON1_RXRST);
  clearBits(ECON1, ECON1_RXRST);
  for (let drains: u32 = 0; drains < DRAINS_MAX; drains++) {
    const waiting = packetCount();
    if (waiting == 0) break;
    for (let i: u32 = 0; i < waiting; i++) packetDone();
  }
  receiveSetup();
  clearBits(EIR, EIR_RXERIF);
  setBits(ECON1, ECON1_RXEN);
}
