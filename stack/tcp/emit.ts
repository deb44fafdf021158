import { sumHeader } from "cpu";
import { TCP_RX_BYTES, TCP_SACK, TCP_TX_BYTES, TCP_WINDOW_SCALE } from "../config";
import { ipBegin, ipBeginNow, ipEnd, ipWrite } from "../ip/ipv4-output";
import { Counter, count } from "../statistics";
import { Be } from "../wire/bytes";
import { sumAdd, sumField, sumPseudoHeader } from "../wire/checksum";
import { SynRecord, Tcb, TcbFlag } from "./connection";
import { sackWrite } from "./sack-report";
import { TCP_HEADER_BYTES, TcpBit } from "./segment";
import { sendQueueRun, sendQueueSum, sendQueueWrite } from "./send-queue";
import { seqMin } from "./sequence";

/** Writes segments to the IP layer: those of a TCB (output.ts decides which) and those that have no TCB behind them. */

/** IP protocol number. */
export const PROTOCOL_TCP: u32 = 6;
/** MSS that we announce: what fits an Ethernet frame with plain headers (RFC 9293 MUST-67). */
export const RECEIVE_MSS: u32 = 1460;
/** MSS that we use at most: a send ring holds two segments, or the peer's delayed ACK would hold up each (RFC 5681 4.2). */
export const SEND_MSS_MAX: u32 = min<u32>(RECEIVE_MSS, TCP_TX_BYTES >>> 1);
const DEFAULT_TTL: u32 = 64;

/** Header and options: the longest are those of a SACK with four blocks. */
const HEADER: usize = memory.data(60, 4);

/** Options of a SYN: bits of `segmentSend`'s `options`. */
export const enum SynOption {
  MSS = 1,
  /** Window scale, of shift 0: our windows are below 64 KB, the peer's may be larger (RFC 7323 2.2). */
  SCALE = 2,
  SACK_PERMITTED = 4,
}

/** What our own SYN offers. */
export const SYN_OPTIONS: u32 =
  SynOption.MSS |
  (TCP_WINDOW_SCALE ? SynOption.SCALE : 0) |
  (TCP_SACK ? SynOption.SACK_PERMITTED : 0);

/** Writes the options of a SYN behind the header; returns their bytes. */
function writeSynOptions(options: u32): u32 {
  store<u32>(HEADER, bswap<u32>((2 << 24) | (4 << 16) | RECEIVE_MSS), 20);
  let at: u32 = 24;
  if (TCP_WINDOW_SCALE && (options & SynOption.SCALE) != 0) {
    store<u32>(HEADER + at, bswap<u32>((1 << 24) | (3 << 16) | (3 << 8)));
    at += 4;
  }
  if (TCP_SACK && (options & SynOption.SACK_PERMITTED) != 0) {
    store<u32>(HEADER + at, bswap<u32>((1 << 24) | (1 << 16) | (4 << 8) | 2));
    at += 4;
  }
  return at - 20;
}

/**
 * Sends one segment; `bytes` of text come from the send queue of `tcb` at `offset`. `options`: those of a SYN (SynOption), or
 * 0; what a TCB has to report of text out of order is added by itself. Returns 0, or what `ipBegin` refused with.
 */
export function segmentSend(
  localAddress: u32,
  remoteAddress: u32,
  ports: u32,
  seq: u32,
  ack: u32,
  bits: u32,
  window: u32,
  options: u32,
  tcb: Tcb | null,
  offset: u32,
  bytes: u32,
): i32 {
  let headerBytes: u32 = TCP_HEADER_BYTES;
  if (options != 0) headerBytes += writeSynOptions(options);
  else if (TCP_SACK && tcb != null && reports(tcb)) headerBytes += sackWrite(tcb, HEADER + 20);
  const tos: u32 = tcb != null ? <u32>tcb.tos : 0;
  const ttl: u32 = tcb != null ? <u32>tcb.ttl : DEFAULT_TTL;
  const total = headerBytes + bytes;
  // Only what nobody sends again waits for ARP: a RST, or the ACK of a TIME-WAIT record.
  const refused =
    tcb == null && options == 0
      ? ipBegin(PROTOCOL_TCP, localAddress, remoteAddress, total, tos, ttl)
      : ipBeginNow(PROTOCOL_TCP, localAddress, remoteAddress, total, tos, ttl);
  if (refused != 0) return refused;
  store<u32>(HEADER, bswap<u32>(ports));
  store<u32>(HEADER, bswap<u32>(seq), 4);
  store<u32>(HEADER, bswap<u32>(ack), 8);
  store<u8>(HEADER, <u8>(headerBytes << 2), 12);
  store<u8>(HEADER, <u8>bits, 13);
  Be.store16(HEADER + 14, window);
  store<u32>(HEADER, 0, 16);
  let sum = sumPseudoHeader(localAddress, remoteAddress, PROTOCOL_TCP, total);
  sum += sumHeader(HEADER);
  if (headerBytes != TCP_HEADER_BYTES) {
    sum = sumAdd(sum, HEADER + TCP_HEADER_BYTES, headerBytes - TCP_HEADER_BYTES, 0);
  }
  let run: usize = 0;
  if (tcb != null && bytes != 0) {
    run = sendQueueRun(tcb, offset, bytes);
    sum = run != 0 ? sumAdd(sum, run, bytes, 0) : sendQueueSum(tcb, sum, offset, bytes);
  }
  store<u16>(HEADER, sumField(sum), 16);
  ipWrite(HEADER, headerBytes);
  if (run != 0) ipWrite(run, bytes);
  else if (tcb != null && bytes != 0) sendQueueWrite(tcb, offset, bytes);
  ipEnd();
  count(Counter.TCP_OUT);
  return 0;
}

/** True when text came out of order or twice. */
function reports(tcb: Tcb): bool {
  return tcb.ranges != 0 || (tcb.flags & TcbFlag.DUPLICATE) != 0;
}

/** SYN-ACK of a half-open connection: what the SYN has not offered is not answered. */
export function synAckOutput(record: SynRecord): i32 {
  const scale: u32 = record.scaled ? SynOption.SCALE : 0;
  const sack: u32 = record.sackPermitted ? SynOption.SACK_PERMITTED : 0;
  return sendSynAck(
    record.localAddress,
    record.remoteAddress,
    <u32>record.localPort,
    <u32>record.remotePort,
    record.iss,
    record.irs + 1,
    record.promised,
    SynOption.MSS | scale | sack,
  );
}

/** SYN-ACK without a TCB; `window` 0 keeps the peer's data back until a TCB is there. */
export function sendSynAck(
  localAddress: u32,
  remoteAddress: u32,
  localPort: u32,
  remotePort: u32,
  iss: u32,
  ack: u32,
  window: u32,
  options: u32,
): i32 {
  const ports = (localPort << 16) | remotePort;
  const bits = TcpBit.SYN | TcpBit.ACK;
  return segmentSend(
    localAddress,
    remoteAddress,
    ports,
    iss,
    ack,
    bits,
    window,
    options,
    null,
    0,
    0,
  );
}

/** A segment without a connection behind it: RST, or the ACK of a TIME-WAIT record. Best effort: without room in the chip it is lost. */
export function sendBare(
  localAddress: u32,
  remoteAddress: u32,
  ports: u32,
  seq: u32,
  ack: u32,
  bits: u32,
): void {
  const reset = (bits & TcpBit.RST) != 0;
  if (reset) count(Counter.TCP_RESET_OUT);
  const window: u32 = reset ? 0 : TCP_RX_BYTES;
  segmentSend(localAddress, remoteAddress, ports, seq, ack, bits, window, 0, null, 0, 0);
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
  sendBare(
    tcb.localAddress,
    tcb.remoteAddress,
    ((<u32>tcb.localPort) << 16) | (<u32>tcb.remotePort),
    acceptableNumber(tcb),
    tcb.rcvNxt,
    TcpBit.RST | TcpBit.ACK,
  );
}
