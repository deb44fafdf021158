import { RecordNumber } from "options";
import { TCP_ECN, TCP_RANGES, TCP_TIMESTAMPS } from "../config";
import { now } from "../now";
import { initialNumberKept, initialSequenceNumber } from "./isn";
import { FIRST_WINDOW } from "./places";

/** What is remembered of a connection: SYN queue (half open, small), TCB (rings and all), TIME-WAIT (small). All begin with the same. */
@unmanaged
export class Connection {
  localAddress: u32;
  remoteAddress: u32;
  localPort: u16;
  remotePort: u16;
  /** Next record in the same bucket, number plus one; 0 ends the chain. */
  next: RecordNumber;
  /** TcpState. */
  state: u8;
  /** Listener that it came from, number plus one; 0 = opened by us. */
  listener: RecordNumber;
  /** Next record that waits for its turn to send, number plus one (pending.ts). */
  nextPending: RecordNumber;

  /** Both ports in one word, remote in the high half: as the header of a segment that is received has them. */
  get ends(): u32 {
    return load<u32>(changetype<usize>(this) + offsetof<Connection>("localPort"));
  }

  set ends(ends: u32) {
    store<u32>(changetype<usize>(this) + offsetof<Connection>("localPort"), ends);
  }

  /** Both ports, local in the high half. */
  get ports(): u32 {
    return rotl<u32>(this.ends, 16);
  }
}

if (offsetof<Connection>("remotePort") != offsetof<Connection>("localPort") + 2)
  ERROR("both ports of a connection are one word");

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

/**
 * Transmission control block (RFC 9293 3.3.1): all of a connection that has rings. Bytes stand before half-words and these before
 * words, what each segment asks for first: so far a Thumb load reaches by itself (31, 62 and 124 bytes).
 */
@unmanaged
export class Tcb extends Connection {
  /** Socket that owns it, number plus one; 0 = not accepted yet, or an orphan that is finishing by itself. */
  socket: RecordNumber;
  /** Its own connection number. */
  id: RecordNumber;
  /** First error that the application has not been told, POSIX number. */
  error: u8;
  /** Timers armed, TcbTimer bits. */
  armed: u8;
  /** Retransmissions, or window probes without an answer, in a row. */
  retries: u8;
  dupAcks: u8;
  pieces: u8;
  /** Ranges in the out-of-order list; who asks takes `ranges`. */
  rangeCount: u8;
  /** Ranges of the flight that the peer has, by its SACKs (sack.ts). */
  sacked: u8;
  /**
   * In the four low bits duplicate ACKs owed, one for each segment that came out of order (RFC 5681 4.2); in the others challenge
   * ACKs sent in the present period (RFC 5961 7), which began at `challengeStart`.
   */
  ackCounts: u8;
  /**
   * Shift of the windows that the peer announces (RFC 7323 2.3); in the four high bits how often window probes have doubled
   * their interval.
   */
  shifts: u8;
  /** Largest text of a segment seen, in units of 8 bytes: the size that the peer really sends (RFC 5681 4.2). */
  rcvMss: u8;
  /** Type of service and time to live of segments. */
  tos: u8;
  ttl: u8;
  /** What ecn.ts keeps. */
  ecn: u8;
  /** Last soft error (RFC 1122 4.2.3.9), POSIX number: the reason to be told if nothing gets through in the end. */
  softError: u8;

  /** In flight after the last output, without what limited transmit has sent, in units of 64 bytes (congestion.ts). */
  flight: u16;
  /** Initial number of the peer, its low 16 bits: text is placed by it (text.ts). */
  irs: u16;
  /** Sequence number of a FIN that has come, when flag FIN_SEEN: its low 16 bits, as no window is longer. */
  finSeq: u16;
  rto: u16;
  /** Time of the segment that is being timed, when flag TIMING: its low 16 bits. */
  rttStart: u16;
  /** Send ring: index of its oldest byte, and bytes in it. */
  ringHead: u16;
  ringBytes: u16;
  /** Maximum segment size towards the peer. */
  sndMss: u16;
  /** Deadline of the delayed acknowledgment, its low 16 bits: none is put off for longer than 30 s. */
  delackDue: u16;
  /** Bytes in order since the last acknowledgment. */
  unackedBytes: u16;
  /** Segment size that the peer and our ring allow, whatever a router has asked for. */
  peerMss: u16;

  /** Next in the listener's accept queue, number plus one. */
  nextAccept: RecordNumber;
  challengeStart: u8;

  /** TcbFlag bits. */
  flags: u32;
  /** Send sequence variables (RFC 9293 3.3.1). SND.UNA is ISS until our SYN is acknowledged. */
  sndUna: u32;
  sndNxt: u32;
  /** Highest sequence number sent, plus one: `sndNxt` goes back on a timeout, this does not. */
  sndMax: u32;
  sndWnd: u32;
  sndWl1: u32;
  /** Receive sequence variables. */
  rcvNxt: u32;
  /** Right edge of the window that the peer has been told. */
  rcvAdv: u32;
  /** First byte that the application has not read. */
  rcvRead: u32;
  /** Bytes queued to send or be acknowledged, over all pieces. */
  queued: u32;
  cwnd: u32;
  ssthresh: u32;
  rttSeq: u32;
  /** When text was sent last, or the connection begun: for the restart after idle (RFC 5681 4.1). */
  lastSent: u32;
  /** Deadlines, valid by `armed`; a third is `delackDue`. */
  rexmtDue: u32;
  /** End of the last segment sent that was not full (Minshall's form of Nagle's rule). */
  sndSml: u32;

  lifeDue: u32;
  /** Largest window the peer ever offered (RFC 5961 5.2, silly-window avoidance). */
  maxSndWnd: u32;
  /** RFC 5681, RFC 6582. */
  recover: u32;
  /** RFC 6298, in milliseconds; srtt scaled by 8, rttvar by 4. */
  srtt: u32;
  rttvar: u32;
  /** Up to here holes have been sent again in this recovery (HighRxt, RFC 6675 2). From here on only options use the fields (`TCB_BYTES`). */
  highRxt: u32;
  /** The peer's clock as seen last (TS.Recent), and how far ours as shown to it is ahead of `now()` (RFC 7323). */
  tsRecent: u32;
  tsOffset: u32;
  /** End of the peer's urgent data, and of ours, when flags URGENT and URGENT_OUT: their low 16 bits. */
  rcvUp: u16;
  sndUp: u16;
  /** When `tsRecent` was taken, in units of 2^24 ms. */
  tsAge: u8;
  /** Segment size that a router has asked for in units of 8 bytes, 0 = none; believed when the segment does not get through (RFC 5927 7.2). */
  routerMss: u8;
  /** When `sndMss` was lowered below `peerMss`, in units of 131 s. */
  mssLowered: u8;
  /** TCP_CONGESTION has chosen NewReno. */
  reno: bool;

  get ranges(): u8 {
    return TCP_RANGES == 0 ? 0 : this.rangeCount;
  }

  get owedAcks(): u32 {
    return (<u32>this.ackCounts) & 15;
  }

  set owedAcks(count: u32) {
    this.ackCounts = <u8>(((<u32>this.ackCounts) & 0xf0) | count);
  }

  get challenges(): u32 {
    return (<u32>this.ackCounts) >>> 4;
  }

  set challenges(count: u32) {
    this.ackCounts = <u8>(((<u32>this.ackCounts) & 15) | (count << 4));
  }

  get sndShift(): u32 {
    return (<u32>this.shifts) & 15;
  }

  set sndShift(shift: u32) {
    this.shifts = <u8>(((<u32>this.shifts) & 0xf0) | shift);
  }

  get backoff(): u32 {
    return (<u32>this.shifts) >>> 4;
  }

  set backoff(count: u32) {
    this.shifts = <u8>(((<u32>this.shifts) & 15) | (count << 4));
  }
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

/** Bits of `SynRecord.mssAndStamp`. */
export const enum SynStamp {
  /** The SYN-ACK was answered, but TCP_DEFER_ACCEPT waits for text. */
  ACKED = 0x1000,
  ECN = 0x2000,
  UNKNOWN = 0x4000,
  KEPT = 0x8000,
}

/** `SynRecord.shift` when the SYN had no window scale option. */
export const NO_SHIFT: u32 = 15;

/** Half-open connection of the SYN queue: state SYN-RECEIVED without a TCB. 32 bytes: a flood fills many. */
@unmanaged
export class SynRecord extends Connection {
  /** Our initial number; where it can be made again (`stamped`), the peer's clock as its SYN showed it instead. */
  issOrStamp: u32;
  irs: u32;
  /** Segment size towards the peer, eleven bits; above them SynStamp bits. */
  mssAndStamp: u16;
  /** Window of the SYN. */
  window: u16;
  /** Time it came: its low 16 bits. A record lives for 63 s. */
  born: u16;
  /** SynBit bits. */
  bits: u8;
  /** Challenge ACKs sent (RFC 5961 7), and in the four high bits the shift of the SYN's window scale option. */
  counts: u8;

  /** Nothing has happened yet; `mss` and `shift` as the SYN tells. */
  begin(mss: u32, shift: u32): void {
    this.mssAndStamp = <u16>mss;
    this.bits = 0;
    this.counts = <u8>(shift << 4);
  }

  /** The first SYN-ACK announces a window, or none. */
  promise(window: bool): void {
    if (window) this.bits |= <u8>SynBit.PROMISE;
  }

  /** Milliseconds since it came. */
  get age(): u32 {
    return <u32>(<u16>(now() - <u32>this.born));
  }

  /** Our initial number (RFC 6528 3): a function of the tuple and of when the SYN came. */
  get iss(): u32 {
    if (!this.stamped) return this.issOrStamp;
    const kept = initialNumberKept(changetype<usize>(this));
    return kept != 0 ? kept : this.issMade;
  }

  set iss(iss: u32) {
    this.issOrStamp = iss;
    this.mssAndStamp &= ~(<u16>SynStamp.KEPT);
  }

  /** The initial number for a SYN that came when this record was filled. */
  get issMade(): u32 {
    const timeMs = now() - this.age;
    return initialSequenceNumber(this.localAddress, this.remoteAddress, this.ports, timeMs);
  }

  /** The peer's clock as its SYN showed it; where there is one, both ends send timestamps. */
  get stamp(): u32 {
    return this.issOrStamp;
  }

  set stamp(stamp: u32) {
    this.issOrStamp = stamp;
    this.mssAndStamp |= <u16>SynStamp.KEPT;
  }

  get stamped(): bool {
    return TCP_TIMESTAMPS && ((<u32>this.mssAndStamp) & SynStamp.KEPT) != 0;
  }

  /** Both ends send timestamps, but what the peer's clock shows is not known: a cookie brought no more. */
  get stampsUnknown(): bool {
    return TCP_TIMESTAMPS && ((<u32>this.mssAndStamp) & SynStamp.UNKNOWN) != 0;
  }

  /** The SYN has offered ECN. */
  get ecn(): bool {
    return TCP_ECN && ((<u32>this.mssAndStamp) & SynStamp.ECN) != 0;
  }

  set ecn(on: bool) {
    if (on) this.mssAndStamp |= <u16>SynStamp.ECN;
  }

  get mss(): u32 {
    return (<u32>this.mssAndStamp) & 0x7ff;
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
    return this.has(SynBit.PROMISE) ? FIRST_WINDOW : 0;
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
