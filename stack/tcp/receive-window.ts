import { TCP_RX_BYTES, TCP_TCBS } from "../config";
import { LINK_RX_BYTES } from "../link/device";
import { now } from "../now";
import { Tcb, TcbFlag, TcpState, tcbAt } from "./connection";
import { ackNow } from "./lifecycle";
import { ALONE_BYTES, FRAME_BYTES, PLACES, RECEIVE_MSS } from "./places";
import { DEFAULT_MSS, TIMESTAMP_BYTES } from "./segment";
import { seqLess } from "./sequence";
import { textRoom } from "./text";
import { delackTimerStart } from "./timers";
import { timestampsUsed } from "./timestamps";

/**
 * The window that we announce. Connections that receive at the same time share the memory of the chip: windows that add up to more than it holds are
 * promises that it breaks by losing frames, and whose frames are lost is chance. So none announces more than its share while
 * others receive, too, and when there are more of them than frames fit they take turns. A window that was announced is kept (RFC 9293 SHLD-14); the share limits how it grows.
 */

/** False when the rings of all connections fit into the chip together. */
const SCARCE: bool = TCP_TCBS * TCP_RX_BYTES > LINK_RX_BYTES;
/** A connection counts as receiving until the end of the period after its last text: 2^8 ms each. */
const PERIOD_SHIFT: u32 = 8;
/** Longest wait for a turn, ms: who has a place may have nothing to send. */
const TURN_MS: u32 = 50;
/** Bits of a connection's byte: it waits for its turn, it has it. */
const WAITS: u8 = 1;
const GRANTED: u8 = 2;

let period: u32 = 0;
/** Connections that have received text in this period, and in the one before. */
let receiving: u32 = 0;
let received: u32 = 0;

/** The period of a connection's last text: one byte. In a function, so that a build that needs none has no such table. */
function lastText(id: u32): usize {
  const LAST: usize = memory.data(TCP_TCBS, 1);
  return LAST + id;
}

/** WAITS or GRANTED of a connection: one byte. */
function turnOf(id: u32): usize {
  const TURNS: usize = memory.data(TCP_TCBS, 1);
  return TURNS + id;
}

/** A segment of `bytes` bytes of text in order has come. One below what every link carries is a question, not a transfer that needs a share. */
export function shareNote(tcb: Tcb, bytes: u32): void {
  if (!SCARCE || bytes < DEFAULT_MSS) return;
  const at = now() >>> PERIOD_SHIFT;
  if (at != period) {
    received = at - period == 1 ? receiving : 0;
    receiving = 0;
    period = at;
  }
  // Eight bits tell a period from those that are near; a connection that was silent for a minute may be missed once.
  if (load<u8>(lastText(<u32>tcb.id)) != <u8>(at + 1)) {
    store<u8>(lastText(<u32>tcb.id), <u8>(at + 1));
    receiving += 1;
  }
  if (crowded()) turnsGrant();
}

/** More connections receive than the chip holds frames. */
function crowded(): bool {
  return max(receiving, received) > PLACES;
}

/** The byte of a turn may be left over from a connection that had the record before: one that is being opened has none. */
function isOpen(tcb: Tcb): bool {
  return <u32>tcb.state >= <u32>TcpState.ESTABLISHED;
}

/** True when a connection has received text in this period or the one before. */
function receivesNow(tcb: Tcb): bool {
  if (!isOpen(tcb)) return false;
  return <u32>(<u8>(period + 1 - <u32>load<u8>(lastText(<u32>tcb.id)))) < 2;
}

/** Bytes of the window that the peer may still use. */
function promisedBytes(tcb: Tcb): u32 {
  return seqLess(tcb.rcvNxt, tcb.rcvAdv) ? tcb.rcvAdv - tcb.rcvNxt : 0;
}

/** Frames that may come without another word from us. */
function placesTaken(): u32 {
  let taken: u32 = 0;
  for (let id: u32 = 0; id < TCP_TCBS; id++) {
    const tcb = tcbAt(id);
    if (!receivesNow(tcb)) continue;
    taken += promisedBytes(tcb) / receivedSize(tcb);
    if (load<u8>(turnOf(id)) == GRANTED) taken += 1;
  }
  return taken;
}

/** The connection that waits for its turn, from `from` on around the table; TCP_TCBS = none. */
function nextWaiting(from: u32): u32 {
  for (let step: u32 = 0; step < TCP_TCBS; step++) {
    const id = (from + step) % TCP_TCBS;
    if (load<u8>(turnOf(id)) == WAITS && isOpen(tcbAt(id))) return id;
  }
  return TCP_TCBS;
}

/** Who had the last turn; the next one in the table is next. */
let lastTurn: u32 = 0;

/** A frame has come: the place that it took in the window of its connection is the next one's. */
function turnsGrant(): void {
  for (let taken = placesTaken(); taken < PLACES; taken++) {
    const id = nextWaiting(lastTurn + 1);
    if (id == TCP_TCBS) return;
    lastTurn = id;
    turnGive(tcbAt(id));
  }
}

function turnGive(tcb: Tcb): void {
  store<u8>(turnOf(<u32>tcb.id), GRANTED);
  ackNow(tcb);
}

/** True when a connection may open its window for one segment more. */
function hasTurn(tcb: Tcb): bool {
  if (load<u8>(turnOf(<u32>tcb.id)) == GRANTED) return true;
  return nextWaiting(0) == TCP_TCBS && placesTaken() < PLACES;
}

/** A connection with room whose window is used up, and that may not open it now, waits for its turn. */
export function turnAsk(tcb: Tcb): void {
  // Who waits already keeps his time.
  if (!SCARCE || !crowded() || load<u8>(turnOf(<u32>tcb.id)) == WAITS) return;
  const size = receivedSize(tcb);
  if (promisedBytes(tcb) >= size || textRoom(tcb) < size || hasTurn(tcb)) return;
  store<u8>(turnOf(<u32>tcb.id), WAITS);
  delackTimerStart(tcb, TURN_MS);
}

/** An acknowledgment has told the window: the turn is over, if it was one. */
export function turnTold(tcb: Tcb): void {
  if (!SCARCE || (load<u8>(turnOf(<u32>tcb.id)) == 0 && !crowded())) return;
  store<u8>(turnOf(<u32>tcb.id), 0);
  turnAsk(tcb);
}

/** The delayed acknowledgment is due: who has waited for so long has his turn whatever the others do. */
export function turnDue(tcb: Tcb): void {
  if (SCARCE && load<u8>(turnOf(<u32>tcb.id)) == WAITS) turnGive(tcb);
}

/** Bytes that a connection may have on the way to it. */
function shareBytes(): u32 {
  if (!SCARCE) return TCP_RX_BYTES;
  const count = max<u32>(receiving, received);
  if (count < 2) return ALONE_BYTES;
  // Whole segments, and one at least: with less a peer waits for more (RFC 9293 3.8.6.2.1). With more receivers than the chip
  // holds segments it may still lose some.
  const segments = max<u32>(LINK_RX_BYTES / (count * FRAME_BYTES), 1);
  return min<u32>(segments * RECEIVE_MSS, TCP_RX_BYTES);
}

/** Size of the peer's full segments: the largest seen, and before that no more than what every link carries. */
export function receivedSize(tcb: Tcb): u32 {
  const least = min<u32>(<u32>tcb.sndMss, min<u32>(DEFAULT_MSS, TCP_RX_BYTES >>> 1));
  return max<u32>((<u32>tcb.rcvMss) << 3, least);
}

/** With less than this, a few segments, what the window tells of each of them counts. */
const SEGMENTS_4: u32 = 4 * RECEIVE_MSS;
const SMALL: bool = TCP_RX_BYTES < SEGMENTS_4;

/**
 * A full segment as the peer sends it (Eff.snd.MSS, RFC 9293 3.7.1): with timestamps it is shorter than our MSS. Where the chip holds a few
 * segments the step stays that little longer, so that it is told of two of them together: an ENC28J60 takes 3 % more from its wire.
 */
function fullSize(tcb: Tcb): u32 {
  return (SMALL || !SCARCE) && timestampsUsed(tcb) ? RECEIVE_MSS - TIMESTAMP_BYTES : RECEIVE_MSS;
}

/** Window to announce; moves the announced edge only by a worthwhile step (RFC 9293 MUST-39), never back (SHLD-14). */
export function receiveWindow(tcb: Tcb): u32 {
  const share = shareBytes();
  const room = SCARCE ? min<u32>(textRoom(tcb), share) : textRoom(tcb);
  const announced = promisedBytes(tcb);
  if (SCARCE && crowded()) {
    const size = receivedSize(tcb);
    return announced < size && room >= size && hasTurn(tcb) ? room : announced;
  }
  if (room >= announced + min<u32>(share >>> 1, fullSize(tcb))) return room;
  // A share may be one segment: room for one where there was none is worth a word whatever the step.
  if (SCARCE && room > announced) {
    const size = receivedSize(tcb);
    if (announced < size && room >= size) return room;
  }
  return announced;
}

/** True when that is not so, at a glance: whatever the share, it holds no more than the ring. */
export function windowIsWide(tcb: Tcb): bool {
  if (SMALL || <i32>(tcb.rcvAdv - tcb.rcvNxt) < <i32>(TCP_RX_BYTES >>> 1)) return false;
  return tcb.rcvRead + TCP_RX_BYTES - tcb.rcvAdv <= 2 * RECEIVE_MSS;
}

/**
 * True when an acknowledgment should leave only to open the window. While the peer may still use half of a window of four segments or
 * more the next acknowledgment of text is soon enough, unless room for more than two segments has become free since the last: so each
 * second segment is acknowledged (RFC 5681 4.2), as with other stacks, and not each that was read.
 */
export function windowUpdateWorthwhile(tcb: Tcb): bool {
  const opens = tcb.rcvNxt + receiveWindow(tcb) - tcb.rcvAdv;
  if (opens == 0 || (tcb.flags & TcbFlag.FIN_RECEIVED) != 0) return false;
  const share = shareBytes();
  return share < SEGMENTS_4 || opens > 2 * RECEIVE_MSS || promisedBytes(tcb) < share >>> 1;
}
