/** Calls by chance, seeded: any call on any descriptor with any argument. None may trap, hang, or write past what it was given. */
import {
  AF_INET,
  AF_UNIX,
  EpollEvent,
  FD_SETSIZE,
  F_SETFL,
  MSG_DONTWAIT,
  MsgHdr,
  O_NONBLOCK,
  RingSqe,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
  SockAddrIn,
  TcpInfo,
  accept4,
  bind,
  close,
  connect,
  dup,
  epollClose,
  epollCreate,
  epollCtl,
  epollWait,
  fcntl,
  fdIsSet,
  fdSet,
  fdZero,
  getpeername,
  getsockname,
  getsockopt,
  ioctl,
  listen,
  poll,
  PollFd,
  recvBorrow,
  recvRelease,
  recvfrom,
  recvmsg,
  ringBuffers,
  ringGiveBack,
  ringPeek,
  ringPrepare,
  ringSeen,
  ringSubmit,
  ringWait,
  select,
  sendBorrow,
  sendCommit,
  sendmsg,
  sendto,
  setsockopt,
  shutdown,
  sockatmark,
  socket,
  socketpair,
  tcpInfo,
} from "as-tcpip/net";
import { ADDRESS, BUFFER, BYTES, GUARDED, PIECES, RECORD, pieceAt, same } from "./bench";

const NAMES: usize = memory.data(64, 4);
const SET: usize = memory.data(64, 4);
const SPANS: usize = memory.data(16, 4);
const FDS: usize = memory.data(16 * 4, 4);
const GUARD: u32 = 0xa5a5a5a5;

let state: u32 = 1;

/** Below `limit` (xorshift32). */
function below(limit: u32): u32 {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state % limit;
}

function held(index: u32): i32 {
  return load<i32>(FDS + <usize>(index << 2));
}

/** Keeps a descriptor that was given, in place of another one that may still be open. */
function keep(fd: i32): void {
  if (fd < 0) return;
  const at = below(16);
  if (held(at) >= 0) close(held(at));
  store<i32>(FDS + <usize>(at << 2), fd);
  fcntl(fd, F_SETFL, O_NONBLOCK);
}

/** Mostly one that was given, open or not any more. */
function anyFd(): i32 {
  if (below(16) == 0) return <i32>(below(0xffffffff) + below(2));
  return held(below(16)) + (below(32) == 0 ? 1 : 0);
}

function anyNumber(): i32 {
  switch (below(8)) {
    case 0:
      return 0;
    case 1:
      return -1;
    case 2:
      return i32.MIN_VALUE;
    case 3:
      return i32.MAX_VALUE;
    case 4:
      return <i32>below(0xffffffff);
    default:
      return <i32>below(40);
  }
}

/** A length that may be sent: what lies behind the buffer is nobody's. */
function length(): u32 {
  return below(4) == 0 ? below(3) : below(BYTES);
}

function anyAddress(): SockAddrIn {
  const record = changetype<SockAddrIn>(ADDRESS);
  const family = below(8);
  record.sinFamily = <u16>(family == 0 ? below(0x10000) : family < 3 ? AF_UNIX : AF_INET);
  if (record.sinFamily == <u16>AF_UNIX) {
    record.sinPort = <u16>below(below(4) == 0 ? 0x10000 : 4);
    // A name's place is the caller's to keep right; a length beyond those of unix(7) is not looked at.
    record.sinAddr = <u32>(NAMES + <usize>below(4));
    if (record.sinPort > 60 && record.sinPort <= 107) record.sinPort = 108;
    return record;
  }
  record.sinPort = <u16>(below(8) == 0 ? below(0x10000) : (below(6) + 1) << 8);
  record.sinAddr = below(6) == 0 ? <u32>anyNumber() : 0x0100007f;
  return record;
}

function anyMessage(): MsgHdr {
  const message = changetype<MsgHdr>(RECORD);
  message.name = below(2) == 0 ? 0 : changetype<usize>(anyAddress());
  message.iov = PIECES;
  message.iovCount = below(8) == 0 ? <u32>anyNumber() : below(4);
  message.control = BUFFER;
  message.controlBytes = below(64);
  for (let i: u32 = 0; i < 4; i++) {
    const bytes = length() >> 2;
    pieceAt(i).base = BUFFER + <usize>below(BYTES - bytes);
    pieceAt(i).bytes = bytes;
  }
  return message;
}

function opening(): void {
  const domain = below(8) == 0 ? anyNumber() : below(3) == 0 ? AF_UNIX : AF_INET;
  const type =
    below(8) == 0
      ? anyNumber()
      : below(2) == 0
        ? SOCK_STREAM
        : SOCK_DGRAM + (below(4) == 0 ? 1 : 0);
  const protocol = type == SOCK_RAW ? 253 : below(8) == 0 ? anyNumber() : 0;
  if (below(4) == 0 && socketpair(domain, type | SOCK_NONBLOCK, protocol, RECORD) == 0) {
    keep(load<i32>(RECORD));
    keep(load<i32>(RECORD, 4));
  } else keep(socket(domain, type | SOCK_NONBLOCK, protocol));
}

function naming(fd: i32): void {
  switch (below(7)) {
    case 0:
      bind(fd, anyAddress());
      break;
    case 1:
      listen(fd, anyNumber());
      break;
    case 2:
      keep(accept4(fd, anyAddress(), SOCK_NONBLOCK));
      break;
    case 3:
      connect(fd, anyAddress());
      break;
    case 4:
      getsockname(fd, anyAddress());
      break;
    case 5:
      getpeername(fd, anyAddress());
      break;
    default:
      keep(dup(fd));
  }
}

function moving(fd: i32): void {
  const flags = MSG_DONTWAIT | (below(2) == 0 ? 0 : <i32>below(0x10000));
  switch (below(7)) {
    case 0:
      sendto(fd, BUFFER, length(), flags, below(2) == 0 ? null : anyAddress());
      break;
    case 1:
      recvfrom(fd, BUFFER, below(4) == 0 ? <u32>anyNumber() : length(), flags, anyAddress());
      break;
    case 2:
      sendmsg(fd, anyMessage(), flags);
      break;
    case 3:
      recvmsg(fd, anyMessage(), flags);
      break;
    case 4:
      if (recvBorrow(fd, SPANS, flags, null) >= 0) recvRelease(fd, <u32>anyNumber());
      break;
    case 5: {
      const room = sendBorrow(fd, SPANS, flags);
      if (room > 0) sendCommit(fd, below(2) == 0 ? <u32>anyNumber() : below(<u32>room + 1), flags);
      break;
    }
    default:
      ioctl(fd, below(2) == 0 ? 0x541b : <u32>anyNumber(), RECORD);
  }
}

function managing(fd: i32): void {
  store<i32>(RECORD, anyNumber());
  store<i32>(RECORD, anyNumber(), 4);
  const level = below(4) == 0 ? anyNumber() : <i32>(below(2) * 6);
  switch (below(8)) {
    case 0:
    case 1: {
      const socketLevel = below(2) == 0;
      const option = anyNumber();
      // Not the timeouts: a wait that was asked for is no hang. All sockets are non-blocking, but close() may linger.
      setsockopt(fd, socketLevel ? 1 : level, option, RECORD, below(12));
      break;
    }
    case 2:
      getsockopt(fd, below(2) == 0 ? 1 : level, anyNumber(), RECORD);
      break;
    case 3:
      shutdown(fd, below(2) == 0 ? <i32>below(3) : anyNumber());
      break;
    case 4:
      sockatmark(fd);
      tcpInfo(fd, changetype<TcpInfo>(BUFFER));
      break;
    default:
      close(fd);
  }
}

function waiting(fd: i32): void {
  const event = changetype<EpollEvent>(RECORD);
  event.events = <u32>anyNumber();
  switch (below(6)) {
    case 0:
      keep(epollCreate());
      break;
    case 1:
      epollCtl(
        anyFd(),
        below(4) == 0 ? anyNumber() : <i32>below(3) + 1,
        fd,
        below(8) == 0 ? null : event,
      );
      break;
    case 2:
      epollWait(fd, BUFFER, <i32>below(20) - 2, <i32>below(3));
      break;
    case 3:
      epollClose(fd);
      break;
    case 4: {
      const entry = changetype<PollFd>(RECORD);
      entry.fd = fd;
      entry.events = <u16>anyNumber();
      poll(RECORD, 1, <i32>below(3));
      break;
    }
    default:
      fdZero(SET);
      fdSet(fd, SET);
      select(
        below(2) == 0 ? FD_SETSIZE : anyNumber(),
        below(2) == 0 ? SET : 0,
        SET,
        0,
        <i32>below(3),
      );
      fdIsSet(fd, SET);
  }
}

function queueing(fd: i32): void {
  const it: RingSqe | null = ringPrepare();
  if (it != null) {
    it.opcode = <u8>(below(16) == 0 ? below(256) : below(9));
    it.flags = <u8>below(16);
    it.fd = fd;
    it.address = it.opcode == 2 ? changetype<usize>(anyAddress()) : BUFFER;
    it.bytes = below(2) == 0 ? below(20) : length();
    it.userData = below(8);
  }
  if (below(3) == 0) ringBuffers(BUFFER, below(512), below(40));
  ringGiveBack(<u32>anyNumber());
  if (below(2) == 0) ringSubmit();
  ringWait(below(3), 1);
  for (let i: u32 = 0; i < below(6); i++) {
    if (ringPeek() != null) ringSeen();
  }
}

/** Makes so many calls; how many were made. */
export function storm(calls: u32, seed: u32): u32 {
  state = seed;
  store<u32>(GUARDED, GUARD, 4);
  store<u32>(GUARDED + 8 + <usize>BYTES, GUARD);
  memory.fill(FDS, 0xff, 64);
  memory.fill(NAMES, 97, 64);
  for (let call: u32 = 0; call < calls; call++) {
    const fd = anyFd();
    switch (below(8)) {
      case 0:
        opening();
        break;
      case 1:
      case 2:
        naming(fd);
        break;
      case 3:
      case 4:
        moving(fd);
        break;
      case 5:
        managing(fd);
        break;
      case 6:
        waiting(fd);
        break;
      default:
        queueing(fd);
    }
  }
  same(3000, load<u32>(GUARDED, 4) == GUARD ? 1 : 0, 1);
  same(3001, load<u32>(GUARDED + 8 + <usize>BYTES) == GUARD ? 1 : 0, 1);
  return calls;
}
