/**
 * Does the script in assets/script.txt with the completion queue, over sockets of the loopback device, and tells what comes of each step: the
 * lines that test/posix/uring.py tells of the same script done by the kernel.
 *
 *     = …   a new case: all is closed         L   a listener (slot 0)      P   and a connection: client 1, server 2
 *     K n   a socket in slot n                C n connects it              O n it does not block
 *     q operation slot argument number flags  prepares                     g   submits    w n   takes n completions    e there is none
 *     s n bytes, r n bytes, h n, z n          send, receive, end, reset    t ms           time passes
 *     B n bytes   n buffers                   b n gives one back           o   whether completions overflow
 */
import { log1, log4 } from "as-tcpip/log";
import {
  AF_INET,
  F_SETFL,
  INADDR_LOOPBACK,
  MSG_DONTWAIT,
  O_NONBLOCK,
  RING_ACCEPT,
  RING_CONNECT,
  SHUT_WR,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_LINGER,
  SockAddrIn,
  accept,
  bind,
  close,
  connect,
  fcntl,
  htonl,
  htons,
  listen,
  netPoll,
  netStart,
  recv,
  ringBuffers,
  ringGiveBack,
  ringOverflowed,
  ringPeek,
  ringPrepare,
  ringSeen,
  ringSubmit,
  ringWait,
  send,
  setsockopt,
  shutdown,
  socket,
} from "as-tcpip/net";
import { assetBytes, assetData, assetFind } from "as-tcpip/assets";
import { text, textAddress, textBytes } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";

const SLOTS: u32 = 12;
/** Descriptors; what accept gives comes from slot 3 on. */
const FDS: usize = memory.data(4 * SLOTS, 4);
const ADDRESS: usize = memory.data(8, 4);
const BUFFER: usize = memory.data(64, 4);
const BUFFERS: usize = memory.data(64, 4);
const LINGER: usize = memory.data(8, 4);

let at: usize = 0;
let end: usize = 0;
let accepted: u32 = 3;
/** Numbers of the operations that accept, one bit each. */
let accepts: u32 = 0;
let cases: u32 = 0;

function slot(index: i32): usize {
  return FDS + ((<usize>index) << 2);
}

function fdOf(index: i32): i32 {
  return index < 0 ? -1 : load<i32>(slot(index));
}

/** The next number of the line. */
function number(): i32 {
  let value: i32 = 0;
  let sign: i32 = 1;
  at += 1;
  if (load<u8>(at) == 0x2d) {
    sign = -1;
    at += 1;
  }
  for (; at < end && load<u8>(at) >= 0x30; at++) value = value * 10 + (<i32>load<u8>(at) - 0x30);
  return sign * value;
}

function name(): SockAddrIn {
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(fdOf(0) >= 0 ? 80 : 9);
  address.sinAddr = htonl(INADDR_LOOPBACK);
  return address;
}

function passMs(ms: i32): void {
  for (const start = clockMs(); <i32>(clockMs() - start) < ms;) netPoll(1);
}

function reset(index: i32): void {
  store<i32>(LINGER, 1);
  store<i32>(LINGER, 0, 4);
  setsockopt(fdOf(index), SOL_SOCKET, SO_LINGER, LINGER, 8);
  close(fdOf(index));
  store<i32>(slot(index), -1);
}

/** Nothing is left of the case before: what waits ends with its socket. */
function begin(): void {
  for (let i: u32 = 0; i < SLOTS; i++) {
    if (cases != 0 && fdOf(i) >= 0) reset(i);
    store<i32>(slot(i), -1);
  }
  while (ringWait(1, 50) != 0) ringSeen();
  accepted = 3;
  accepts = 0;
  cases += 1;
  log1("info: case %u", cases);
}

function opened(): i32 {
  return socket(AF_INET, SOCK_STREAM, 0);
}

function listener(): void {
  const fd = opened();
  store<i32>(slot(0), fd);
  bind(fd, name());
  listen(fd, 8);
}

function connection(): void {
  store<i32>(slot(1), opened());
  connect(fdOf(1), name());
  store<i32>(slot(2), accept(fdOf(0), null));
}

function prepare(): void {
  const opcode = number();
  const it = ringPrepare()!;
  it.opcode = <u8>opcode;
  it.fd = fdOf(number());
  it.bytes = <u32>number();
  it.userData = <u32>number();
  it.flags = <u8>number();
  it.address = opcode == RING_CONNECT ? changetype<usize>(name()) : BUFFER;
  if (opcode == RING_ACCEPT) accepts |= 1 << it.userData;
}

function take(ms: i32): void {
  if (ringWait(1, ms) == 0) {
    log1("info: nothing%u", 0);
    return;
  }
  const cqe = ringPeek()!;
  let result = cqe.result;
  if (result >= 0 && ((accepts >>> cqe.userData) & 1) != 0) {
    store<i32>(slot(<i32>accepted), result);
    accepted += 1;
    result = 0;
  }
  log4(
    "info: %u: %d, flags %u, buffer %u",
    cqe.userData,
    <u32>result,
    cqe.flags & 11,
    cqe.flags >>> 16,
  );
  ringSeen();
}

function sockets(command: u32): void {
  const index = command == 0x4c || command == 0x50 ? 0 : number();
  switch (command) {
    case 0x4c: // L
      listener();
      break;
    case 0x50: // P
      listener();
      connection();
      break;
    case 0x4b: // K
      store<i32>(slot(index), opened());
      break;
    case 0x43: // C
      connect(fdOf(index), name());
      break;
    case 0x4f: // O
      fcntl(fdOf(index), F_SETFL, O_NONBLOCK);
      break;
    case 0x73: // s
      send(fdOf(index), BUFFER, <u32>number(), MSG_DONTWAIT);
      passMs(5);
      break;
    case 0x72: // r
      log1("info: received %d", <u32>recv(fdOf(index), BUFFER, <u32>number(), MSG_DONTWAIT));
      break;
    case 0x68: // h
      shutdown(fdOf(index), SHUT_WR);
      break;
    case 0x7a: // z
      reset(index);
      break;
    default:
      assert(false);
  }
}

function step(command: u32): void {
  switch (command) {
    case 0x3d: // =
      begin();
      break;
    case 0x71: // q
      prepare();
      break;
    case 0x67: // g
      log1("info: submitted %d", <u32>ringSubmit());
      break;
    case 0x77: // w
      for (let left = number(); left > 0; left--) take(1000);
      break;
    case 0x65: // e
      take(100);
      break;
    case 0x42: {
      // B
      const count = number();
      ringBuffers(BUFFERS, <u32>number(), <u32>count);
      break;
    }
    case 0x62: // b
      ringGiveBack(<u32>number());
      break;
    case 0x74: // t
      passMs(number());
      break;
    case 0x6f: // o
      log1("info: overflow %u", ringOverflowed() ? 1 : 0);
      break;
    default:
      sockets(command);
  }
}

export function main(): void {
  if (netStart() < 0) return;
  const path = text("/script.txt");
  const asset = <u32>assetFind(textAddress(path), textBytes(path));
  at = assetData(asset);
  for (end = at + assetBytes(asset); at < end; at++) {
    const command = <u32>load<u8>(at);
    at += 1;
    step(command);
    while (at < end && load<u8>(at) != 0x0a) at++;
  }
  log1("info: end%u", 0);
  for (;;) netPoll(60_000);
}
