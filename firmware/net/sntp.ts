import { clockMs } from "board";
import { EAGAIN, ECONNREFUSED, EBUSY, ETIMEDOUT } from "../../stack/errors";
import { AF_INET, SOCK_DGRAM, SOCK_NONBLOCK } from "../../stack/posix";
import { random32 } from "../../stack/random";
import { sockClose, sockConnect, sockOpen, sockReceive, sockSend } from "../../stack/socket/socket";
import { Be } from "../../stack/wire/bytes";
import { netPoll } from "./runtime";
import { wallClockSet } from "./wall-clock";

/**
 * SNTP client (RFC 5905 14, RFC 4330): one question to one server sets the wall clock to within half a round trip. What is sent
 * tells nothing of our clock: the transmit timestamp is a random number, which the answer must have.
 */

/** NTP counts from 1900. Also right in the era that begins in 2036: numbers wrap. */
const UNIX_EPOCH: u32 = 2208988800;
const NTP_PORT: u32 = 123;
const PACKET_BYTES: u32 = 48;
/** An answer that comes later than this is none. */
const WAIT_MS: u32 = 5000;
/** Version 4, mode 3 (client). */
const CLIENT: u8 = 0x23;
const MODE_SERVER: u32 = 4;
/** Stratum 0 is a kiss of death, 16 and more is not synchronized. */
const STRATUM_MAX: u32 = 15;

let fd: i32 = -1;
let sentMs: u32 = 0;

/** The packet, sent or received. In a function, so that an application without SNTP has none. */
function packet(): usize {
  const PACKET: usize = memory.data(PACKET_BYTES, 4);
  return PACKET;
}

/** What the answer must have for a timestamp of ours. */
function nonce(): usize {
  const NONCE: usize = memory.data(8, 4);
  return NONCE;
}

/**
 * Asks a server (host order). Then `sntpTurn` has the answer after some turns of the network. 0, -EBUSY (a question is under
 * way), or the error of a socket call. Not more often than every 15 s to one server (RFC 4330 10).
 */
export function sntpBegin(server: u32): i32 {
  if (fd >= 0) return -EBUSY;
  fd = sockOpen(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0) return fd;
  const refused = sockConnect(fd, server, NTP_PORT);
  if (refused < 0) return ended(refused);
  store<u32>(nonce(), random32());
  store<u32>(nonce(), random32(), 4);
  sentMs = clockMs();
  const result = ask();
  return result < 0 && result != -EAGAIN ? ended(result) : 0;
}

let asked: bool = false;

function ask(): i32 {
  memory.fill(packet(), 0, PACKET_BYTES);
  store<u8>(packet(), CLIENT);
  memory.copy(packet() + 40, nonce(), 8);
  const result = sockSend(fd, packet(), PACKET_BYTES, 0);
  asked = result >= 0;
  if (asked) sentMs = clockMs();
  return result;
}

/** The question is over. */
function ended(result: i32): i32 {
  sockClose(fd);
  fd = -1;
  return result;
}

/**
 * Looks for the answer: 0 = the clock is set, -EAGAIN = not yet, -ETIMEDOUT, -ECONNREFUSED (nobody serves there, or the server
 * wants not to be asked), or the error of a socket call. All but -EAGAIN end the question.
 */
export function sntpTurn(): i32 {
  if (fd < 0) return -ETIMEDOUT;
  const late = clockMs() - sentMs >= WAIT_MS;
  // The router's address had to be asked for first.
  if (!asked) {
    const sent = ask();
    if (sent < 0 && sent != -EAGAIN) return ended(sent);
    return asked || !late ? -EAGAIN : ended(-ETIMEDOUT);
  }
  for (let i: u32 = 0; i < 4; i++) {
    const bytes = sockReceive(fd, packet(), PACKET_BYTES, 0);
    if (bytes == -EAGAIN) break;
    if (bytes < 0) return ended(bytes);
    if (<u32>bytes < PACKET_BYTES || !isAnswer()) continue;
    if (load<u8>(packet(), 1) == 0) return ended(-ECONNREFUSED);
    take();
    return ended(0);
  }
  return late ? ended(-ETIMEDOUT) : -EAGAIN;
}

/** An answer to our question, from a server that knows the time or wants to be left alone. */
function isAnswer(): bool {
  const first = <u32>load<u8>(packet());
  const stratum = <u32>load<u8>(packet(), 1);
  if ((first & 7) != MODE_SERVER || stratum > STRATUM_MAX) return false;
  if (load<u32>(packet(), 24) != load<u32>(nonce())) return false;
  if (load<u32>(packet(), 28) != load<u32>(nonce(), 4)) return false;
  // Leap indicator 3: its clock is not set.
  return stratum == 0 || (first >>> 6 != 3 && load<u32>(packet(), 40) != 0);
}

/** Milliseconds of an NTP fraction. */
function fractionMs(at: usize): u32 {
  return ((Be.load32(at) >>> 16) * 1000) >>> 16;
}

/** Sets the clock: the server's time of sending, and half of the time that was spent on the way. */
function take(): void {
  const passed = clockMs() - sentMs;
  const seconds = Be.load32(packet() + 40);
  const ms = fractionMs(packet() + 44);
  const held = (seconds - Be.load32(packet() + 32)) * 1000 + ms - fractionMs(packet() + 36);
  const way = held <= passed ? passed - held : passed;
  const now = ms + (way >>> 1);
  wallClockSet(seconds - UNIX_EPOCH + now / 1000, now % 1000);
}

/** Asks a server and waits for the answer, while the network goes on. Results as of `sntpBegin` and `sntpTurn`. */
export function sntpSync(server: u32): i32 {
  let result = sntpBegin(server);
  if (result == 0) result = -EAGAIN;
  while (result == -EAGAIN) {
    netPoll(WAIT_MS);
    result = sntpTurn();
  }
  return result;
}
