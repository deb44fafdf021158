/**
 * Transfers of the TFTP server. The sender repeats a block only when its timer runs out, never for an acknowledgment that comes
 * twice (RFC 1123 4.2.3.1: no Sorcerer's Apprentice); the timer doubles each time.
 */
import { log2 } from "as-tcpip/log";
import {
  AF_INET,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SockAddrIn,
  close,
  htons,
  ntohl,
  recvfrom,
  sendto,
  socket,
} from "as-tcpip/net";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";
import { fileAppend, fileBytes, fileData, fileEnd, fileReaders } from "./file";

export const RRQ: u32 = 1;
export const WRQ: u32 = 2;
const DATA: u32 = 3;
const ACK: u32 = 4;
const ERROR_CODE: u32 = 5;

/** Error codes of RFC 1350. */
export const NO_ROOM: u32 = 0;
export const NOT_FOUND: u32 = 1;
export const ACCESS_VIOLATION: u32 = 2;
const DISK_FULL: u32 = 3;
export const ILLEGAL: u32 = 4;
const UNKNOWN_TID: u32 = 5;

export const TRANSFERS: u32 = 2;
const BLOCK_BYTES: u32 = 512;
const HEADER_BYTES: u32 = 4;
const FIRST_WAIT_MS: u32 = 1000;
const LAST_WAIT_MS: u32 = 8000;
/** A request that comes again so soon after the last block is the network's doing. */
const DUPLICATE_MS: u32 = 200;
const TRIES: u32 = 6;

/** What a transfer is doing. */
const enum Doing {
  SEND,
  RECEIVE,
  /** All has come; a last block that comes again is acknowledged again. */
  DALLY,
}

@unmanaged
export class Transfer {
  /** Its socket, -1 = none. */
  fd: i32;
  peerAddress: u32;
  peerPort: u16;
  /** The block that was sent, or the last one that was received. */
  block: u16;
  doing: u8;
  tries: u8;
  reserved: u16;
  /** Of a download: where the text lies, its length, and where the block begins. */
  from: usize;
  bytes: u32;
  offset: u32;
  sentMs: u32;
  waitMs: u32;
}

const TABLE: usize = memory.data(TRANSFERS * offsetof<Transfer>(), 4);
/** One byte more than a packet may have: so one that is too long is seen. */
const MESSAGE: usize = memory.data(HEADER_BYTES + BLOCK_BYTES + 1, 4);
const TO: usize = memory.data(8, 4);

export function transferAt(index: u32): Transfer {
  return changetype<Transfer>(TABLE + <usize>(index * offsetof<Transfer>()));
}

/**
 * True when this peer's request has been taken already: nothing has come from it since. A client whose port stays the same (as that of
 * BSD's tftp) may ask for the next file while the last one is not over for us: its last word was lost, or may be lost.
 */
export function transferAsked(peer: SockAddrIn, opcode: u32): bool {
  for (let i: u32 = 0; i < TRANSFERS; i++) {
    const it = transferAt(i);
    if (it.fd < 0 || it.peerAddress != peer.sinAddr || it.peerPort != peer.sinPort) continue;
    if (it.doing == <u8>Doing.DALLY) {
      if (opcode == WRQ && clockMs() - it.sentMs < DUPLICATE_MS) return true;
    } else if (it.block == (it.doing == <u8>Doing.SEND ? 1 : 0)) return true;
  }
  return false;
}

/** A place that is free, or that of a transfer which only waits whether its last block comes again. */
function place(): Transfer | null {
  for (let i: u32 = 0; i < TRANSFERS; i++) if (transferAt(i).fd < 0) return transferAt(i);
  for (let i: u32 = 0; i < TRANSFERS; i++) {
    if (transferAt(i).doing != <u8>Doing.DALLY) continue;
    end(transferAt(i), true);
    return transferAt(i);
  }
  return null;
}

function begin(peer: SockAddrIn, doing: Doing): Transfer | null {
  const it = place();
  if (it == null) return null;
  it.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (it.fd < 0) return null;
  it.peerAddress = peer.sinAddr;
  it.peerPort = peer.sinPort;
  it.doing = <u8>doing;
  it.offset = 0;
  return it;
}

/** Begins a download of bytes that stay where they are; false without room for it. */
export function transferSend(peer: SockAddrIn, from: usize, bytes: u32): bool {
  const it = begin(peer, Doing.SEND);
  if (it == null) return false;
  if (from == fileData()) fileReaders(1);
  it.from = from;
  it.bytes = bytes;
  it.block = 1;
  first(it);
  return true;
}

/** Begins an upload into the file. */
export function transferReceive(peer: SockAddrIn): bool {
  const it = begin(peer, Doing.RECEIVE);
  if (it == null) return false;
  it.from = 0;
  it.block = 0;
  first(it);
  return true;
}

function end(it: Transfer, whole: bool): void {
  if (it.doing == <u8>Doing.RECEIVE) fileEnd(whole);
  if (it.doing == <u8>Doing.SEND && it.from == fileData()) fileReaders(-1);
  if (!whole)
    log2("warn: TFTP transfer of %i ended at block %u", ntohl(it.peerAddress), <u32>it.block);
  close(it.fd);
  it.fd = -1;
}

function begins(opcode: u32, number: u32): void {
  store<u16>(MESSAGE, htons(<u16>opcode));
  store<u16>(MESSAGE, htons(<u16>number), 2);
}

/** Sends the block, or the acknowledgment, that is due; when it was sent first counts for its repetition. */
function say(it: Transfer): void {
  let bytes: u32 = 0;
  if (it.doing == <u8>Doing.SEND) {
    bytes = min<u32>(it.bytes - it.offset, BLOCK_BYTES);
    begins(DATA, it.block);
    memory.copy(MESSAGE + HEADER_BYTES, it.from + <usize>it.offset, bytes);
  } else begins(ACK, it.block);
  const to = changetype<SockAddrIn>(TO);
  to.sinFamily = <u16>AF_INET;
  to.sinPort = it.peerPort;
  to.sinAddr = it.peerAddress;
  sendto(it.fd, MESSAGE, HEADER_BYTES + bytes, MSG_DONTWAIT, to);
}

function sayAndWait(it: Transfer): void {
  say(it);
  it.sentMs = clockMs();
}

/** Says something new. */
function first(it: Transfer): void {
  it.tries = 0;
  it.waitMs = it.doing == <u8>Doing.DALLY ? LAST_WAIT_MS : FIRST_WAIT_MS;
  sayAndWait(it);
}

/** Tells a peer why not. */
export function refuse(fd: i32, peer: SockAddrIn, code: u32, why: Text): void {
  const bytes = textBytes(why);
  begins(ERROR_CODE, code);
  memory.copy(MESSAGE + HEADER_BYTES, textAddress(why), bytes);
  store<u8>(MESSAGE + <usize>(HEADER_BYTES + bytes), 0);
  sendto(fd, MESSAGE, HEADER_BYTES + bytes + 1, MSG_DONTWAIT, peer);
}

/** Milliseconds until something must be said again. */
export function transferDueMs(it: Transfer): u32 {
  const passed = clockMs() - it.sentMs;
  return passed >= it.waitMs ? 0 : it.waitMs - passed;
}

/** Says it again when it is time, and gives up in the end. */
export function transferTick(it: Transfer): void {
  if (transferDueMs(it) != 0) return;
  if (it.doing == <u8>Doing.DALLY) return end(it, true);
  it.tries += 1;
  if (<u32>it.tries == TRIES) return end(it, false);
  it.waitMs = min<u32>(it.waitMs << 1, LAST_WAIT_MS);
  sayAndWait(it);
}

/** Takes what has come for a transfer. */
export function transferTurn(it: Transfer): void {
  const peer = changetype<SockAddrIn>(TO);
  const bytes = recvfrom(it.fd, MESSAGE, HEADER_BYTES + BLOCK_BYTES + 1, MSG_DONTWAIT, peer);
  if (bytes < <i32>HEADER_BYTES) return;
  const opcode = <u32>htons(load<u16>(MESSAGE));
  const number = htons(load<u16>(MESSAGE, 2));
  // Somebody else: it is told, and nothing changes here.
  if (peer.sinAddr != it.peerAddress || peer.sinPort != it.peerPort) {
    if (opcode != ERROR_CODE) refuse(it.fd, peer, UNKNOWN_TID, text("not your transfer"));
    return;
  }
  if (opcode == ERROR_CODE) end(it, it.doing == <u8>Doing.DALLY);
  else if (it.doing == <u8>Doing.SEND) {
    if (opcode == ACK && number == it.block) acknowledged(it);
  } else if (opcode == DATA) received(it, number, <u32>bytes - HEADER_BYTES);
}

/** The block has come. Only its first acknowledgment gets here: with the next block, `block` has another number. */
function acknowledged(it: Transfer): void {
  const bytes = min<u32>(it.bytes - it.offset, BLOCK_BYTES);
  it.offset += bytes;
  // A block that is not full was the last one.
  if (bytes < BLOCK_BYTES) return end(it, true);
  it.block += 1;
  first(it);
}

function received(it: Transfer, number: u16, bytes: u32): void {
  // Once more the last one: our acknowledgment was lost. It is no progress, so the clock goes on.
  if (number == it.block && number != 0) return say(it);
  if (it.doing == <u8>Doing.DALLY || number != <u16>(it.block + 1)) return;
  if (bytes > BLOCK_BYTES) {
    refuse(it.fd, changetype<SockAddrIn>(TO), ILLEGAL, text("block too long"));
    return end(it, false);
  }
  if (!fileAppend(MESSAGE + HEADER_BYTES, bytes)) {
    refuse(it.fd, changetype<SockAddrIn>(TO), DISK_FULL, text("file too large"));
    return end(it, false);
  }
  it.block = number;
  if (bytes < BLOCK_BYTES) {
    fileEnd(true);
    log2("info: TFTP: %u bytes from %i", fileBytes(), ntohl(it.peerAddress));
    it.doing = <u8>Doing.DALLY;
  }
  first(it);
}
