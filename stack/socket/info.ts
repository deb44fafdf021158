import { EBADF, EOPNOTSUPP } from "../errors";
import { now } from "../now";
import { Tcb, TcbFlag, TcpState, tcbAt } from "../tcp/connection";
import { sackedBytes } from "../tcp/sack";
import { RECEIVE_MSS } from "../tcp/places";
import { TCP_SACK } from "../config";
import { textRoom } from "../tcp/text";
import { NO_SOCKET, SocketKind, socketAt, socketIndex } from "./table";

/** What tcp_info calls the states (linux/tcp_states.h). */
const CLOSE: u32 = 7;
const LISTEN: u32 = 10;

/** Congestion control: all is well, duplicates have come, a loss is being mended, a timeout has come (linux/tcp.h). */
const CA_OPEN: u32 = 0;
const CA_DISORDER: u32 = 1;
const CA_RECOVERY: u32 = 3;
const CA_LOSS: u32 = 4;

const OPTION_TIMESTAMPS: u32 = 1;
const OPTION_SACK: u32 = 2;
const OPTION_WSCALE: u32 = 4;

/** struct tcp_info of Linux as far as a stack of this size has something to say. Times in microseconds, windows in segments. */
@unmanaged
export class TcpInfo {
  state: u8;
  caState: u8;
  /** Retransmissions of the first unacknowledged segment in a row; three or more tell of a delivery problem (RFC 9293 R1). */
  retransmits: u8;
  /** Window probes without an answer. */
  probes: u8;
  backoff: u8;
  options: u8;
  /** Shift of the peer's windows; ours is 0. */
  wscale: u8;
  reserved: u8;
  rto: u32;
  ato: u32;
  sndMss: u32;
  rcvMss: u32;
  /** Segments in flight, and those of them that the peer has beyond a hole. */
  unacked: u32;
  sacked: u32;
  lost: u32;
  retrans: u32;
  fackets: u32;
  /** Milliseconds since text was sent; the others of this group are not kept. */
  lastDataSent: u32;
  lastAckSent: u32;
  lastDataRecv: u32;
  lastAckRecv: u32;
  pmtu: u32;
  rcvSsthresh: u32;
  rtt: u32;
  rttvar: u32;
  sndSsthresh: u32;
  sndCwnd: u32;
  advmss: u32;
  reordering: u32;
  rcvRtt: u32;
  /** Bytes of text that the receive ring has room for. */
  rcvSpace: u32;
  totalRetrans: u32;
}

function stateName(state: u32): u32 {
  if (state == TcpState.ESTABLISHED) return 1;
  if (state == TcpState.SYN_SENT) return 2;
  if (state == TcpState.SYN_RECEIVED) return 3;
  if (state == TcpState.FIN_WAIT_1) return 4;
  if (state == TcpState.FIN_WAIT_2) return 5;
  if (state == TcpState.CLOSE_WAIT) return 8;
  if (state == TcpState.LAST_ACK) return 9;
  return state == TcpState.CLOSING ? 11 : CLOSE;
}

/** TCP_INFO of a stream socket. 0, -EBADF, -EOPNOTSUPP for other kinds. */
export function sockTcpInfo(fd: i32, info: TcpInfo): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const socket = socketAt(index);
  if (<u32>socket.kind >= <u32>SocketKind.DATAGRAM) return -EOPNOTSUPP;
  memory.fill(changetype<usize>(info), 0, offsetof<TcpInfo>());
  info.advmss = RECEIVE_MSS;
  if (socket.kind == SocketKind.CONNECTION) fill(tcbAt(<u32>socket.index), info);
  else info.state = <u8>(socket.kind == SocketKind.LISTENER ? LISTEN : CLOSE);
  return 0;
}

function fill(tcb: Tcb, info: TcpInfo): void {
  const flags = tcb.flags;
  const mss = max<u32>(<u32>tcb.sndMss, 1);
  info.state = <u8>stateName(<u32>tcb.state);
  const probing = (flags & TcbFlag.PERSIST) != 0;
  if (probing) info.probes = tcb.retries;
  else info.retransmits = tcb.retries;
  info.caState = <u8>congestionState(tcb);
  info.backoff = <u8>(probing ? tcb.backoff : <u32>tcb.retries);
  let options: u32 = tcb.sndShift != 0 ? OPTION_WSCALE : 0;
  if ((flags & TcbFlag.TIMESTAMPS) != 0) options |= OPTION_TIMESTAMPS;
  if ((flags & TcbFlag.SACK_PERMITTED) != 0) options |= OPTION_SACK;
  info.options = <u8>options;
  info.wscale = <u8>tcb.sndShift;
  info.rto = <u32>tcb.rto * 1000;
  info.sndMss = <u32>tcb.sndMss;
  info.rcvMss = (<u32>tcb.rcvMss) << 3;
  info.unacked = (tcb.sndMax - tcb.sndUna + mss - 1) / mss;
  if (TCP_SACK) info.sacked = (sackedBytes(tcb) + mss - 1) / mss;
  info.lastDataSent = now() - tcb.lastSent;
  // Options in each segment come out of its size (RFC 6691).
  info.pmtu = <u32>tcb.sndMss + ((flags & TcbFlag.TIMESTAMPS) != 0 ? 52 : 40);
  info.rtt = (tcb.srtt >>> 3) * 1000;
  info.rttvar = (tcb.rttvar >>> 2) * 1000;
  info.sndSsthresh = tcb.ssthresh / mss;
  info.sndCwnd = tcb.cwnd / mss;
  info.rcvSpace = textRoom(tcb);
}

function congestionState(tcb: Tcb): u32 {
  if ((tcb.flags & TcbFlag.RECOVERY) != 0) return CA_RECOVERY;
  if (tcb.retries != 0) return CA_LOSS;
  return tcb.dupAcks != 0 || tcb.sacked != 0 ? CA_DISORDER : CA_OPEN;
}
