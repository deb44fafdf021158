import { based, rev16, sumHeader, sumSegment } from "cpu";
import {
  ARP_PENDING_BYTES,
  SOCKET_MORE_OPTIONS,
  TCP,
  TCP_ECN,
  TCP_FAST_PATH,
  TCP_RX_BYTES,
  TCP_SACK,
  TCP_TIMESTAMPS,
  TCP_TX_BYTES,
  TCP_WINDOW_SCALE,
  TCP_URGENT,
} from "../config";
import { ipEnd, ipHeader, ipHeadersWrite, ipRoute } from "../ip/ipv4-output";
import { IP_HEADER_BYTES } from "../ip/packet";
import { TX_TRANSPORT } from "../link/headers";
import { now } from "../now";
import { Counter, count } from "../statistics";
import { Be } from "../wire/bytes";
import { halves, sumField, sumFold } from "../wire/checksum";
import { Connection, SynRecord, Tcb, TcbFlag, TcpState } from "./connection";
import { listenerMaxSegment } from "./listener";
import { RECEIVE_MSS } from "./places";
import { sackWrite } from "./sack-report";
import { Segment, TCP_HEADER_BYTES, TIMESTAMP_BYTES, TIMESTAMP_HEAD, TcpBit } from "./segment";
import { sendQueueSum, sendQueueWrite } from "./send-queue";
import { seqMin } from "./sequence";
import { timestampOffset, timestampsUsed } from "./timestamps";

/** Writes segments to the IP layer: those of a TCB (output.ts decides which) and those that have no TCB behind them. */

/** IP protocol number. */
export const PROTOCOL_TCP: u32 = 6;
/** MSS that we use at most: a send ring holds two segments, or the peer's delayed ACK would hold up each (RFC 5681 4.2). */
export const SEND_MSS_MAX: u32 = TCP_TX_BYTES < 2 * RECEIVE_MSS ? TCP_TX_BYTES >>> 1 : RECEIVE_MSS;
const DEFAULT_TTL: u32 = 64;
/** Both addresses end the IP header, right before the TCP header. */
export const ADDRESSES_BYTES: usize = 8;

/** Header and options: the longest are those of a SACK with four blocks. */
const HEADER: usize = TX_TRANSPORT;

/** Options, all but the last of SYNs only: bits of `TxSegment.options`. */
export const enum SynOption {
  MSS = 1,
  /** Window scale, of shift 0: our windows are below 64 KB, the peer's may be larger (RFC 7323 2.2). */
  SCALE = 2,
  SACK_PERMITTED = 4,
  TIMESTAMPS = 8,
}

/** What our own SYN offers. */
export const SYN_OPTIONS: u32 =
  SynOption.MSS |
  (TCP_WINDOW_SCALE ? SynOption.SCALE : 0) |
  (TCP_SACK ? SynOption.SACK_PERMITTED : 0) |
  (TCP_TIMESTAMPS ? SynOption.TIMESTAMPS : 0);

/**
 * The segment to be sent, filled by the caller of `segmentSend`; addresses and numbers in host order. One static instance: what
 * a caller sets is good for one call.
 */
@unmanaged
export class TxSegment {
  window: u32;
  /** TcpBit bits. */
  bits: u32;
  /** Bytes of text. */
  bytes: u32;
  /** From here to the timestamps all that an answer with a cookie is kept of (cookie.ts). */
  localAddress: u32;
  remoteAddress: u32;
  /** Local in the high half. */
  ports: u32;
  seq: u32;
  ack: u32;
  /** SynOption bits. What a TCB has to report of text out of order is added by itself. */
  options: u32;
  /** Where the text begins in the send queue of the TCB; of a SYN-ACK without one TCP_MAXSEG, 0 = none. */
  offset: u32;
  /** With SynOption.TIMESTAMPS. From here on only options use the fields. */
  tsVal: u32;
  tsEcr: u32;
  /** ECN field of the packet. */
  ecn: u32;
  /** Urgent pointer, with TcpBit.URG. */
  urgent: u32;
}

/** Some option has fields of its own. */
const MORE: bool = TCP_TIMESTAMPS || TCP_ECN || TCP_URGENT;
const TX_BYTES: u32 = MORE ? offsetof<TxSegment>() : offsetof<TxSegment>("tsVal");
export const TX: TxSegment = changetype<TxSegment>(memory.data(TCP ? TX_BYTES : 0, 4));

/**
 * The SYN-ACK of a simultaneous open has these options, SynOption bits, and announces `maxSegment` at most, 0 = no limit. The congestion window
 * begins when the connection is open: until then its place has both.
 */
export function synAnswerSet(tcb: Tcb, options: u32, maxSegment: u32): void {
  tcb.cwnd = options | (maxSegment << 8);
}

/** Those options. */
export function synAnswerOptions(tcb: Tcb): u32 {
  return tcb.cwnd & 0xff;
}

/** Longest text of a segment, to be announced: less than fits a frame only with TCP_MAXSEG. */
function announced(tcb: Tcb | null): u32 {
  if (!SOCKET_MORE_OPTIONS) return RECEIVE_MSS;
  let limit: u32 = TX.offset;
  if (tcb != null) limit = tcb.state == TcpState.SYN_SENT ? <u32>tcb.peerMss : tcb.cwnd >>> 8;
  return limit != 0 ? min<u32>(RECEIVE_MSS, limit) : RECEIVE_MSS;
}

/** Writes the options behind the header; returns their bytes. */
function writeOptions(options: u32, tcb: Tcb | null): u32 {
  let at: u32 = 20;
  if ((options & SynOption.MSS) != 0) {
    store<u32>(HEADER, bswap<u32>((2 << 24) | (4 << 16) | announced(tcb)), 20);
    at = 24;
    if (TCP_WINDOW_SCALE && (options & SynOption.SCALE) != 0) {
      store<u32>(HEADER + at, bswap<u32>((1 << 24) | (3 << 16) | (3 << 8)));
      at += 4;
    }
    if (TCP_SACK && (options & SynOption.SACK_PERMITTED) != 0) {
      store<u32>(HEADER + at, bswap<u32>((1 << 24) | (1 << 16) | (4 << 8) | 2));
      at += 4;
    }
  }
  if (TCP_TIMESTAMPS && (options & SynOption.TIMESTAMPS) != 0) {
    store<u32>(HEADER + at, TIMESTAMP_HEAD);
    store<u32>(HEADER + at, bswap<u32>(TX.tsVal), 4);
    store<u32>(HEADER + at, bswap<u32>(TX.tsEcr), 8);
    at += TIMESTAMP_BYTES;
  }
  return at - 20;
}

/** Sends the segment of `TX`; text comes from the send queue of `tcb`. Returns 0, or what `ipRoute` refused with. */
export function segmentSend(tx: TxSegment, tcb: Tcb | null): i32 {
  const bytes = tx.bytes;
  let headerBytes: u32 = TCP_HEADER_BYTES;
  if (tx.options != 0) headerBytes += writeOptions(tx.options, tcb);
  if (TCP_SACK && tcb != null && reports(tcb)) headerBytes += sackWrite(tcb, HEADER + headerBytes);
  let tos: u32 = tcb != null ? <u32>tcb.tos : 0;
  if (TCP_ECN && tcb != null) tos |= tx.ecn;
  const life = (tcb != null ? <u32>tcb.ttl : DEFAULT_TTL) | (PROTOCOL_TCP << 8);
  const total = headerBytes + bytes;
  // Only what nobody sends again waits for ARP: a RST, or the ACK of a TIME-WAIT record.
  const mayWait = ARP_PENDING_BYTES != 0 && tcb == null && (tx.bits & TcpBit.SYN) == 0;
  const refused = ipRoute(tx.localAddress, tx.remoteAddress, IP_HEADER_BYTES + total, mayWait);
  if (refused != 0) return refused;
  writeNumbers(tx.ports, tx.seq, tx.ack);
  writeRest(headerBytes, tx.bits, tx.window);
  if (TCP_URGENT && (tx.bits & TcpBit.URG) != 0) Be.store16(HEADER + 18, tx.urgent);
  let sum = ipHeader(IP_HEADER_BYTES + total, tos, life);
  sum += sumFold(sumHeader(HEADER));
  // Options are whole words, and few.
  for (let at = TCP_HEADER_BYTES; at < headerBytes; at += 4) sum += halves(load<u32>(HEADER + at));
  finish(tcb, sum, headerBytes, tx.offset, bytes);
  return 0;
}

function writeNumbers(ports: u32, seq: u32, ack: u32): void {
  const header = based(HEADER);
  store<u32>(header, bswap<u32>(ports));
  store<u32>(header, bswap<u32>(seq), 4);
  store<u32>(header, bswap<u32>(ack), 8);
}

/** Data offset, control bits, window; checksum and urgent pointer are zero. */
function writeRest(headerBytes: u32, bits: u32, window: u32): void {
  const header = based(HEADER);
  store<u32>(header, (headerBytes << 2) | (bits << 8) | (rev16(window) << 16), 12);
  store<u32>(header, 0, 16);
}

/** The headers are made; `sum` is that of the TCP header and both addresses. Text and checksum, and it leaves. */
function finish(tcb: Tcb | null, sum: u32, headerBytes: u32, offset: u32, bytes: u32): void {
  // The rest of the pseudo-header (RFC 9293 3.1).
  sum += (PROTOCOL_TCP << 8) + rev16(headerBytes + bytes);
  const text = tcb != null && bytes != 0;
  if (tcb != null && text) sum = sendQueueSum(tcb, sum, offset, bytes);
  store<u16>(HEADER, sumField(sum), 16);
  ipHeadersWrite(headerBytes);
  if (tcb != null && text) sendQueueWrite(tcb, offset, bytes);
  ipEnd();
  count(Counter.TCP_OUT);
}

/** True when text came out of order or twice. */
function reports(tcb: Tcb): bool {
  return tcb.ranges != 0 || (tcb.flags & TcbFlag.DUPLICATE) != 0;
}

/** SYN-ACK of a half-open connection: what the SYN has not offered is not answered. */
export function synAckOutput(record: SynRecord): i32 {
  const scale: u32 = TCP_WINDOW_SCALE && record.scaled ? SynOption.SCALE : 0;
  const sack: u32 = TCP_SACK && record.sackPermitted ? SynOption.SACK_PERMITTED : 0;
  const stamps: u32 = record.stamped ? SynOption.TIMESTAMPS : 0;
  if (SOCKET_MORE_OPTIONS) TX.offset = listenerMaxSegment(<u32>record.listener - 1);
  if (TCP_TIMESTAMPS && stamps != 0) stampOf(record, record.stamp);
  const options = SynOption.MSS | scale | sack | stamps;
  const bits: u32 = TcpBit.SYN | TcpBit.ACK | (record.ecn ? <u32>TcpBit.ECE : 0);
  return recordSend(record, record.iss, record.irs + 1, bits, record.promised, options);
}

/** Sends `TX` as a SYN-ACK; window 0 in it keeps the peer's data back until a TCB is there. */
export function synAckSend(options: u32, ecn: u32): i32 {
  TX.bits = TcpBit.SYN | TcpBit.ACK | ecn;
  TX.options = options;
  TX.bytes = 0;
  return segmentSend(TX, null);
}

/**
 * Sends a segment of a record without a TCB, which is its header alone: with TCP_FAST_PATH all in one function, so that little has to be kept in
 * registers (half of what `segmentSend` takes). Returns 0, or what `ipRoute` refused with.
 */
function recordSend(
  record: Connection,
  seq: u32,
  ack: u32,
  bits: u32,
  window: u32,
  options: u32,
): i32 {
  if (!TCP_FAST_PATH) {
    fill(record, seq, ack, bits, window, options);
    TX.bytes = 0;
    return segmentSend(TX, null);
  }
  const header = based(HEADER);
  let headerBytes: u32 = TCP_HEADER_BYTES;
  if (options != 0) headerBytes += writeOptions(options, null);
  const totalBytes = IP_HEADER_BYTES + headerBytes;
  // Only what nobody sends again waits for ARP: a RST, or the ACK of a TIME-WAIT record.
  const mayWait = ARP_PENDING_BYTES != 0 && (bits & TcpBit.SYN) == 0;
  const refused = ipRoute(record.localAddress, record.remoteAddress, totalBytes, mayWait);
  if (refused != 0) return refused;
  ipHeader(totalBytes, 0, DEFAULT_TTL | (PROTOCOL_TCP << 8));
  // Local port first: the record has the remote one in the high half.
  store<u32>(header, rev16(record.ends));
  store<u32>(header, bswap<u32>(seq), 4);
  store<u32>(header, bswap<u32>(ack), 8);
  writeRest(headerBytes, bits, window);
  // Protocol and length in one: neither fills its byte.
  let sum = rev16(PROTOCOL_TCP + headerBytes);
  for (let at = TCP_HEADER_BYTES; at < headerBytes; at += 4) sum += halves(load<u32>(header + at));
  store<u16>(header, sumField(sumSegment(header, header - ADDRESSES_BYTES, sum)), 16);
  ipHeadersWrite(headerBytes);
  ipEnd();
  count(Counter.TCP_OUT);
  return 0;
}

/** The segment of `TX` is one of this connection. */
export function fill(
  record: Connection,
  seq: u32,
  ack: u32,
  bits: u32,
  window: u32,
  options: u32,
): void {
  TX.localAddress = record.localAddress;
  TX.remoteAddress = record.remoteAddress;
  TX.ports = record.ports;
  TX.seq = seq;
  TX.ack = ack;
  TX.bits = bits;
  TX.window = window;
  TX.options = options;
}

/** Our clock, for the tuple that `TX` has already, and the peer's. */
export function txStamp(echo: u32): void {
  TX.tsVal = now() + timestampOffset(TX.localAddress, TX.remoteAddress, TX.ports);
  TX.tsEcr = echo;
}

/** Our clock as a record shows it, and the peer's. */
function stampOf(record: Connection, echo: u32): void {
  TX.tsVal = now() + timestampOffset(record.localAddress, record.remoteAddress, record.ports);
  TX.tsEcr = echo;
}

/** A segment of a record without a TCB: RST, a challenge, or the ACK of a TIME-WAIT record; `stamp` 0 = without timestamps. */
export function sendOfRecord(record: Connection, seq: u32, ack: u32, bits: u32, stamp: u32): void {
  let options: u32 = 0;
  if (TCP_TIMESTAMPS && stamp != 0) {
    options = SynOption.TIMESTAMPS;
    stampOf(record, stamp);
  }
  recordSend(record, seq, ack, bits, bareWindow(bits), options);
}

/** The segment of `TX` goes to who has sent this one. */
export function answerTo(segment: Segment): void {
  TX.localAddress = segment.destination;
  TX.remoteAddress = segment.source;
  TX.ports = (segment.destinationPort << 16) | segment.sourcePort;
}

/** A segment in answer to one that belongs to no connection. */
export function sendAnswer(segment: Segment, seq: u32, ack: u32, bits: u32): void {
  answerTo(segment);
  TX.options = 0;
  TX.seq = seq;
  TX.ack = ack;
  TX.bits = bits;
  TX.window = bareWindow(bits);
  TX.bytes = 0;
  segmentSend(TX, null);
}

/** Window of a segment without a connection; a RST, which has none, is counted. Where the chip has no room for such a segment it is lost. */
function bareWindow(bits: u32): u32 {
  if ((bits & TcpBit.RST) == 0) return TCP_RX_BYTES;
  count(Counter.TCP_RESET_OUT);
  return 0;
}

/**
 * Number of a segment without text: SND.NXT, but not beyond the window, where the peer would drop its ACK. A window probe, or
 * text sent before the window shrank, may lie there.
 */
export function acceptableNumber(tcb: Tcb): u32 {
  return seqMin(tcb.sndMax, tcb.sndUna + tcb.sndWnd);
}

/** RST for a connection that we give up, numbered so that the peer takes it. */
export function sendReset(tcb: Tcb): void {
  const stamp: u32 = timestampsUsed(tcb) ? max<u32>(tcb.tsRecent, 1) : 0;
  sendOfRecord(tcb, acceptableNumber(tcb), tcb.rcvNxt, TcpBit.RST | TcpBit.ACK, stamp);
}
