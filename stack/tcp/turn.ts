import { TCP_CONNECT, TCP_SYN_COOKIES, TCP_SYN_RECORDS, TCP_TCBS } from "../config";
import { EAGAIN, EHOSTUNREACH, EINPROGRESS, ENETDOWN } from "../errors";
import { isOurs } from "../interface";
import { isLoopback } from "../ip/packet";
import {
  ANSWERS,
  FIRST_SYN_RECORD,
  FIRST_TIME_WAIT,
  SynRecord,
  Tcb,
  TcbFlag,
  TcbTimer,
  TcpState,
  connectionAt,
  synRecordAt,
  tcbAt,
} from "./connection";
import { cookiesOwed, cookiesSend } from "./cookie";
import { synAckOutput } from "./emit";
import { tcbAbort } from "./lifecycle";
import { tcpOutput } from "./output";
import {
  pendingAdd,
  pendingAddAnswers,
  pendingAddRecord,
  pendingAny,
  pendingFirst,
  pendingTake,
} from "./pending";
import { promoteWaiting } from "./promote";
import { rtoRestore } from "./rto";
import { handshakeWaiting } from "./syn-records";
import { retransmissionTimerStart, timeoutStart } from "./timers";

/**
 * The turn of those who have something to send (`pending.ts`), so that one acknowledgment answers all frames of a turn
 * (RFC 9293 MUST-58, MUST-59). It stops when the chip has no room, to go on in a later turn. What the layers below have
 * found out, a neighbour or another address, is brought here by `stackPoll`.
 */

/** Connections that may find no room in one turn: where it is wanting for a full segment there may be some for an acknowledgment. */
const REFUSALS: u32 = 4;

/** Lets those who have become able to have a TCB have it, and each waiting connection send. */
export function tcpTurn(): void {
  if (handshakeWaiting()) promoteWaiting();
  if (pendingAny()) pendingRun();
}

function pendingRun(): void {
  if (TCP_SYN_COOKIES && pendingFirst() == ANSWERS) {
    pendingTake(connectionAt(ANSWERS));
    cookiesSend();
  }
  let refusals: u32 = 0;
  // A connection that has more than its burst, or finds no room, enters again at the end; the bound gives each one turn.
  for (let turns: u32 = 0; pendingAny() && turns < TCP_TCBS + TCP_SYN_RECORDS; turns++) {
    const id = pendingFirst();
    const result = id < FIRST_SYN_RECORD ? outputTcb(tcbAt(id)) : outputSynAck(synRecordAt(id));
    if (result == 0) continue;
    if (result == -EAGAIN) {
      if (id < FIRST_SYN_RECORD) pendingAdd(tcbAt(id));
      else pendingAddRecord(id);
      if (++refusals == REFUSALS) break;
      continue;
    }
    if (id < FIRST_SYN_RECORD) refused(tcbAt(id), -result);
  }
  if (TCP_SYN_COOKIES && cookiesOwed()) pendingAddAnswers();
}

function outputTcb(tcb: Tcb): i32 {
  pendingTake(tcb);
  return tcpOutput(tcb);
}

function outputSynAck(record: SynRecord): i32 {
  pendingTake(record);
  if (record.state == TcpState.CLOSED || !record.due) return 0;
  const result = synAckOutput(record);
  if (result != -EAGAIN && result != -EINPROGRESS) record.due = false;
  return result;
}

/** The neighbour is not known (yet), or there is no route. */
function refused(tcb: Tcb, error: i32): void {
  tcb.flags |= TcbFlag.WAIT_NEIGHBOUR;
  if (TCP_CONNECT && tcb.state == TcpState.SYN_SENT && error == EHOSTUNREACH) {
    tcbAbort(tcb, error);
    return;
  }
  tcb.softError = <u8>(error == EINPROGRESS ? EHOSTUNREACH : error);
  // A backup for the event: the retransmission timer tries again, and gives up in the end.
  if (((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0) timeoutStart(tcb);
}

/** A neighbour was found or given up: whoever waited for one tries again. */
export function tcpNeighboursChanged(): void {
  for (let id: u32 = 0; id < TCP_TCBS; id++) {
    const tcb = tcbAt(id);
    if (tcb.state == TcpState.CLOSED || (tcb.flags & TcbFlag.WAIT_NEIGHBOUR) == 0) continue;
    tcb.flags &= ~TcbFlag.WAIT_NEIGHBOUR;
    pendingAdd(tcb);
  }
  for (let id = FIRST_SYN_RECORD; id < FIRST_TIME_WAIT; id++) {
    const record = synRecordAt(id);
    if (record.state != TcpState.CLOSED && record.due) pendingAddRecord(id);
  }
}

/**
 * The link is back: what waits for a timer that silence has backed off is tried at once (the reasons of RFC 6069 hold for a
 * cable as for a route).
 */
export function tcpLinkUp(): void {
  for (let id: u32 = 0; id < TCP_TCBS; id++) {
    const tcb = tcbAt(id);
    if (tcb.state == TcpState.CLOSED || ((<u32>tcb.armed) & TcbTimer.RETRANSMIT) == 0) continue;
    tcb.retries = 0;
    rtoRestore(tcb);
    retransmissionTimerStart(tcb, 0);
  }
}

/** An address was lost, or is another one: nothing can reach the connections made from it, so they end. */
export function tcpAddressChanged(): void {
  for (let id: u32 = 0; id < TCP_TCBS; id++) {
    const tcb = tcbAt(id);
    if (tcb.state == TcpState.CLOSED || isOurs(tcb.localAddress)) continue;
    if (!isLoopback(tcb.localAddress)) tcbAbort(tcb, ENETDOWN);
  }
}
