/**
 * Packets of MQTT 3.1.1 (OASIS Standard, 29 October 2014) and 5.0 (7 March 2019): those that wait to be sent, one behind the other
 * in a buffer, and the one that is being received.
 */
import { ECONNRESET, EAGAIN, EINVAL, MSG_DONTWAIT, recv, send } from "../net/index";

/** Types, in the high half of the first byte, with the flags that all but PUBLISH must have (2.2.2). */
export const CONNECT: u32 = 0x10;
export const CONNACK: u32 = 0x20;
export const PUBLISH: u32 = 0x30;
export const PUBACK: u32 = 0x40;
export const PUBREC: u32 = 0x50;
export const PUBREL: u32 = 0x62;
export const PUBCOMP: u32 = 0x70;
export const SUBSCRIBE: u32 = 0x82;
export const SUBACK: u32 = 0x90;
export const UNSUBSCRIBE: u32 = 0xa2;
export const UNSUBACK: u32 = 0xb0;
export const PINGREQ: u32 = 0xc0;
export const PINGRESP: u32 = 0xd0;
export const DISCONNECT: u32 = 0xe0;

/** Room for packets that wait to be sent. */
const OUT_BYTES: u32 = 512;
const OUT: usize = memory.data(OUT_BYTES, 4);
/** Room for a received packet without its head; of what is longer the rest is passed over. */
const IN_BYTES: u32 = 256;
export const IN: usize = memory.data(IN_BYTES, 4);
/** The longest packet that has room, with its head. */
export const LONGEST: u32 = IN_BYTES + 3;
/** Where bytes are read to that have no room: behind the length of the topic. */
const SURPLUS: usize = IN + 4;
/** Most reads of a turn. */
const READS: u32 = 64;
const PIECE: usize = memory.data(4, 4);
/** Room that is kept for what must be answered. */
const ANSWER_BYTES: u32 = 5;

/** The connection speaks MQTT 5. */
let five: bool = false;
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
/** Two bytes of a packet that is longer than its room: the identifier behind the topic. */
let passedId: u32 = 0;

/** Forgets what was to be sent and what was received, for a new connection of MQTT 5 or 3.1.1. */
export function packetsReset(level: u32): void {
  outBytes = 0;
  reading = Reading.TYPE;
  five = level == 5;
}

/** True when the connection speaks MQTT 5: properties and reason codes are in the packets. */
export function isFive(): bool {
  return five;
}

/** Bytes that wait to be sent. */
export function packetsWaiting(): u32 {
  return outBytes;
}

/** True while a packet of that many bytes behind its head finds room; answers may also take what is kept for them. */
export function packetFits(bytes: u32): bool {
  return outBytes + bytes + 3 + ANSWER_BYTES <= OUT_BYTES;
}

/** True for a packet of that many bytes behind its head when none waits to be sent. */
export function packetFitsAlone(bytes: u32): bool {
  return bytes + 3 + ANSWER_BYTES <= OUT_BYTES;
}

/** True while there is room for an answer. */
export function answerFits(): bool {
  return outBytes + ANSWER_BYTES <= OUT_BYTES;
}

/** A word of the packet that was received, in network order. */
export function wordAt(at: u32): u32 {
  return <u32>bswap<u16>(load<u16>(IN + <usize>at));
}

export function byteAt(at: u32): u32 {
  return <u32>load<u8>(IN + <usize>at);
}

/** Bytes of a variable byte integer of the packet (MQTT 5, 1.5.5). */
export function lengthBytes(at: u32): u32 {
  return byteAt(at) < 0x80 ? 1 : 2;
}

/** Where properties end whose length lies at `at`; 0 when that is behind the packet's end. Packets with room have two bytes of length. */
export function propertiesEnd(at: u32, end: u32): u32 {
  if (at >= end) return 0;
  const long = lengthBytes(at) == 2;
  if (long && (at + 1 >= end || byteAt(at + 1) >= 0x80)) return 0;
  const bytes = long ? (byteAt(at) & 0x7f) | (byteAt(at + 1) << 7) : byteAt(at);
  const stop = at + lengthBytes(at) + bytes;
  return stop > end ? 0 : stop;
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

/** An answer to a packet: its identifier, and with MQTT 5 why it was not as it should be (3.4.2.1 …). */
export function putAnswer(type: u32, id: u32, why: u32): void {
  const told = five && why != 0;
  putHead(type, told ? 3 : 2);
  putWord(id);
  if (told) putByte(why);
}

/** Properties of a packet of MQTT 5: none (2.2.2.1). */
export function putNoProperties(): void {
  if (five) putByte(0);
}

/** Bytes of `putNoProperties`. */
export function noProperties(): u32 {
  return five ? 1 : 0;
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

/** True when the packet was longer than its room. */
export function packetCut(): bool {
  return remaining > IN_BYTES;
}

/** The identifier of a PUBLISH that was longer than its room, wherever it lies; 0 when the packet ends before it. */
export function packetCutId(): u32 {
  return wordAt(0) + 4 > remaining ? 0 : passedId;
}

/** The room is full: keeps the identifier, or the half of it, that lies there. */
function keepId(): void {
  const at = wordAt(0) + 2;
  passedId = at + 2 <= IN_BYTES ? wordAt(at) : byteAt(IN_BYTES - 1);
}

/** Takes the identifier out of bytes that have no room; they lie at SURPLUS. */
function passOver(from: u32, bytes: u32): void {
  const at = wordAt(0) + 2;
  for (let byte = max<u32>(from, at); byte < min<u32>(from + bytes, at + 2); byte++) {
    passedId = ((passedId << 8) | (<u32>load<u8>(SURPLUS + <usize>(byte - from)))) & 0xffff;
  }
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
  return readBody(fd);
}

function readBody(fd: i32): i32 {
  for (let reads: u32 = 0; got < remaining; reads++) {
    // A packet may be as long as 256 MB: the rest at another turn.
    if (reads == READS) return 0;
    const room = got < IN_BYTES;
    if (got == IN_BYTES) keepId();
    const wanted = min<u32>(remaining - got, room ? IN_BYTES - got : IN_BYTES - 4);
    const read = readBytes(fd, room ? IN + <usize>got : SURPLUS, wanted);
    if (read <= 0) return read;
    if (!room) passOver(got, <u32>read);
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
