/** The completion queue: bad descriptors and addresses, links that are broken, what a cancelled operation has done. */
import {
  AF_INET,
  AF_UNIX,
  MSG_DONTWAIT,
  RING_ACCEPT,
  RING_BUFFER_SELECT,
  RING_CANCEL,
  RING_CLOSE,
  RING_CONNECT,
  RING_F_MORE,
  RING_F_NOTIF,
  RING_LINK,
  RING_MULTISHOT,
  RING_NOP,
  RING_POLL,
  RING_RECV,
  RING_SEND,
  RING_TIMEOUT,
  RING_ZEROCOPY,
  RingSqe,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_LINGER,
  close,
  epollClose,
  epollCreate,
  recv,
  ringBuffers,
  ringGiveBack,
  ringPeek,
  ringPrepare,
  ringSeen,
  ringSubmit,
  ringWait,
  send,
  setsockopt,
  socket,
} from "as-tcpip/net";
import { clockMs } from "as-tcpip/time";
import {
  ADDRESS,
  BUFFER,
  RECORD,
  addressed,
  client,
  loopback,
  pair,
  same,
  server,
  unpair,
} from "./bench";

const EBADF: i32 = -9;
const EINVAL: i32 = -22;
const EAFNOSUPPORT: i32 = -97;
const ENOBUFS: i32 = -105;
const ETIME: i32 = -62;
const ECANCELED: i32 = -125;
const ENOENT: i32 = -2;

function sqe(opcode: u32, fd: i32, address: usize, bytes: u32, userData: u32): RingSqe {
  const it = ringPrepare()!;
  it.opcode = <u8>opcode;
  it.fd = fd;
  it.address = address;
  it.bytes = bytes;
  it.userData = userData;
  return it;
}

/** User data of each RING_CANCEL that finds what it cancels: it may be told before that or after it. */
const CANCELLING: u32 = 50;

/** The next completion must be of this submission, with this result and these flags. */
function ends(step: u32, userData: u32, result: i32, flags: u32 = 0): void {
  ringWait(1, 2000);
  let cqe = ringPeek();
  if (cqe != null && cqe.userData == CANCELLING) {
    same(step + 3, cqe.result, 0);
    ringSeen();
    ringWait(1, 2000);
    cqe = ringPeek();
  }
  same(step, cqe == null ? 0 : <i32>cqe.userData, <i32>userData);
  if (cqe == null) return;
  same(step + 1, cqe.result, result);
  same(step + 2, <i32>(cqe.flags & 0xffff), <i32>flags);
  ringSeen();
}

/** Nothing is to be told. */
function quiet(step: u32): void {
  same(step, <i32>ringWait(1, 50), 0);
}

export function operations(): void {
  const ep = epollCreate();
  bad(2000, -1);
  bad(2100, i32.MAX_VALUE);
  bad(2200, ep);
  epollClose(ep);
  families();
  links();
  followers();
  full();
  cancels();
  buffers();
  zeroCopies();
}

function bad(step: u32, fd: i32): void {
  for (let opcode: u32 = RING_ACCEPT; opcode <= RING_CLOSE; opcode++) {
    if (opcode == RING_TIMEOUT) continue;
    for (let multishot: u32 = 0; multishot < 2; multishot++) {
      loopback(9);
      const it = sqe(opcode, fd, opcode == RING_CONNECT ? ADDRESS : BUFFER, 4, opcode);
      if (multishot != 0) it.flags = <u8>(RING_MULTISHOT | RING_BUFFER_SELECT);
      ringSubmit();
      ends(step + opcode * 6 + multishot * 3, opcode, EBADF);
    }
  }
  sqe(99, fd, 0, 0, 9).flags = 0xff & ~(<u8>RING_LINK);
  ringSubmit();
  ends(step + 60, 9, EINVAL);
}

function families(): void {
  const u = socket(AF_INET, SOCK_DGRAM, 0);
  addressed(AF_UNIX, 9);
  sqe(RING_CONNECT, u, ADDRESS, 0, 1);
  ringSubmit();
  ends(2300, 1, EAFNOSUPPORT);
  close(u);
  const local = socket(AF_UNIX, SOCK_DGRAM, 0);
  loopback(9);
  sqe(RING_CONNECT, local, ADDRESS, 0, 2);
  ringSubmit();
  ends(2310, 2, EINVAL);
  close(local);
}

/** A chain is broken by what fails or is cancelled, and by nothing else. */
function links(): void {
  sqe(RING_TIMEOUT, -1, 0, 10, 1).flags = <u8>RING_LINK;
  sqe(RING_NOP, -1, 0, 0, 2);
  ringSubmit();
  ends(2400, 1, ETIME);
  ends(2410, 2, 0);
  // A timeout that was cancelled is none that has passed.
  sqe(RING_TIMEOUT, -1, 0, 1000, 1).flags = <u8>RING_LINK;
  sqe(RING_NOP, -1, 0, 0, 2);
  ringSubmit();
  sqe(RING_CANCEL, -1, 0, 1, CANCELLING);
  ringSubmit();
  ends(2420, 1, ECANCELED);
  ends(2430, 2, ECANCELED);
  // One in the middle is cancelled: those behind it, too; its place may serve another at once, which then is nobody's follower.
  sqe(RING_TIMEOUT, -1, 0, 200, 1).flags = <u8>RING_LINK;
  sqe(RING_NOP, -1, 0, 0, 2).flags = <u8>RING_LINK;
  sqe(RING_NOP, -1, 0, 0, 3);
  ringSubmit();
  sqe(RING_CANCEL, -1, 0, 2, CANCELLING);
  ringSubmit();
  ends(2450, 2, ECANCELED);
  ends(2460, 3, ECANCELED);
  sqe(RING_TIMEOUT, -1, 0, 500, 5);
  sqe(RING_TIMEOUT, -1, 0, 600, 6);
  ends(2480, 1, ETIME);
  // Prepared, not submitted: nothing of them has begun.
  same(2490, <i32>ringWait(1, 1000), 0);
  ringSubmit();
  ends(2500, 5, ETIME);
  ends(2510, 6, ETIME);
  // What fails in the middle.
  sqe(RING_NOP, -1, 0, 0, 1).flags = <u8>RING_LINK;
  sqe(RING_POLL, -1, 0, 1, 2).flags = <u8>RING_LINK;
  sqe(RING_NOP, -1, 0, 0, 3);
  ringSubmit();
  ends(2520, 1, 0);
  ends(2530, 2, EBADF);
  ends(2540, 3, ECANCELED);
}

/** Who follows begins at once: also when it stands before the one that it is linked to, and behind a send without a copy. */
function followers(): void {
  pair();
  sqe(RING_TIMEOUT, -1, 0, 10, 1);
  ringSubmit();
  sqe(RING_RECV, server, BUFFER, 64, 2).flags = <u8>RING_LINK;
  ends(2550, 1, ETIME);
  sqe(RING_NOP, -1, 0, 0, 3);
  ringSubmit();
  send(client, BUFFER, 5, 0);
  const began = clockMs();
  same(2560, <i32>ringWait(2, 5000), 2);
  same(2561, clockMs() - began < 20 ? 1 : 0, 1);
  ends(2562, 2, 5);
  ends(2566, 3, 0);
  sqe(RING_SEND, client, BUFFER, 16000, 4).flags = <u8>(RING_LINK | RING_ZEROCOPY);
  sqe(RING_NOP, -1, 0, 0, 5);
  ringSubmit();
  ends(2570, 4, 16000, RING_F_MORE);
  ends(2575, 5, 0);
  quiet(2580);
  let got: i32 = 0;
  for (let turns = 0; turns < 100 && got < 16000; turns++)
    got += max<i32>(recv(server, BUFFER, 4096, 0), 0);
  ends(2585, 4, 0, RING_F_NOTIF);
  unpair();
}

/** Who waits for more completions than there is room for gets as many as there is. */
function full(): void {
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 8; i++) sqe(RING_NOP, -1, 0, 0, 6);
    ringSubmit();
  }
  same(2590, <i32>ringWait(u32.MAX_VALUE, 1000), 16);
  sqe(RING_TIMEOUT, -1, 0, 10, 7);
  ringSubmit();
  const began = clockMs();
  same(2591, <i32>ringWait(17, 5000), 16);
  same(2592, clockMs() - began < 100 ? 1 : 0, 1);
  for (let i = 0; i < 16; i++) ringSeen();
  ends(2593, 7, ETIME);
}

/** Each kind of operation while it waits. */
function cancels(): void {
  pair();
  for (let opcode: u32 = RING_RECV; opcode <= RING_TIMEOUT; opcode++) {
    if (opcode == RING_SEND) continue;
    sqe(opcode, server, BUFFER, opcode == RING_TIMEOUT ? 60000 : 1, 100 + opcode);
    ringSubmit();
    sqe(RING_CANCEL, -1, 0, 100 + opcode, CANCELLING);
    ringSubmit();
    ends(2600 + opcode * 10, 100 + opcode, ECANCELED);
  }
  sqe(RING_NOP, -1, 0, 0, 52);
  ringSubmit();
  ends(2675, 52, 0);
  sqe(RING_CANCEL, -1, 0, 4711, 51);
  ringSubmit();
  ends(2680, 51, ENOENT);
  // A send that has no room for all: what was sent is told, and the buffer of a zero-copy one is in use until it is acknowledged.
  sqe(RING_SEND, client, BUFFER, 1 << 20, 60).flags = 0;
  ringSubmit();
  ringWait(1, 300);
  sqe(RING_CANCEL, -1, 0, 60, CANCELLING);
  ringSubmit();
  let sent: i32 = 0;
  for (let i = 0; i < 2; i++) {
    ringWait(1, 100);
    const cqe = ringPeek();
    if (cqe != null && cqe.userData == 60) sent = cqe.result;
    ringSeen();
  }
  same(2690, sent > 0 ? 1 : 0, 1);
  let got: i32 = 0;
  for (let turns = 0; turns < 100 && got < sent; turns++) {
    const bytes = recv(server, BUFFER, 4096, 0);
    if (bytes <= 0) break;
    got += bytes;
  }
  same(2691, got, sent);
  same(2692, recv(server, BUFFER, 16, MSG_DONTWAIT), -11);
  unpair();
}

/** Provided buffers that run out: told, and ended; given back, it goes on anew. */
function buffers(): void {
  pair();
  ringBuffers(BUFFER + 1000, 8, 2);
  sqe(RING_RECV, server, 0, 0, 1).flags = <u8>(RING_MULTISHOT | RING_BUFFER_SELECT);
  ringSubmit();
  send(client, BUFFER, 24, 0);
  ends(2700, 1, 8, RING_F_MORE | 1);
  ends(2710, 1, 8, RING_F_MORE | 1);
  ends(2720, 1, ENOBUFS);
  quiet(2730);
  ringGiveBack(99);
  ringGiveBack(0);
  sqe(RING_RECV, server, 0, 0, 2).flags = <u8>RING_BUFFER_SELECT;
  ringSubmit();
  ends(2740, 2, 8, 1);
  // Again and again into one buffer would lose text.
  sqe(RING_RECV, server, BUFFER, 8, 3).flags = <u8>RING_MULTISHOT;
  ringSubmit();
  ends(2750, 3, EINVAL);
  unpair();
}

/** The buffer of a zero-copy send is free when the peer has it, or nobody will send it any more: not before. */
function zeroCopies(): void {
  pair();
  sqe(RING_SEND, client, BUFFER, 100, 1).flags = <u8>RING_ZEROCOPY;
  ringSubmit();
  ends(2800, 1, 100, RING_F_MORE);
  ends(2810, 1, 0, RING_F_NOTIF);
  // More than the peer takes, and then its RST.
  sqe(RING_SEND, client, BUFFER, 16000, 2).flags = <u8>RING_ZEROCOPY;
  ringSubmit();
  ends(2820, 2, 16000, RING_F_MORE);
  quiet(2830);
  store<i32>(RECORD, 1);
  store<i32>(RECORD, 0, 4);
  setsockopt(server, SOL_SOCKET, SO_LINGER, RECORD, 8);
  close(server);
  ends(2840, 2, 0, RING_F_NOTIF);
  close(client);
  // The socket is closed and its text is still being sent from the buffer.
  pair();
  sqe(RING_SEND, client, BUFFER, 16000, 3).flags = <u8>RING_ZEROCOPY;
  ringSubmit();
  ends(2850, 3, 16000, RING_F_MORE);
  close(client);
  quiet(2860);
  let got: i32 = 0;
  for (let bytes = 1; bytes > 0; got += max<i32>(bytes, 0)) bytes = recv(server, BUFFER, 4096, 0);
  same(2870, got, 16000);
  ends(2880, 3, 0, RING_F_NOTIF);
  close(server);
}
