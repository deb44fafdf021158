/** recvmsg and its like: pieces, lengths, what was cut. */
import {
  AF_INET,
  AF_UNIX,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
  MsgHdr,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  bind,
  close,
  readv,
  recv,
  recvmsg,
  select,
  FD_SETSIZE,
  send,
  sendmsg,
  sendto,
  setsockopt,
  socket,
  socketpair,
  writev,
} from "as-tcpip/net";
import {
  BUFFER,
  PIECES,
  RECORD,
  client,
  loopback,
  pair,
  pieceAt,
  pieces,
  same,
  server,
  unpair,
} from "./bench";

const EAGAIN: i32 = -11;
const EINVAL: i32 = -22;
const EMSGSIZE: i32 = -90;

function message(): MsgHdr {
  const it = changetype<MsgHdr>(RECORD);
  memory.fill(RECORD, 0, 24);
  it.iov = PIECES;
  it.iovCount = 2;
  return it;
}

/** The loopback device needs a turn. */
function turn(): void {
  select(FD_SETSIZE, 0, 0, 0, 5);
}

/** The bytes from `first` on, counting. */
function counted(at: usize, bytes: u32, first: u32): i32 {
  for (let i: u32 = 0; i < bytes; i++) {
    if (<u32>load<u8>(at + <usize>i) != ((first + i) & 0xff)) return <i32>i;
  }
  return -1;
}

function fill(bytes: u32): void {
  for (let i: u32 = 0; i < bytes; i++) store<u8>(BUFFER + <usize>i, <u8>i);
}

export function messages(): void {
  streams();
  timeouts();
  datagrams();
  locals();
}

function streams(): void {
  pair();
  fill(30);
  same(1000, send(client, BUFFER, 30, 0), 30);
  turn();
  // Two pieces never show the same text twice.
  pieceAt(0).base = BUFFER + 1000;
  pieceAt(0).bytes = 10;
  pieceAt(1).base = BUFFER + 1010;
  pieceAt(1).bytes = 10;
  memory.fill(BUFFER + 1000, 0xff, 20);
  const seen = recvmsg(server, message(), MSG_PEEK);
  same(1001, counted(BUFFER + 1000, <u32>seen, 0), -1);
  same(1002, recvmsg(server, message(), 0), 20);
  same(1003, counted(BUFFER + 1000, 20, 0), -1);
  same(1004, recv(server, BUFFER, 0xffffffff, MSG_DONTWAIT), 10);
  same(1005, recv(server, BUFFER, 0, MSG_DONTWAIT), EAGAIN);
  same(1006, readv(server, PIECES, 17), EINVAL);
  same(1007, writev(server, PIECES, 0xffffffff), EINVAL);
  same(1008, writev(server, PIECES, 0), 0);
  unpair();
}

/** SO_RCVTIMEO: what has come until then is given, by every way of receiving. */
function timeouts(): void {
  pair();
  store<i32>(RECORD, 0);
  store<i32>(RECORD, 100000, 4);
  same(1020, setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, RECORD, 8), 0);
  same(1021, recv(server, BUFFER, 10, 0), EAGAIN);
  send(client, BUFFER, 6, 0);
  same(1022, recv(server, BUFFER, 10, MSG_WAITALL), 6);
  send(client, BUFFER, 6, 0);
  pieces(4, 4);
  same(1023, recvmsg(server, message(), MSG_WAITALL), 6);
  send(client, BUFFER, 8, 0);
  turn();
  same(1024, recvmsg(server, message(), MSG_WAITALL), 8);
  same(1025, recv(server, BUFFER, 10, MSG_WAITALL), EAGAIN);
  unpair();
}

function datagrams(): void {
  const u = socket(AF_INET, SOCK_DGRAM, 0);
  bind(u, loopback(90));
  const from = socket(AF_INET, SOCK_DGRAM, 0);
  fill(1472);
  sendto(from, BUFFER, 1472, 0, loopback(90));
  pieces(8, 8);
  const cut = message();
  // MSG_TRUNC gives the whole length, and fills no more than there is room for.
  memory.fill(BUFFER, 0xee, 64);
  same(1040, recvmsg(u, cut, MSG_TRUNC | MSG_PEEK), 1472);
  same(1041, cut.flags, MSG_TRUNC);
  same(1042, <i32>load<u8>(BUFFER, 16), 0xee);
  same(1043, counted(BUFFER, 16, 0), -1);
  same(1044, recvmsg(u, cut, 0), 16);
  same(1045, cut.flags, MSG_TRUNC);
  same(1046, recv(u, BUFFER, 8, MSG_DONTWAIT), EAGAIN);
  // No piece at all: the datagram is lost, and that is told.
  sendto(from, BUFFER, 5, 0, loopback(90));
  cut.iovCount = 0;
  same(1047, recvmsg(u, cut, 0), 0);
  same(1048, cut.flags, MSG_TRUNC);
  pieces(1000, 1000);
  cut.iovCount = 2;
  same(1049, sendmsg(from, cut, 0), EMSGSIZE);
  same(1050, sendto(from, BUFFER, 0xffffffff, 0, loopback(90)), EMSGSIZE);
  close(u);
  close(from);
  // A raw packet is longer than any datagram: one piece takes it whole.
  const raw = socket(AF_INET, SOCK_RAW, 253);
  sendto(raw, BUFFER, 1480, 0, loopback(0));
  turn();
  pieceAt(0).base = BUFFER;
  pieceAt(0).bytes = 2000;
  const whole = message();
  whole.iovCount = 1;
  same(1051, recvmsg(raw, whole, 0), 1500);
  same(1052, whole.flags, 0);
  close(raw);
}

function locals(): void {
  same(1060, socketpair(AF_UNIX, SOCK_DGRAM, 0, RECORD), 0);
  const one = load<i32>(RECORD);
  const two = load<i32>(RECORD, 4);
  fill(100);
  same(1061, send(one, BUFFER, 100, 0), 100);
  pieces(10, 10);
  const cut = message();
  same(1062, recvmsg(two, cut, MSG_TRUNC), 100);
  same(1063, cut.flags, MSG_TRUNC);
  close(one);
  close(two);
  same(1064, socketpair(AF_UNIX, SOCK_STREAM | 0x10, 0, RECORD), EINVAL);
}
