import { TCP_RX_BYTES, TCP_SYN_RECORDS, TCP_TCBS, TCP_TIME_WAIT_RECORDS } from "../config";
import { now } from "../now";
import { bucketKey } from "../random";

export { TcbFlag, TcbTimer } from "./tcb-flags";

/**
 * What all records of a connection share, and the table that finds them by the four-tuple. There are three kinds of record:
 * SYN queue (half open, small), TCB (rings and all), TIME-WAIT (small). Each has a number; the ranges of numbers tell the
 * kinds apart, and one hash table over all of them makes a lookup independent of how many there are.
 */
@unmanaged
export class Connection {
  localAddress: u32;
  remoteAddress: u32;
  localPort: u16;
  remotePort: u16;
  /** Next record in the same bucket, number plus one; 0 ends the chain. */
  next: u8;
  /** TcpState. */
  state: u8;
  /** Listener that it came from, number plus one; 0 = opened by us. */
  listener: u8;
  /** Next record that waits for its turn to send, number plus one (output.ts). */
  nextPending: u8;
}

/** Connection states (RFC 9293 3.3.2). LISTEN is a record of its own kind. */
export const enum TcpState {
  CLOSED = 0,
  SYN_SENT = 1,
  SYN_RECEIVED = 2,
  ESTABLISHED = 3,
  FIN_WAIT_1 = 4,
  FIN_WAIT_2 = 5,
  CLOSE_WAIT = 6,
  CLOSING = 7,
  LAST_ACK = 8,
  TIME_WAIT = 9,
}

/** No record. */
export const NO_CONNECTION: u32 = 0xff;
export const FIRST_SYN_RECORD: u32 = TCP_TCBS;
export const FIRST_TIME_WAIT: u32 = TCP_TCBS + TCP_SYN_RECORDS;
export const CONNECTIONS: u32 = FIRST_TIME_WAIT + TCP_TIME_WAIT_RECORDS;

const BUCKETS: u32 = CONNECTIONS > 64 ? 64 : CONNECTIONS > 32 ? 32 : 16;
const TABLE: usize = memory.data(BUCKETS, 1);

function bucket(localPort: u32, remoteAddress: u32, remotePort: u32): usize {
  // A secret multiplier, so that nobody outside can aim at one bucket. The local address hardly varies and is left out.
  const mixed = (remoteAddress ^ ((localPort << 16) | remotePort)) * bucketKey();
  return TABLE + ((mixed >>> 16) & (BUCKETS - 1));
}

/** Number of the record of this four-tuple, or NO_CONNECTION. */
export function connectionFind(
  localAddress: u32,
  localPort: u32,
  remoteAddress: u32,
  remotePort: u32,
): u32 {
  let link = <u32>load<u8>(bucket(localPort, remoteAddress, remotePort));
  for (let steps: u32 = 0; link != 0 && steps < CONNECTIONS; steps++) {
    const connection = connectionAt(link - 1);
    if (
      connection.remoteAddress == remoteAddress &&
      connection.remotePort == <u16>remotePort &&
      connection.localPort == <u16>localPort &&
      connection.localAddress == localAddress
    ) {
      return link - 1;
    }
    link = <u32>connection.next;
  }
  return NO_CONNECTION;
}

/** Enters a record, whose tuple is set, into the table. */
export function connectionInsert(id: u32): void {
  const connection = connectionAt(id);
  const head = bucket(connection.localPort, connection.remoteAddress, connection.remotePort);
  connection.next = load<u8>(head);
  store<u8>(head, <u8>(id + 1));
}

/** Takes a record out of the table; harmless when it is not in it. */
export function connectionRemove(id: u32): void {
  const gone = connectionAt(id);
  const head = bucket(gone.localPort, gone.remoteAddress, gone.remotePort);
  let link = <u32>load<u8>(head);
  if (link == id + 1) {
    store<u8>(head, gone.next);
    return;
  }
  for (let steps: u32 = 0; link != 0 && steps < CONNECTIONS; steps++) {
    const connection = connectionAt(link - 1);
    if (<u32>connection.next == id + 1) {
      connection.next = gone.next;
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
  if (id < FIRST_SYN_RECORD) return changetype<Connection>(TCBS + id * offsetof<Tcb>());
  if (id < FIRST_TIME_WAIT) {
    return changetype<Connection>(SYN_RECORDS + (id - FIRST_SYN_RECORD) * offsetof<SynRecord>());
  }
  assert(id < CONNECTIONS);
  return changetype<Connection>(TIME_WAITS + (id - FIRST_TIME_WAIT) * offsetof<TimeWait>());
}

/** Transmission control block (RFC 9293 3.3.1): all of a connection that has rings. */
@unmanaged
export class Tcb extends Connection {
  /** Socket that owns it, number plus one; 0 = not accepted yet, or an orphan that is finishing by itself. */
  socket: u8;
  /** Next in the listener's accept queue, number plus one. */
  nextAccept: u8;
  /** In flight after the last output, without what limited transmit has sent, in units of 64 bytes (congestion.ts). */
  flight: u16;
  /** TcbFlag bits. */
  flags: u32;
  /** First error that the application has not been told, POSIX number. */
  error: u8;
  /** Timers armed, TcbTimer bits. */
  armed: u8;
  /** Retransmissions, or window probes without an answer, in a row. */
  retries: u8;
  dupAcks: u8;

  /** Send sequence variables (RFC 9293 3.3.1). SND.UNA is ISS until our SYN is acknowledged. */
  sndUna: u32;
  sndNxt: u32;
  /** Highest sequence number sent, plus one: `sndNxt` goes back on a timeout, this does not. */
  sndMax: u32;
  sndWnd: u32;
  sndWl1: u32;
  sndWl2: u32;
  /** Largest window the peer ever offered (RFC 5961 5.2, silly-window avoidance). */
  maxSndWnd: u32;

  /** Receive sequence variables. */
  irs: u32;
  rcvNxt: u32;
  /** Right edge of the window that the peer has been told. */
  rcvAdv: u32;
  /** First byte that the application has not read; the receive ring holds sequence s at s & (size-1). */
  rcvRead: u32;
  /** Sequence number of a FIN that has come, when flag FIN_SEEN. */
  finSeq: u32;

  /** RFC 6298, in milliseconds; srtt scaled by 8, rttvar by 4. */
  srtt: u32;
  rttvar: u32;
  rto: u16;
  /** Time of the segment that is being timed, when flag TIMING: its low 16 bits. */
  rttStart: u16;
  rttSeq: u32;

  /** RFC 5681, RFC 6582. */
  cwnd: u32;
  ssthresh: u32;
  recover: u32;
  /** Up to here holes have been sent again in this recovery (HighRxt, RFC 6675 2). */
  highRxt: u32;

  /** Deadlines, valid by `armed`. */
  rexmtDue: u32;
  delackDue: u32;
  lifeDue: u32;

  /** End of the last segment sent that was not full (Minshall's form of Nagle's rule). */
  sndSml: u32;

  /** Send ring: index of its oldest byte, and bytes in it. */
  ringHead: u16;
  ringBytes: u16;
  /** Bytes queued to send or be acknowledged, over all pieces. */
  queued: u32;
  pieces: u8;
  /** Ranges in the out-of-order list. */
  ranges: u8;
  /** Maximum segment size towards the peer. */
  sndMss: u16;
  /** Time from the last segment sent, for the restart after idle (RFC 5681 4.1). */
  lastSent: u32;
  /** Bytes in order since the last acknowledgment. */
  unackedBytes: u16;
  /** Type of service and time to live of segments. */
  tos: u8;
  ttl: u8;
  /** Its own connection number. */
  id: u8;
  /** Challenge ACKs sent in the present period (RFC 5961 7); it began at `challengeStart`. */
  challenges: u8;
  /** Duplicate ACKs owed, one for each segment that came out of order (RFC 5681 4.2). */
  owedAcks: u8;
  /** How often the interval of window probes was doubled. */
  backoff: u8;
  /** Last soft error (RFC 1122 4.2.3.9), POSIX number: the reason to be told if nothing gets through in the end. */
  softError: u8;
  /** Shift of the windows that the peer announces (RFC 7323 2.3). */
  sndShift: u8;
  /** Segment size that a router has asked for, 0 = none; believed when the segment does not get through (RFC 5927 7.2). */
  routerMss: u16;
  /** Largest text of a segment seen: the size that the peer really sends (RFC 5681 4.2). */
  rcvMss: u16;
  /** In units of 64 ms. */
  challengeStart: u16;
  /** Ranges of the flight that the peer has, by its SACKs (sack.ts). */
  sacked: u8;
  /** When `sndMss` was lowered below `peerMss`, in units of 131 s. */
  mssLowered: u8;
  /** Segment size that the peer and our ring allow, whatever a router has asked for. */
  peerMss: u16;
}

/** What is so of a half-open connection: bits of `SynRecord.bits`; the three highest count the SYN-ACKs sent again. */
const enum SynBit {
  /** The SYN-ACK has announced a window. */
  PROMISE = 1,
  WAITING = 2,
  DUE = 4,
  AMBIGUOUS = 8,
  SACK = 16,
}

/** `SynRecord.shift` when the SYN had no window scale option. */
export const NO_SHIFT: u32 = 15;

/** Half-open connection of the SYN queue: state SYN-RECEIVED without a TCB. 32 bytes: a flood fills many. */
@unmanaged
export class SynRecord extends Connection {
  iss: u32;
  irs: u32;
  mss: u16;
  /** Window of the SYN. */
  window: u16;
  /** Time it came: its low 16 bits. A record lives for 63 s. */
  born: u16;
  /** SynBit bits. */
  bits: u8;
  /** Challenge ACKs sent (RFC 5961 7), and in the four high bits the shift of the SYN's window scale option. */
  counts: u8;

  /** Milliseconds since it came. */
  get age(): u32 {
    return <u32>(<u16>(now() - <u32>this.born));
  }

  private has(bit: SynBit): bool {
    return ((<u32>this.bits) & bit) != 0;
  }

  private put(bit: SynBit, on: bool): void {
    const others = (<u32>this.bits) & ~bit;
    this.bits = <u8>(on ? others | bit : others);
  }

  /** Window that the SYN-ACK announced; 0 when no TCB could be promised. */
  get promised(): u32 {
    return this.has(SynBit.PROMISE) ? min<u32>(TCP_RX_BYTES, 0xffff) : 0;
  }

  set hasPromise(on: bool) {
    this.put(SynBit.PROMISE, on);
  }

  /** Its handshake is finished, but no TCB was free or the accept queue was full. */
  get waiting(): bool {
    return this.has(SynBit.WAITING);
  }

  set waiting(on: bool) {
    this.put(SynBit.WAITING, on);
  }

  /** A SYN-ACK is owed (turn.ts). */
  get due(): bool {
    return this.has(SynBit.DUE);
  }

  set due(on: bool) {
    this.put(SynBit.DUE, on);
  }

  /** Which SYN-ACK was answered cannot be told: no round-trip sample (RFC 6298 3). */
  get ambiguous(): bool {
    return this.has(SynBit.AMBIGUOUS);
  }

  set ambiguous(on: bool) {
    this.put(SynBit.AMBIGUOUS, on);
  }

  /** The SYN had the SACK-permitted option. */
  get sackPermitted(): bool {
    return this.has(SynBit.SACK);
  }

  set sackPermitted(on: bool) {
    this.put(SynBit.SACK, on);
  }

  /** SYN-ACKs sent again, seven at most. */
  get retries(): u32 {
    return (<u32>this.bits) >>> 5;
  }

  set retries(count: u32) {
    this.bits = <u8>(((<u32>this.bits) & 31) | (count << 5));
  }

  /** Challenge ACKs sent, fifteen at most. */
  get challenges(): u32 {
    return (<u32>this.counts) & 15;
  }

  set challenges(count: u32) {
    this.counts = <u8>(((<u32>this.counts) & 0xf0) | count);
  }

  /** Shift of the SYN's window scale option, NO_SHIFT without one. */
  get shift(): u32 {
    return (<u32>this.counts) >>> 4;
  }

  set shift(shift: u32) {
    this.counts = <u8>(((<u32>this.counts) & 15) | (shift << 4));
  }

  /** Both ends scale their windows (RFC 7323 2.2). */
  get scaled(): bool {
    return this.shift != NO_SHIFT;
  }
}

/** Connection whose rings are not needed any more: TIME-WAIT, or FIN-WAIT-2 of a closed socket. */
@unmanaged
export class TimeWait extends Connection {
  sndNxt: u32;
  rcvNxt: u32;
  born: u32;
  /** Answers to segments that change nothing, in the present period (RFC 5961 7), and which period that is. */
  challenges: u8;
  period: u8;
  reserved: u16;
}

if (offsetof<Tcb>() > 160) ERROR("a TCB has 160 bytes at most");
if (offsetof<SynRecord>() > 32) ERROR("a record of the SYN queue has 32 bytes at most");
if (((offsetof<Tcb>() | offsetof<SynRecord>() | offsetof<TimeWait>()) & 3) != 0)
  ERROR("records of connections must be whole words, or every second one is misaligned");

export const TCBS: usize = memory.data(TCP_TCBS * offsetof<Tcb>(), 4);
export const SYN_RECORDS: usize = memory.data(TCP_SYN_RECORDS * offsetof<SynRecord>(), 4);
export const TIME_WAITS: usize = memory.data(TCP_TIME_WAIT_RECORDS * offsetof<TimeWait>(), 4);

/** A TCB by number. */
export function tcbAt(id: u32): Tcb {
  assert(id < TCP_TCBS);
  return changetype<Tcb>(TCBS + id * offsetof<Tcb>());
}

/** A SYN queue record by its connection number. */
export function synRecordAt(id: u32): SynRecord {
  assert(id >= FIRST_SYN_RECORD && id < FIRST_TIME_WAIT);
  return changetype<SynRecord>(SYN_RECORDS + (id - FIRST_SYN_RECORD) * offsetof<SynRecord>());
}

/** A TIME-WAIT record by its connection number. */
export function timeWaitAt(id: u32): TimeWait {
  assert(id >= FIRST_TIME_WAIT && id < CONNECTIONS);
  return changetype<TimeWait>(TIME_WAITS + (id - FIRST_TIME_WAIT) * offsetof<TimeWait>());
}

/** Records of a kind that are in use. */
export function connectionsInUse(first: u32, end: u32): u32 {
  let used: u32 = 0;
  for (let id = first; id < end; id++) {
    if (connectionAt(id).state != TcpState.CLOSED) used += 1;
  }
  return used;
}
