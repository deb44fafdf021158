import { TCP_RX_BYTES, TCP_TCBS } from "../config";
import { LINK_RX_BYTES } from "../link/device";
import { now } from "../now";
import { Tcb, TcbFlag } from "./connection";
import { RECEIVE_MSS } from "./emit";
import { DEFAULT_MSS } from "./segment";
import { seqLess } from "./sequence";
import { textRoom } from "./text";

/**
 * The window that we announce. Connections that receive at the same time share the memory of the chip: windows that add up to more than it holds are
 * promises that it breaks by losing frames, and whose frames are lost is chance. So none announces more than its share while
 * others receive, too. A window that was announced is kept (RFC 9293 SHLD-14); the share limits how it grows.
 */

/** False when the rings of all connections fit into the chip together. */
const SCARCE: bool = TCP_TCBS * TCP_RX_BYTES > LINK_RX_BYTES;
/** A connection counts as receiving until the end of the period after its last text: 2^8 ms each. */
const PERIOD_SHIFT: u32 = 8;
/** Bytes that a full segment takes in the chip: frame, and what the chip writes before and behind it. */
const FRAME_BYTES: u32 = 1536;

let period: u32 = 0;
/** Connections that have received text in this period, and in the one before. */
let receiving: u32 = 0;
let received: u32 = 0;

/** Text in order has come. */
export function shareNote(tcb: Tcb): void {
  if (!SCARCE) return;
  // In the function, so that a build that needs none has no such table: the period of each connection's last text.
  const LAST: usize = memory.data(TCP_TCBS, 1);
  const at = now() >>> PERIOD_SHIFT;
  if (at != period) {
    received = at - period == 1 ? receiving : 0;
    receiving = 0;
    period = at;
  }
  // Eight bits tell a period from those that are near; a connection that was silent for a minute may be missed once.
  if (load<u8>(LAST + <u32>tcb.id) == <u8>(at + 1)) return;
  store<u8>(LAST + <u32>tcb.id, <u8>(at + 1));
  receiving += 1;
}

/** Bytes that a connection may have on the way to it. */
function shareBytes(): u32 {
  if (!SCARCE) return TCP_RX_BYTES;
  const count = max<u32>(receiving, received);
  if (count < 2) return TCP_RX_BYTES;
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

/** Window to announce; moves the announced edge only by a worthwhile step (RFC 9293 MUST-39), never back (SHLD-14). */
export function receiveWindow(tcb: Tcb): u32 {
  const share = shareBytes();
  const room = min<u32>(textRoom(tcb), share);
  const announced = seqLess(tcb.rcvNxt, tcb.rcvAdv) ? tcb.rcvAdv - tcb.rcvNxt : 0;
  if (room >= announced + min<u32>(share >>> 1, RECEIVE_MSS)) return room;
  // A share may be one segment: room for one where there was none is worth a word whatever the step.
  if (SCARCE && room > announced) {
    const size = receivedSize(tcb);
    if (announced < size && room >= size) return room;
  }
  return announced;
}

/** True when an acknowledgment would open the window by a step that the peer should hear of. */
export function windowUpdateWorthwhile(tcb: Tcb): bool {
  return tcb.rcvNxt + receiveWindow(tcb) != tcb.rcvAdv && (tcb.flags & TcbFlag.FIN_RECEIVED) == 0;
}
