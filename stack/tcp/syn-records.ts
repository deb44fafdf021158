import { RecordNumber } from "options";
import { TCP_ECN, TCP_SACK, TCP_WINDOW_SCALE } from "../config";
import { now } from "../now";
import {
  FIRST_SYN_RECORD,
  NO_CONNECTION,
  NO_SHIFT,
  SynRecord,
  TcpState,
  connectionInsert,
  connectionRemove,
  synRecordAt,
} from "./connection";
import { ecnOffered } from "./ecn";
import { pendingRemove } from "./pending";
import { Segment, TcpBit } from "./segment";
import { SYN_ACK_RTO_MS, synRecordTimer } from "./timers";

/** The records of the SYN queue: half-open connections that peers have begun (RFC 4987 3.2 to 3.6). */

/** Records whose handshake is finished. */
let waiting: u32 = 0;

/** Records in use. */
let used: u32 = 0;

/** Half-open connections. */
export function synRecordsUsed(): u32 {
  return used;
}

/** A free record before `end`; NO_CONNECTION when there is none. */
export function synRecordAllocate(end: u32): u32 {
  for (let id = FIRST_SYN_RECORD; id < end; id++) {
    if (synRecordAt(id).state == TcpState.CLOSED) return id;
  }
  return NO_CONNECTION;
}

/** Fills a free record for the sender of `segment`, in the table and with its timer running; the caller sets `iss`. */
export function synRecordFill(
  id: u32,
  segment: Segment,
  listener: u32,
  irs: u32,
  mss: u32,
): SynRecord {
  const record = synRecordAt(id);
  record.localAddress = segment.destination;
  record.remoteAddress = segment.source;
  record.localPort = <u16>segment.destinationPort;
  record.remotePort = <u16>segment.sourcePort;
  record.state = <u8>TcpState.SYN_RECEIVED;
  record.listener = <RecordNumber>(listener + 1);
  record.irs = irs;
  record.window = <u16>segment.window;
  record.born = <u16>now();
  const opening = (segment.bits & TcpBit.SYN) != 0;
  record.begin(mss, TCP_WINDOW_SCALE && opening ? segment.scale : NO_SHIFT);
  if (TCP_SACK && opening) record.sackPermitted = segment.sackPermitted;
  if (TCP_ECN && opening) record.ecn = ecnOffered(segment, false);
  used += 1;
  connectionInsert(record, id);
  synRecordTimer(id, SYN_ACK_RTO_MS);
  return record;
}

/** Frees a record. */
export function synRecordFree(id: u32): void {
  const record = synRecordAt(id);
  connectionRemove(record, id);
  synRecordEnd(record, id);
}

/** Frees a record with its number, which another has taken the place of in the table of connections. */
export function synRecordEnd(record: SynRecord, id: u32): void {
  used -= 1;
  pendingRemove(record, id);
  if (record.waiting) waiting -= 1;
  record.waiting = false;
  record.state = <u8>TcpState.CLOSED;
}

/** The handshake of a record is finished, and waits for a TCB or a place in an accept queue. False when it waited already. */
export function synRecordWait(record: SynRecord): bool {
  if (record.waiting) return false;
  record.waiting = true;
  waiting += 1;
  return true;
}

/** True when a peer has finished its handshake and waits for a TCB or a place in an accept queue. */
export function handshakeWaiting(): bool {
  return waiting != 0;
}
