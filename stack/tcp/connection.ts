import { based } from "cpu";
import { RecordNumber } from "options";
import {
  ICMP_ERRORS,
  NO_RECORD,
  RECORD_NUMBER_BITS,
  TCP,
  TCP_CUBIC,
  TCP_ECN,
  TCP_SACK,
  TCP_SYN_COOKIES,
  TCP_SYN_RECORDS,
  TCP_TCBS,
  TCP_TIMESTAMPS,
  TCP_TIME_WAIT_RECORDS,
  TCP_URGENT,
} from "../config";
import { bucketKey } from "../random";

import { Connection, SynRecord, Tcb, TcpState } from "./records";

export { TcbFlag, TcbTimer } from "./tcb-flags";
export { Connection, NO_SHIFT, SynRecord, SynStamp, Tcb, TcpState } from "./records";

/**
 * The tables of the records of connections, and the one that finds them by the four-tuple. Each record has a number; the
 * ranges of numbers tell the kinds apart, and one hash table over all of them makes a lookup independent of how many there
 * are.
 */

/** Connection whose rings are not needed any more: TIME-WAIT, or FIN-WAIT-2 of a closed socket. */
@unmanaged
export class TimeWait extends Connection {
  sndNxt: u32;
  rcvNxt: u32;
  /** When it came, in units of 16 ms. */
  born: u16;
  /** Answers to segments that change nothing, in the present period (RFC 5961 7), and which period that is. */
  challenges: u8;
  period: u8;
  /** The peer's clock as seen last, if both ends sent timestamps; 0 = they did not. Only with TCP_TIMESTAMPS. */
  tsRecent: u32;
}

const TIME_WAIT_BYTES: u32 = TCP_TIMESTAMPS ? offsetof<TimeWait>() : offsetof<TimeWait>("tsRecent");

/** Some option has fields of its own, which are the last of a TCB. */
const MORE: bool = TCP_SACK || TCP_TIMESTAMPS || TCP_URGENT || TCP_ECN || TCP_CUBIC || ICMP_ERRORS;
/** Bytes of a TCB. */
export const TCB_BYTES: u32 = MORE ? offsetof<Tcb>() : offsetof<Tcb>("highRxt");

/** No record. */
export const NO_CONNECTION: u32 = NO_RECORD;
export const FIRST_SYN_RECORD: u32 = TCP_TCBS;
export const FIRST_TIME_WAIT: u32 = TCP_TCBS + TCP_SYN_RECORDS;
export const CONNECTIONS: u32 = FIRST_TIME_WAIT + TCP_TIME_WAIT_RECORDS;
/** Behind them one that stands among those who have something to send for the answers that `cookie.ts` owes. */
export const ANSWERS: u32 = CONNECTIONS;

const WIDE: bool = RECORD_NUMBER_BITS > 8;
/** Half as many as there are records or more, up to 512 of these: a chain is short however many are in use. */
const BUCKETS: u32 = WIDE
  ? 256
  : CONNECTIONS > 64
    ? 64
    : CONNECTIONS > 32
      ? 32
      : CONNECTIONS > 8
        ? 16
        : 4;
const LINK_BYTES: u32 = <u32>sizeof<RecordNumber>();
const TABLE: usize = memory.data(TCP ? BUCKETS * LINK_BYTES : 0, LINK_BYTES);

function bucket(remoteAddress: u32, ends: u32): usize {
  // A secret multiplier, so that nobody outside can aim at one bucket. The local address hardly varies and is left out.
  const mixed = (remoteAddress ^ ends) * bucketKey();
  return TABLE + ((mixed >>> 16) & (BUCKETS - 1)) * LINK_BYTES;
}

/** Number of the record of this four-tuple, or NO_CONNECTION; `ends` has both ports, remote in the high half. */
export function connectionFind(localAddress: u32, remoteAddress: u32, ends: u32): u32 {
  let link = <u32>load<RecordNumber>(bucket(remoteAddress, ends));
  for (let steps: u32 = 0; link != 0 && steps < CONNECTIONS; steps++) {
    const connection = connectionAt(link - 1);
    if (
      connection.ends == ends &&
      connection.remoteAddress == remoteAddress &&
      connection.localAddress == localAddress
    ) {
      return link - 1;
    }
    link = <u32>connection.next;
  }
  return NO_CONNECTION;
}

/** Enters a record by its number into the table; its tuple is set. */
export function connectionInsert(connection: Connection, id: u32): void {
  const head = bucket(connection.remoteAddress, connection.ends);
  connection.next = load<RecordNumber>(head);
  store<RecordNumber>(head, <RecordNumber>(id + 1));
}

/** Takes a record with its number out of the table; harmless when it is not in it. */
export function connectionRemove(gone: Connection, id: u32): void {
  relink(gone, id, gone.next);
}

/** Puts a record with its number into the place of one that is in the table, and has the same tuple. */
export function connectionReplace(
  gone: Connection,
  goneId: u32,
  connection: Connection,
  id: u32,
): void {
  connection.next = gone.next;
  relink(gone, goneId, <RecordNumber>(id + 1));
}

/** What pointed at record `gone` points at `next`, a number plus one. */
function relink(gone: Connection, id: u32, next: RecordNumber): void {
  const head = bucket(gone.remoteAddress, gone.ends);
  let link = <u32>load<RecordNumber>(head);
  if (link == id + 1) {
    store<RecordNumber>(head, next);
    return;
  }
  for (let steps: u32 = 0; link != 0 && steps < CONNECTIONS; steps++) {
    const connection = connectionAt(link - 1);
    if (<u32>connection.next == id + 1) {
      connection.next = next;
      return;
    }
    link = <u32>connection.next;
  }
}

/** True when any record uses this local port. */
export function connectionUsesPort(localPort: u32): bool {
  for (let id: u32 = 0; id < CONNECTIONS; id++) {
    const connection = connectionAt(id);
    if (connection.state != TcpState.CLOSED && <u32>connection.localPort == localPort) return true;
  }
  return false;
}

/** The common part of any record. */
export function connectionAt(id: u32): Connection {
  if (id < FIRST_SYN_RECORD) return changetype<Connection>(based(TCBS) + id * TCB_BYTES);
  if (id < FIRST_TIME_WAIT) {
    return changetype<Connection>(
      based(SYN_RECORDS) + (id - FIRST_SYN_RECORD) * offsetof<SynRecord>(),
    );
  }
  assert(id <= ANSWERS);
  return changetype<Connection>(based(TIME_WAITS) + (id - FIRST_TIME_WAIT) * TIME_WAIT_BYTES);
}

if (offsetof<Tcb>() > (WIDE ? 168 : 160))
  ERROR("a TCB has 160 bytes at most, 168 with wide numbers");
if (offsetof<SynRecord>() > (WIDE ? 36 : 32))
  ERROR("a record of the SYN queue has 32 bytes at most, 36 with wide numbers");
if (((TCB_BYTES | offsetof<SynRecord>() | TIME_WAIT_BYTES) & 3) != 0)
  ERROR("records of connections must be whole words, or every second one is misaligned");

export const TCBS: usize = memory.data(TCP ? TCP_TCBS * TCB_BYTES : 0, 4);
export const SYN_RECORDS: usize = memory.data(TCP ? TCP_SYN_RECORDS * offsetof<SynRecord>() : 0, 4);
export const TIME_WAITS: usize = memory.data(
  TCP ? (TCP_TIME_WAIT_RECORDS + (TCP_SYN_COOKIES ? 1 : 0)) * TIME_WAIT_BYTES : 0,
  4,
);

/** A TCB by number. */
export function tcbAt(id: u32): Tcb {
  assert(id < TCP_TCBS);
  return changetype<Tcb>(based(TCBS) + id * TCB_BYTES);
}

/** A SYN queue record by its connection number. */
export function synRecordAt(id: u32): SynRecord {
  assert(id >= FIRST_SYN_RECORD && id < FIRST_TIME_WAIT);
  return changetype<SynRecord>(
    based(SYN_RECORDS) + (id - FIRST_SYN_RECORD) * offsetof<SynRecord>(),
  );
}

/** A TIME-WAIT record by its connection number. */
export function timeWaitAt(id: u32): TimeWait {
  assert(id >= FIRST_TIME_WAIT && id < CONNECTIONS);
  return changetype<TimeWait>(based(TIME_WAITS) + (id - FIRST_TIME_WAIT) * TIME_WAIT_BYTES);
}

/** Records of a kind that are in use. */
export function connectionsInUse(first: u32, end: u32): u32 {
  let used: u32 = 0;
  for (let id = first; id < end; id++) {
    if (connectionAt(id).state != TcpState.CLOSED) used += 1;
  }
  return used;
}
