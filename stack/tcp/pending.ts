import { TCP_SYN_RECORDS, TCP_TCBS } from "../config";
import { EAGAIN, EHOSTUNREACH, EINPROGRESS, ENETDOWN } from "../errors";
import { iface } from "../interface";
import {
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  Tcb,
  TcbFlag,
  TcbTimer,
  TcpState,
  connectionAt,
  synRecordAt,
  tcbAt,
} from "./connection";
import { synAckOutput } from "./emit";
import { tcbAbort } from "./lifecycle";
import { tcpOutput } from "./output";
import { timerStart } from "./timers";

/**
 * Connections that have something to send, first come first served. Input only enters them here; output runs once all
 * received frames of a turn are done, so one acknowledgment answers all of them (RFC 9293 MUST-58, MUST-59), and it stops
 * when the chip has no room, to go on in a later turn.
 */
const END: u32 = 0xff;
let head: u32 = END;
let tail: u32 = END;

/** Enters a TCB or SYN record by its connection number; harmless when it is in already. */
export function pendingAdd(id: u32): void {
  const connection = connectionAt(id);
  if (connection.nextPending != 0) return;
  connection.nextPending = <u8>END;
  if (head == END) head = id;
  else connectionAt(tail).nextPending = <u8>(id + 1);
  tail = id;
}

/** Takes a record out, because it is about to be freed. */
export function pendingRemove(id: u32): void {
  const gone = connectionAt(id);
  if (gone.nextPending == 0) return;
  let before: u32 = END;
  let at = head;
  for (let steps: u32 = 0; at != id && steps < TCP_TCBS + TCP_SYN_RECORDS; steps++) {
    before = at;
    at = <u32>connectionAt(at).nextPending - 1;
  }
  const next = <u32>gone.nextPending;
  gone.nextPending = 0;
  if (before == END) head = next == END ? END : next - 1;
  else connectionAt(before).nextPending = <u8>next;
  if (tail == id) tail = before;
}

/** True when a connection waits for its turn to send. */
export function pendingAny(): bool {
  return head != END;
}

/** Lets each waiting connection send; returns false when the IP layer had no more room. */
export function pendingRun(): bool {
  if (iface.address != address) addressChanged();
  // A connection that has more than its burst enters again at the end; the bound gives each one turn.
  for (let turns: u32 = 0; head != END && turns < TCP_TCBS + TCP_SYN_RECORDS; turns++) {
    const id = head;
    pendingRemove(id);
    const result = id < FIRST_SYN_RECORD ? tcpOutput(tcbAt(id)) : outputSynAck(id);
    if (result == 0) continue;
    if (result == -EAGAIN) {
      pendingPutBack(id);
      return false;
    }
    if (id < FIRST_SYN_RECORD) refused(tcbAt(id), -result);
  }
  return true;
}

/** Address that connections are made from, as of the last turn. */
let address: u32 = 0;

/** The address was lost, or is another one: nothing can reach the connections made from it, so they end. */
function addressChanged(): void {
  const before = address;
  address = iface.address;
  if (before == 0) return;
  for (let id: u32 = 0; id < TCP_TCBS; id++) {
    const tcb = tcbAt(id);
    if (tcb.state != TcpState.CLOSED && tcb.localAddress == before) tcbAbort(tcb, ENETDOWN);
  }
}

function pendingPutBack(id: u32): void {
  const connection = connectionAt(id);
  if (connection.nextPending != 0) return;
  connection.nextPending = head == END ? <u8>END : <u8>(head + 1);
  if (head == END) tail = id;
  head = id;
}

function outputSynAck(id: u32): i32 {
  const record = synRecordAt(id);
  if (record.state == TcpState.CLOSED || record.due == 0) return 0;
  const result = synAckOutput(record);
  if (result != -EAGAIN && result != -EINPROGRESS) record.due = 0;
  return result;
}

/** The neighbour is not known (yet), or there is no route. */
function refused(tcb: Tcb, error: i32): void {
  tcb.flags |= TcbFlag.WAIT_NEIGHBOUR;
  if (tcb.state == TcpState.SYN_SENT && error == EHOSTUNREACH) {
    tcbAbort(tcb, error);
    return;
  }
  tcb.softError = <u8>(error == EINPROGRESS ? EHOSTUNREACH : error);
  // A backup for the event: the retransmission timer tries again, and gives up in the end.
  if (((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0) timerStart(tcb, TcbTimer.RETRANSMIT, tcb.rto);
}

/** An ARP reply came, or a route: whoever waited for it may send. */
export function tcpNeighbourReady(): void {
  for (let id: u32 = 0; id < TCP_TCBS; id++) {
    const tcb = tcbAt(id);
    if (tcb.state == TcpState.CLOSED || (tcb.flags & TcbFlag.WAIT_NEIGHBOUR) == 0) continue;
    tcb.flags &= ~TcbFlag.WAIT_NEIGHBOUR;
    pendingAdd(id);
  }
  for (let id = FIRST_SYN_RECORD; id < FIRST_TIME_WAIT; id++) {
    const record = synRecordAt(id);
    if (record.state != TcpState.CLOSED && record.due != 0) pendingAdd(id);
  }
}
