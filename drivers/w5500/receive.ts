/**
 * Receiving. The chip keeps a ring of frames, each with its length in front:
 *
 *     freed        next             limit
 *       |            |                |
 *       v            v                v
 *     --+--------+---+--------+-------+-------------
 *       | len fr | len frame  | len f |   room
 *     --+--------+---+--------+-------+-------------
 *
 * `freed` is RX_RD, which only the driver moves, `limit` is RX_WR as last read. All run freely modulo 65536. Frames
 * between `freed` and `next` are given back to the chip together, one RX_RD and one RECV for all of them.
 *
 * RX_WR alone tells what has come: the chip moves it when a frame is there, whatever becomes of the host's commands. RX_RSR
 * also depends on a RECV that the chip may still be taking, and then counts frames that were given back.
 */
import { chipInterrupt } from "board";
import { NicCounter } from "../nic-counters";
import { count } from "../counters";
import { Recovery, needRecovery, recoveryNeeded } from "./recovery";
import {
  BUFFER_BYTES,
  S0_READ,
  S0_WRITE,
  Sn_CR,
  Sn_CR_RECV,
  Sn_IR,
  Sn_IR_RECV,
  Sn_RX_RD,
  Sn_RX_RSR,
  Sn_RX_WR,
} from "./registers";
import {
  closeStream,
  isReadingAt,
  passStream,
  read16,
  readBytes,
  readStream,
  readStream16,
  write16,
  write8,
} from "./spi";

/** Length in front of a frame: it counts its own two bytes; 4 more with a VLAN tag (datasheet 4.2, MACRAW). */
const HEADER_BYTES: u32 = 2;
const LENGTH_MIN: u32 = 62;
const LENGTH_MAX: u32 = 1520;
/** Memory is given back at the latest when this much of it has been read: four full frames. */
const FREE_BYTES: u32 = 4 * 1516;
/** Reopening a stream costs 3 bytes and a CSn pulse: fewer bytes than this are clocked past instead. */
const PASS_BYTES: u32 = 8;
/** Bursts until the receive pointers must agree. */
const STATUS_TRIES: u32 = 4;

/** RX_RSR, RX_RD, RX_WR as they come over the bus. */
const STATUS: usize = memory.data(6, 4);

let freed: u32 = 0;
let next: u32 = 0;
let limit: u32 = 0;
/** Bytes of the open frame that are still to be read, and their pointer. */
let left: u32 = 0;
let at: u32 = 0;
let open: bool = false;
/** RECV was cleared together with the last RECV command, so what has come before is not flagged. */
let cleared: bool = false;
/** Look even though INTn is high. */
let checkDue: bool = false;
/** Frames came while INTn was high: the pin is not to be believed. */
let pinSilent: bool = false;
/** Bad headers since the last good frame. */
let strikes: u32 = 0;

/** Forgets everything: the socket has been opened, all its pointers are 0. */
export function receiveReset(): void {
  freed = 0;
  next = 0;
  limit = 0;
  left = 0;
  open = false;
  cleared = false;
  checkDue = true;
}

/** The chip is set up anew: earlier trouble does not count any more. */
export function receiveForgive(): void {
  strikes = 0;
}

/** Makes the next `rxBegin` ask the chip even if INTn is high. */
export function receiveCheck(): void {
  checkDue = true;
}

/** True while INTn does not tell of frames, so that the chip must be asked often. */
export function receiveIsPolled(): bool {
  return pinSilent;
}

/** True while frames are known, or may have come without moving INTn: no time to sleep. */
export function receiveIsPending(): bool {
  return cleared || next != limit;
}

function status16(offset: usize): u32 {
  return ((<u32>load<u8>(STATUS + offset)) << 8) | (<u32>load<u8>(STATUS + offset + 1));
}

/** Takes RX_WR as the limit, `size` bytes behind `freed`. */
function takeLimit(write: u32, size: u32): void {
  limit = write;
  // The chip tells nobody of a frame that found no room; that a full one would find none is as much as can be known.
  if (size > BUFFER_BYTES - LENGTH_MAX) count(NicCounter.RX_OVERFLOW);
}

/**
 * Reads RX_RSR, RX_RD and RX_WR in one burst and takes RX_WR as the limit. A frame may arrive between two bytes (the
 * datasheet asks for repeated reads, 4.2 Sn_RX_RSR): the values are good if RX_RSR is the difference of the pointers, or
 * if RX_WR is the same in two bursts. RX_RD must be what the driver has written, otherwise the chip has been reset.
 */
function readStatus(): bool {
  let lastWrite: u32 = 0x10000;
  let ownPointer = false;
  for (let i: u32 = 0; i < STATUS_TRIES; i++) {
    readBytes(Sn_RX_RSR, S0_READ, STATUS, 6);
    const write = status16(4);
    const size = (write - freed) & 0xffff;
    ownPointer = status16(2) == freed;
    if (ownPointer && size <= BUFFER_BYTES && (status16(0) == size || write == lastWrite)) {
      takeLimit(write, size);
      return true;
    }
    lastWrite = write;
  }
  needRecovery(ownPointer ? Recovery.REOPEN : Recovery.REINIT);
  return false;
}

/**
 * One reading of RX_WR, which is enough to go on. If a frame arrives between its two bytes, the high one first, the value
 * is the new one less a multiple of 256: never beyond what is there. So it is before `freed`, which the pointers decide;
 * or none seems to have come, and the frame has moved INTn; or it is good for the frames before it, and `rxBegin` finds
 * that it cuts the next one.
 */
function readLimit(): bool {
  const write = read16(Sn_RX_WR, S0_READ);
  const size = (write - freed) & 0xffff;
  if (size > BUFFER_BYTES) return readStatus();
  takeLimit(write, size);
  return true;
}

/**
 * Looks for new frames when none is known. RECV is cleared before the pointers are read, so a frame that comes later
 * pulls INTn low again. While INTn is high there is nothing, and the bus stays quiet.
 */
function fetch(): bool {
  const low = chipInterrupt();
  if (!cleared) {
    if (!low && !checkDue && !pinSilent) return false;
    if (low) write8(Sn_IR, S0_WRITE, Sn_IR_RECV);
  }
  const silent = !low && !cleared;
  const whole = checkDue;
  cleared = false;
  checkDue = false;
  if (!(whole ? readStatus() : readLimit())) return false;
  const found = limit != next;
  if (low) pinSilent = false;
  // A frame that came between the two looks has moved the pin; one that was there before should have.
  else if (found && silent) pinSilent = !chipInterrupt();
  return found;
}

/** Gives the memory of all frames that have been read back to the chip. */
function free(): void {
  write16(Sn_RX_RD, S0_WRITE, next);
  freed = next;
  if (next == limit && (pinSilent || chipInterrupt())) {
    // More has come: the flag goes with the command, one byte more, and the pointers are read next in any case.
    write16(Sn_CR, S0_WRITE, (Sn_CR_RECV << 8) | Sn_IR_RECV);
    cleared = true;
  } else {
    write8(Sn_CR, S0_WRITE, Sn_CR_RECV);
  }
}

/**
 * A header that cannot be: the driver and the chip no longer agree where frames begin. First everything is thrown away
 * up to RX_WR; if the next header is bad too the socket is opened anew, then the chip.
 */
function badHeader(): void {
  count(NicCounter.RX_BAD_HEADER);
  strikes++;
  if (strikes == 1) {
    count(NicCounter.RX_RESETS);
    next = limit;
    free();
  } else {
    needRecovery(strikes == 2 ? Recovery.REOPEN : Recovery.REINIT);
  }
}

/** Whether a frame of that length may lie at `next`. */
function fits(length: u32): bool {
  return length >= LENGTH_MIN && length <= LENGTH_MAX && length <= ((limit - next) & 0xffff);
}

/** Opens the oldest frame and gives its bytes without FCS; 0 = none. */
export function rxBegin(): u32 {
  if (open) rxEnd();
  if (recoveryNeeded() != Recovery.NONE) return 0;
  if (next == limit && !fetch()) {
    closeStream();
    return 0;
  }
  const length = readStream16(next);
  if (!fits(length)) {
    // A limit that was torn cuts a frame; the chip's memory is right, and so is its length.
    closeStream();
    if (!readStatus()) return 0;
    if (!fits(length)) {
      badHeader();
      return 0;
    }
  }
  at = (next + HEADER_BYTES) & 0xffff;
  left = length - HEADER_BYTES;
  open = true;
  return left;
}

/** Reads on in the open frame; past its end nothing is read. */
export function rxRead(to: usize, bytes: u32): void {
  const now = min(bytes, left);
  if (now == 0) return;
  readStream(at, to, now);
  at = (at + now) & 0xffff;
  left -= now;
}

/** Passes over bytes of the open frame. */
export function rxSkip(bytes: u32): void {
  const now = min(bytes, left);
  if (now <= PASS_BYTES && isReadingAt(at)) passStream(now);
  at = (at + now) & 0xffff;
  left -= now;
}

/** Puts the open frame back: it is the oldest one again, to be read from its beginning. */
export function rxPutBack(): void {
  open = false;
  left = 0;
}

/** Closes the frame. Its memory is given back with the last frame that is known, or when enough has come together. */
export function rxEnd(): void {
  if (!open) return;
  open = false;
  strikes = 0;
  count(NicCounter.RX_FRAMES);
  next = (at + left) & 0xffff;
  if (next == limit || ((next - freed) & 0xffff) >= FREE_BYTES) free();
  else if (left > 0 && left <= PASS_BYTES && isReadingAt(at)) passStream(left);
  left = 0;
}
