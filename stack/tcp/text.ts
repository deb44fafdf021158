import { TCP, TCP_CONNECT, TCP_RANGES, TCP_RX_BYTES, TCP_TCBS, TCP_URGENT } from "../config";
import { linkReadSummed } from "../link/device";
import { Counter, count } from "../statistics";
import { sumJoin } from "../wire/checksum";
import { Tcb, TcbFlag, TcpState } from "./connection";
import { rangeAdd, rangeFits, rangeLeft, rangeRight, rangesAdvance } from "./ranges";
import { Segment, TcpBit, sumSkipped } from "./segment";
import { seqLess, seqMin } from "./sequence";
import { urgentLimit, urgentRead } from "./urgent";

/**
 * Segment text on its way in. It is read from the chip straight to its place in the receive ring, in order or not, but only
 * into holes: a byte that has come already is never written again. Nothing counts as received until the checksum is proven
 * (`textAccept`), so a corrupt or forged segment changes nothing that an application could see.
 *
 * The byte with sequence number s lies at s - (IRS + 1) modulo the ring's size, so a ring needs no pointers of its own, and
 * the first byte of a stream lies on a word: what is then read by words is copied by words.
 */
const RINGS: usize = memory.data(TCP ? TCP_TCBS * TCP_RX_BYTES : 0, 4);
const MASK: u32 = TCP_RX_BYTES - 1;

/** Place in the ring of the byte with a sequence number. */
function placeOf(tcb: Tcb, seq: u32): u32 {
  return (seq - <u32>tcb.irs - 1) & MASK;
}

function ring(tcb: Tcb): usize {
  return RINGS + <u32>tcb.id * TCP_RX_BYTES;
}

/** End of the text received in order: RCV.NXT without the peer's FIN. */
function textEnd(tcb: Tcb): u32 {
  return (tcb.flags & TcbFlag.FIN_RECEIVED) != 0 ? tcb.rcvNxt - 1 : tcb.rcvNxt;
}

/** Bytes that the application could read now. */
export function textReadable(tcb: Tcb): u32 {
  return textEnd(tcb) - tcb.rcvRead;
}

/** Free bytes in the receive ring beyond the text received in order. */
export function textRoom(tcb: Tcb): u32 {
  return TCP_RX_BYTES - textReadable(tcb);
}

/** Bytes of text that are missing before the peer's FIN, when it was seen and not taken. */
export function finDistance(tcb: Tcb): u32 {
  return <u32>(<u16>(<u32>tcb.finSeq - tcb.rcvNxt));
}

/** True in the states in which the peer may still send text (RFC 9293 3.10.7.4, seventh step). */
export function takesText(tcb: Tcb): bool {
  const state = <u32>tcb.state;
  return (
    state == TcpState.ESTABLISHED ||
    state == TcpState.FIN_WAIT_1 ||
    state == TcpState.FIN_WAIT_2 ||
    state == TcpState.SYN_RECEIVED ||
    (TCP_CONNECT && state == TcpState.SYN_SENT)
  );
}

/**
 * Streams the segment's text from the frame: what is new and inside the window goes to its place, the rest is passed over.
 * `segment.left` and `right` tell what was placed. `offset` is the length of the header before it. Returns the checksum with
 * the text added.
 */
export function textPlace(tcb: Tcb, segment: Segment, sum: u32, offset: u32): u32 {
  const bytes = segment.textBytes;
  if (bytes == 0) return sum;
  const opening = TCP_CONNECT && tcb.state == TcpState.SYN_SENT;
  const seq = opening ? segment.seq + 1 : segment.seq;
  // How much of it came before RCV.NXT, and where the rest lies in the window; by unsigned distances, so that a number from
  // half the sequence space away is out of the window and nothing else.
  const early: u32 = seqLess(seq, tcb.rcvNxt) ? tcb.rcvNxt - seq : 0;
  const place = seq + early - tcb.rcvNxt;
  const finSeen = (tcb.flags & TcbFlag.FIN_SEEN) != 0;
  const window = finSeen ? finDistance(tcb) : tcb.rcvAdv - tcb.rcvNxt;
  const refused =
    (segment.bits & (opening ? TcpBit.RST : TcpBit.SYN | TcpBit.RST)) != 0 || !takesText(tcb);
  if (refused || early >= bytes || place >= window) return sumSkipped(sum, bytes, offset);
  let left = tcb.rcvNxt + place;
  const right = left + min<u32>(bytes - early, window - place);
  if (left != tcb.rcvNxt && !rangeFits(tcb, left, right)) {
    count(Counter.TCP_RANGE_TABLE_FULL);
    return sumSkipped(sum, bytes, offset);
  }
  segment.left = left;
  segment.right = right;
  const after = seq + bytes - right;
  sum = sumSkipped(sum, early, offset);
  offset += early;
  // From hole to hole between the ranges that have come already.
  for (let index: u32 = 0; TCP_RANGES != 0 && index < <u32>tcb.ranges && left != right; index++) {
    const hole = seqMin(rangeLeft(tcb, index), right);
    if (seqLess(left, hole)) {
      sum = textReadInto(tcb, left, hole - left, sum, offset);
      offset += hole - left;
      left = hole;
    }
    const known = seqMin(rangeRight(tcb, index), right);
    if (seqLess(left, known)) {
      sum = sumSkipped(sum, known - left, offset);
      offset += known - left;
      left = known;
    }
  }
  sum = textReadInto(tcb, left, right - left, sum, offset);
  offset += right - left;
  return sumSkipped(sum, after, offset);
}

/** Reads text of the open frame to its place in the ring; returns the checksum with it. `offset`: where it stands in the segment. */
function textReadInto(tcb: Tcb, seq: u32, bytes: u32, sum: u32, offset: u32): u32 {
  if (bytes == 0) return sum;
  assert(seq - tcb.rcvRead < TCP_RX_BYTES && bytes <= TCP_RX_BYTES - (seq - tcb.rcvRead));
  const at = placeOf(tcb, seq);
  const first = min<u32>(bytes, TCP_RX_BYTES - at);
  sum = sumJoin(sum, linkReadSummed(ring(tcb) + at, first), offset);
  if (bytes > first) sum = sumJoin(sum, linkReadSummed(ring(tcb), bytes - first), offset + first);
  return sum;
}

/**
 * `textReadInto` for `bytes` bytes at RCV.NXT that begin a segment's text: what nearly all segments bring, mostly in one run of
 * the ring.
 */
export function textReadNext(tcb: Tcb, bytes: u32, sum: u32): u32 {
  const at = placeOf(tcb, tcb.rcvNxt);
  if (at + bytes > TCP_RX_BYTES) return textReadInto(tcb, tcb.rcvNxt, bytes, sum, 0);
  return sum + linkReadSummed(ring(tcb) + at, bytes);
}

/**
 * Counts the placed text as received, now that the checksum holds and the segment was found acceptable. Returns true when it
 * was in order, that is when RCV.NXT moved.
 */
export function textAccept(tcb: Tcb, segment: Segment): bool {
  if (segment.left == segment.right) return false;
  // Without ranges nothing else has been placed.
  if (TCP_RANGES == 0 || segment.left == tcb.rcvNxt) {
    tcb.rcvNxt = rangesAdvance(tcb, segment.right);
    return true;
  }
  rangeAdd(tcb, segment.left, segment.right);
  count(Counter.TCP_OUT_OF_ORDER);
  return false;
}

/** Copies text to the application's memory; `peek` leaves it in the ring. Returns the number of bytes. */
export function textRead(tcb: Tcb, to: usize, capacity: u32, peek: bool): u32 {
  let bytes = min<u32>(capacity, textReadable(tcb));
  if (TCP_URGENT && (tcb.flags & TcbFlag.URGENT) != 0) {
    bytes = urgentLimit(tcb, bytes);
    if (!peek) urgentRead(tcb, bytes);
  }
  const at = placeOf(tcb, tcb.rcvRead);
  if (at + bytes <= TCP_RX_BYTES) {
    memory.copy(to, ring(tcb) + at, bytes);
  } else {
    const first = TCP_RX_BYTES - at;
    memory.copy(to, ring(tcb) + at, first);
    memory.copy(to + first, ring(tcb), bytes - first);
  }
  if (!peek) tcb.rcvRead += bytes;
  return bytes;
}

/** Address of the text that can be read in place; it stays as it is until `textRelease`. */
export function textAddress(tcb: Tcb): usize {
  return ring(tcb) + placeOf(tcb, tcb.rcvRead);
}

/** How much of `bytes` lies at `textAddress`; the rest lies at `textStart`. */
export function textContiguous(tcb: Tcb, bytes: u32): u32 {
  return min<u32>(bytes, TCP_RX_BYTES - placeOf(tcb, tcb.rcvRead));
}

/** Where the ring begins. */
export function textStart(tcb: Tcb): usize {
  return ring(tcb);
}

/** Bytes that may be read in place now: up to the mark of urgent data. */
export function textBorrowable(tcb: Tcb): u32 {
  const bytes = textReadable(tcb);
  return TCP_URGENT && (tcb.flags & TcbFlag.URGENT) != 0 ? urgentLimit(tcb, bytes) : bytes;
}

/** The application has read `bytes` in place, no more than there were. */
export function textRelease(tcb: Tcb, bytes: u32): void {
  if (TCP_URGENT && (tcb.flags & TcbFlag.URGENT) != 0) urgentRead(tcb, bytes);
  tcb.rcvRead += bytes;
}
