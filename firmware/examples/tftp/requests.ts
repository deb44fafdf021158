/** Requests of the TFTP server: RRQ and WRQ, as RFC 1350 5 has them; options (RFC 2347) are left unanswered. */
import { assetBytes, assetData, assetFind } from "as-tcpip/assets";
import { log1 } from "as-tcpip/log";
import {
  IPPROTO_IP,
  IP_PKTINFO,
  IoVec,
  MSG_DONTWAIT,
  MsgHdr,
  PacketInfo,
  SockAddrIn,
  ntohl,
  recvmsg,
} from "as-tcpip/net";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";
import { setNumber } from "../common";
import { fileBegin, fileBytes, fileData, fileEnd, isFile } from "./file";
import {
  ACCESS_VIOLATION,
  ILLEGAL,
  NOT_FOUND,
  NO_ROOM,
  RRQ,
  WRQ,
  refuse,
  transferAsked,
  transferReceive,
  transferSend,
} from "./transfer";

const REQUEST_BYTES: u32 = 128;
const REQUEST: usize = memory.data(REQUEST_BYTES, 4);
const PEER: usize = memory.data(8, 4);
const MESSAGE: usize = memory.data(offsetof<MsgHdr>(), 4);
const PIECE: usize = memory.data(offsetof<IoVec>(), 4);
const SENT_TO: usize = memory.data(offsetof<PacketInfo>(), 4);
const FIRST_NAME: u32 = 2;

/** Bytes of the text at a place, up to its end; -1 when it has none. */
function textAt(at: u32, bytes: u32): i32 {
  for (let i = at; i < bytes; i++) if (load<u8>(REQUEST + <usize>i) == 0) return <i32>(i - at);
  return -1;
}

/** True for a word, in capitals or not. */
function isWord(at: usize, bytes: u32, word: Text): bool {
  if (bytes != textBytes(word)) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    if ((load<u8>(at + <usize>i) | 0x20) != load<u8>(textAddress(word) + <usize>i)) return false;
  }
  return true;
}

/** Requests come by this socket. Where they were sent to is told by it, on a board that has the option. */
export function requestsFrom(fd: i32): void {
  setNumber(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

/** Reads a request: its bytes; 0 when there is none, or it was sent to everybody (RFC 1123 4.2.3.5: not to be answered). */
function receive(fd: i32): u32 {
  const piece = changetype<IoVec>(PIECE);
  piece.base = REQUEST;
  piece.bytes = REQUEST_BYTES;
  const message = changetype<MsgHdr>(MESSAGE);
  message.name = PEER;
  message.iov = PIECE;
  message.iovCount = 1;
  message.control = SENT_TO;
  message.controlBytes = offsetof<PacketInfo>();
  const bytes = recvmsg(fd, message, MSG_DONTWAIT);
  const to = changetype<PacketInfo>(SENT_TO);
  if (bytes < 4 || (message.controlBytes != 0 && to.address != to.local)) return 0;
  return <u32>bytes;
}

/** Takes one request. */
export function request(fd: i32): void {
  const bytes = receive(fd);
  const peer = changetype<SockAddrIn>(PEER);
  // To port 0 there is no answer.
  if (bytes == 0 || peer.sinPort == 0) return;
  const opcode = <u32>bswap<u16>(load<u16>(REQUEST));
  // An answer to anything else could begin an endless talk.
  if (opcode != RRQ && opcode != WRQ) return;
  // The request came twice: the first one has been answered.
  if (transferAsked(peer, opcode)) return;
  const nameBytes = textAt(FIRST_NAME, bytes);
  if (nameBytes <= 0) return refuse(fd, peer, ILLEGAL, text("no file name"));
  const mode = FIRST_NAME + <u32>nameBytes + 1;
  const modeBytes = textAt(mode, bytes);
  if (modeBytes < 0 || !isWord(REQUEST + <usize>mode, <u32>modeBytes, text("octet")))
    return refuse(fd, peer, ILLEGAL, text("only mode octet (binary)"));
  const name = REQUEST + FIRST_NAME;
  log1("info: TFTP request of %i", ntohl(peer.sinAddr));
  if (opcode == RRQ) read(fd, peer, name, <u32>nameBytes);
  else write(fd, peer, name, <u32>nameBytes);
}

function read(fd: i32, peer: SockAddrIn, name: usize, bytes: u32): void {
  let from = fileData();
  let length = fileBytes();
  if (!isFile(name, bytes)) {
    // Paths of assets begin with a slash: in the place of the opcode's last byte there is room for it.
    const slash = load<u8>(name) == 0x2f;
    if (!slash) store<u8>(name - 1, 0x2f);
    const asset = slash ? assetFind(name, bytes) : assetFind(name - 1, bytes + 1);
    if (asset < 0) return refuse(fd, peer, NOT_FOUND, text("no such file"));
    from = assetData(<u32>asset);
    length = assetBytes(<u32>asset);
  }
  if (!transferSend(peer, from, length)) refuse(fd, peer, NO_ROOM, text("too many transfers"));
}

function write(fd: i32, peer: SockAddrIn, name: usize, bytes: u32): void {
  if (!fileBegin(name, bytes))
    return refuse(fd, peer, ACCESS_VIOLATION, text("name too long, or the file is in use"));
  if (transferReceive(peer)) return;
  fileEnd(false);
  refuse(fd, peer, NO_ROOM, text("too many transfers"));
}
