import { based, rev16 } from "cpu";
import { TCP_CONNECT, TCP_ECN, TCP_FAST_PATH, TCP_WINDOW_SCALE } from "../config";
import { RxPacket } from "../ip/packet";
import { Counter, count } from "../statistics";
import { sumIntact } from "../wire/checksum";
import {
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  NO_CONNECTION,
  Tcb,
  TcpState,
  connectionFind,
  synRecordAt,
  tcbAt,
} from "./connection";
import { ECN_MARKED } from "./ecn";
import { PROTOCOL_TCP } from "./emit";
import { connectionFound } from "./input-fast";
import { bareAck, finishesHandshake, listenInput, synRecordInput } from "./listen";
import { promote, promoteCommit, promoteLater, promoteUndo } from "./promote";
import {
  SEGMENT,
  Segment,
  TcpBit,
  segmentDiscard,
  segmentHeaderSum,
  segmentParse,
  segmentTaken,
  sumSkipped,
} from "./segment";
import { synSentInput, synSentPrepare } from "./syn-sent";
import { synchronizedInput } from "./synchronized";
import { textPlace } from "./text";
import { timeWaitInput } from "./time-wait";

/**
 * A TCP segment has arrived; the frame's stream stands at the first byte of its header. Header, lookup, text to its place
 * while the checksum is summed, and only when that is proven the state machine of RFC 9293 3.10.7.
 */
export function tcpInput(packet: RxPacket): void {
  // MUST-57: nothing that was sent to more than one host opens, changes or answers anything.
  if (packet.linkBroadcast) {
    count(Counter.TCP_IN);
    count(Counter.TCP_BAD_HEADER);
    return;
  }
  segmentInput(packet.header, packet.source, packet.destination, packet.payloadBytes);
}

/** The same for a segment of `bytes` in a packet whose header lies at `ip`: from one host, to us alone. */
export function segmentInput(ip: usize, source: u32, destination: u32, bytes: u32): void {
  count(Counter.TCP_IN);
  const segment = changetype<Segment>(based(changetype<usize>(SEGMENT)));
  const known = segmentTaken();
  const headerBytes = segmentParse(segment, bytes);
  if (headerBytes == 0) {
    count(Counter.TCP_BAD_HEADER);
    return;
  }
  segment.source = source;
  if (TCP_ECN) segment.marked = ((<u32>load<u8>(ip, 1)) & ECN_MARKED) == ECN_MARKED;
  segment.destination = destination;
  if (segment.sourcePort == 0 || segment.destinationPort == 0) {
    count(Counter.TCP_BAD_HEADER);
    segmentDiscard(segment);
    return;
  }
  const sum = segmentHeaderSum(ip, rev16(PROTOCOL_TCP + bytes), headerBytes);
  const id = known
    ? connectionFound()
    : connectionFind(destination, source, (segment.sourcePort << 16) | segment.destinationPort);
  if (id < FIRST_SYN_RECORD) {
    const tcb = tcbAt(id);
    const opening = TCP_CONNECT && tcb.state == TcpState.SYN_SENT;
    scaleWindow(tcb, segment);
    if (TCP_CONNECT && opening) synSentPrepare(tcb, segment);
    if (!proven(textPlace(tcb, segment, sum, headerBytes))) return;
    if (TCP_CONNECT && opening) synSentInput(tcb, segment);
    else synchronizedInput(tcb, segment);
  } else if (id < FIRST_TIME_WAIT) {
    halfOpenInput(id, segment, sum, headerBytes);
  } else {
    if (!proven(textSkip(segment, sum))) return;
    if (id == NO_CONNECTION) listenInput(segment);
    else timeWaitInput(id, segment);
  }
}

/** RFC 7323 2.3: the window of a SYN is never scaled. */
function scaleWindow(tcb: Tcb, segment: Segment): void {
  if (TCP_WINDOW_SCALE && (segment.bits & TcpBit.SYN) == 0) segment.window <<= tcb.sndShift;
}

/** Passes over the text, if there is any; returns the checksum with it. */
function textSkip(segment: Segment, sum: u32): u32 {
  const bytes = segment.textBytes;
  return bytes == 0 ? sum : sumSkipped(sum, bytes, segment.headerBytes);
}

function proven(sum: u32): bool {
  if (sumIntact(sum)) return true;
  count(Counter.TCP_BAD_CHECKSUM);
  return false;
}

/** The segment that finishes a handshake may carry text already: it needs its ring before the checksum is known. */
function halfOpenInput(id: u32, segment: Segment, sum: u32, headerBytes: u32): void {
  const finishes = finishesHandshake(synRecordAt(id), segment);
  let promoted: u32 = finishes ? promote(id, false) : NO_CONNECTION;
  if (promoted == NO_CONNECTION) {
    sum = textSkip(segment, sum);
    if (!proven(sum)) return;
    if (!finishes) {
      synRecordInput(id, segment);
      return;
    }
    // Now that it is proven, an orphan may be given up for it; its text comes again.
    promoted = promote(id, true);
    if (promoted == NO_CONNECTION) promoteLater(id);
    else promoteCommit(id, promoted);
    return;
  }
  const tcb = tcbAt(promoted);
  sum = textPlace(tcb, segment, sum, headerBytes);
  if (!proven(sum)) {
    promoteUndo(tcb);
    return;
  }
  promoteCommit(id, promoted);
  if (TCP_FAST_PATH && isBare(tcb, segment)) {
    bareAck(tcb, segment);
    return;
  }
  scaleWindow(tcb, segment);
  synchronizedInput(tcb, segment);
}

/** What would be dropped, or says more than that the handshake is finished. */
const MORE: u32 = TcpBit.FIN | TcpBit.URG | TcpBit.PSH | TcpBit.ECE | TcpBit.CWR;

/** True for the plain ACK that nearly all handshakes end with. */
function isBare(tcb: Tcb, segment: Segment): bool {
  return segment.textBytes == 0 && (segment.bits & MORE) == 0 && segment.seq == tcb.rcvNxt;
}
