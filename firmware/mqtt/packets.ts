/**
 * Packets of MQTT 3.1.1 (OASIS Standard, 29 October 2014): those that wait to be sent, one behind the other in a buffer, and the
 * one that is being received.
 */
import { ECONNRESET, EAGAIN, EINVAL, MSG_DONTWAIT, recv, send } from "../net/index";

/** Types, in the high half of the first byte (2.2.1). */
export const CONNECT: u32 = 0x10;
export const CONNACK: u32 = 0x20;
export const PUBLISH: u32 = 0x30;
export const PUBACK: u32 = 0x40;
export const SUBSCRIBE: u32 = 0x82;
export const SUBACK: u32 = 0x90;
export const PINGREQ: u32 = 0xc0;
export const PINGRESP: u32 = 0xd0;

/** Room for packets that wait to be sent. */
const OUT_BYTES: u32 = 512;
const OUT: usize = memory.data(OUT_BYTES, 4);
/** Room for a received packet; what is longer is cut off. */
const IN_BYTES: u32 = 256;
export const IN: usize = memory.data(IN_BYTES, 4);
const PIECE: usize = memory.data(4, 4);
/** Room that is kept for what must be answered. */
export const ANSWER_BYTES: u32 = 4;

let outBytes: u32 = 0;

/** Where the reading of a packet is: its first byte, its length, its body. */
const enum Reading {
  TYPE,
  LENGTH,
  BODY,
}

let reading: Reading = Reading.TYPE;
let first: u32 = 0;
let remaining: u32 = 0;
let shift: u32 = 0;
let got: u32 = 0;

/** Forgets what was to be sent and what was received, for a new connection. */
export function packetsReset(): void {
  outBytes = 0;
  reading = Reading.TYPE;
}

/** Bytes that wait to be sent. */
export function packetsWaiting(): u32 {
  return outBytes;
}

/** True while a packet of that many bytes behind its head finds room; answers may also take what is kept for them. */
export function packetFits(bytes: u32): bool {
  return outBytes + bytes + 3 + ANSWER_BYTES <= OUT_BYTES;
}

/** True while there is room for an answer. */
export function answerFits(): bool {
  return outBytes + ANSWER_BYTES <= OUT_BYTES;
}

export function putByte(value: u32): void {
  store<u8>(OUT + <usize>outBytes, <u8>value);
  outBytes += 1;
}

export function putWord(value: u32): void {
  putByte(value >>> 8);
  putByte(value & 0xff);
}

export function putRun(from: usize, bytes: u32): void {
  memory.copy(OUT + <usize>outBytes, from, bytes);
  outBytes += bytes;
}

/** A text with its length in front (1.5.3). */
export function putString(from: usize, bytes: u32): void {
  putWord(bytes);
  putRun(from, bytes);
}

/** Begins a packet whose body has so many bytes (below 16,384). */
export function putHead(type: u32, bytes: u32): void {
  putByte(type);
  if (bytes < 128) return putByte(bytes);
  putByte(0x80 | (bytes & 0x7f));
  putByte(bytes >>> 7);
}

/** Sends what the socket takes. 0 or a negative errno. */
export function packetsFlush(fd: i32): i32 {
  if (outBytes == 0) return 0;
  const sent = send(fd, OUT, outBytes, MSG_DONTWAIT);
  if (sent < 0) return sent == -EAGAIN ? 0 : sent;
  outBytes -= <u32>sent;
  memory.copy(OUT, OUT + <usize>sent, outBytes);
  return 0;
}

/** First byte of the packet that has come: type and flags. */
export function packetFirst(): u32 {
  return first;
}

/** Bytes of it that lie at IN; `packetCut` says whether that is all. */
export function packetBytes(): u32 {
  return min<u32>(remaining, IN_BYTES);
}

export function packetCut(): bool {
  return remaining > IN_BYTES;
}

/** Reads on: 1 when a packet is complete, 0 when more must come, or a negative errno. */
export function packetRead(fd: i32): i32 {
  if (reading == Reading.TYPE) {
    const read = readBytes(fd, PIECE, 1);
    if (read <= 0) return read;
    first = load<u8>(PIECE);
    reading = Reading.LENGTH;
    remaining = 0;
    shift = 0;
  }
  while (reading == Reading.LENGTH) {
    const read = readBytes(fd, PIECE, 1);
    if (read <= 0) return read;
    const digit = <u32>load<u8>(PIECE);
    remaining |= (digit & 0x7f) << shift;
    shift += 7;
    if (digit < 0x80) {
      reading = Reading.BODY;
      got = 0;
    } else if (shift == 28) return -EINVAL;
  }
  while (got < remaining) {
    const room = got < IN_BYTES;
    const wanted = min<u32>(remaining - got, room ? IN_BYTES - got : 4);
    const read = readBytes(fd, room ? IN + <usize>got : PIECE, wanted);
    if (read <= 0) return read;
    got += <u32>read;
  }
  reading = Reading.TYPE;
  return 1;
}

function readBytes(fd: i32, to: usize, bytes: u32): i32 {
  const read = recv(fd, to, bytes, MSG_DONTWAIT);
  if (read == 0) return -ECONNRESET;
  return read == -EAGAIN ? 0 : read;
}
