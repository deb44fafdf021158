import { sumHeader } from "cpu";
import { TCP_RX_BYTES } from "../config";
import { ipBegin, ipBeginNow, ipEnd, ipWrite } from "../ip/ipv4-output";
import { Counter, count } from "../statistics";
import { Be } from "../wire/bytes";
import { sumAdd, sumField, sumPseudoHeader } from "../wire/checksum";
import { SynRecord, Tcb } from "./connection";
import { TCP_HEADER_BYTES, TcpBit } from "./segment";
import { sendQueueRun, sendQueueSum, sendQueueWrite } from "./send-queue";
import { seqMin } from "./sequence";

/** Writes segments to the IP layer: those of a TCB (output.ts decides which) and those that have no TCB behind them. */

/** IP protocol number. */
export const PROTOCOL_TCP: u32 = 6;
/** MSS that we announce: what fits an Ethernet frame with plain headers (RFC 9293 MUST-67). */
export const RECEIVE_MSS: u32 = 1460;
const DEFAULT_TTL: u32 = 64;

const HEADER: usize = memory.data(24, 4);

/**
 * Sends one segment; `bytes` of text come from the send queue of `tcb` at `offset`. `mss` other than 0 adds the option.
 * Returns 0, or what `ipBegin` refused with.
 */
export function segmentSend(
  localAddress: u32,
  remoteAddress: u32,
  ports: u32,
  seq: u32,
  ack: u32,
  bits: u32,
  window: u32,
  mss: u32,
  tcb: Tcb | null,
  offset: u32,
  bytes: u32,
): i32 {
  const headerBytes: u32 = mss != 0 ? TCP_HEADER_BYTES + 4 : TCP_HEADER_BYTES;
  const tos: u32 = tcb != null ? <u32>tcb.tos : 0;
  const ttl: u32 = tcb != null ? <u32>tcb.ttl : DEFAULT_TTL;
  const total = headerBytes + bytes;
  // Only what nobody sends again waits for ARP: a RST, or the ACK of a TIME-WAIT record.
  const refused =
    tcb == null && mss == 0
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
  if (mss != 0) store<u32>(HEADER, bswap<u32>((2 << 24) | (4 << 16) | mss), 20);
  let sum = sumPseudoHeader(localAddress, remoteAddress, PROTOCOL_TCP, total);
  sum += sumHeader(HEADER);
  if (mss != 0) sum = sumAdd(sum, HEADER + TCP_HEADER_BYTES, 4, 0);
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

/** SYN-ACK of a half-open connection. */
export function synAckOutput(record: SynRecord): i32 {
  return sendSynAck(
    record.localAddress,
    record.remoteAddress,
    <u32>record.localPort,
    <u32>record.remotePort,
    record.iss,
    record.irs + 1,
    <u32>record.promised,
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
    RECEIVE_MSS,
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
