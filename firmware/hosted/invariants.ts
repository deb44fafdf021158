import { TCP_RACK, TCP_RANGES, TCP_RX_BYTES, TCP_SACK, TCP_TX_BYTES } from "../../stack/config";
import {
  CONNECTIONS,
  Connection,
  FIRST_SYN_RECORD,
  Tcb,
  TcbFlag,
  TcbTimer,
  TcpState,
  connectionAt,
  connectionFind,
  tcbAt,
} from "../../stack/tcp/connection";
import { rangeLeft, rangeRight } from "../../stack/tcp/ranges";
import { sackedLeft, sackedRight } from "../../stack/tcp/sack";
import { runAt, timesOf } from "../../stack/tcp/send-times";
import { seqAtMost, seqLess } from "../../stack/tcp/sequence";
import { delackDue } from "../../stack/tcp/timers";
import { TIMER_TCP, timerArmed, timerDue } from "../../stack/time/timers";

/**
 * What holds of all records of the TCP between two turns, whatever comes from the wire. The simulation asks after every turn; the
 * numbers of the rules are those of `host-tools/simulate/rules.ts`.
 */

/** 0 when all rules hold, otherwise the rule and 256 times the number of the record. */
export function tcpBrokenRule(): u32 {
  for (let id: u32 = 0; id < CONNECTIONS; id++) {
    const connection = connectionAt(id);
    if (connection.state == TcpState.CLOSED) continue;
    let rule = tableRule(connection, id);
    if (rule == 0 && id < FIRST_SYN_RECORD) rule = tcbRule(tcbAt(id));
    if (rule != 0) return rule | (id << 8);
  }
  return 0;
}

function tableRule(connection: Connection, id: u32): u32 {
  const found = connectionFind(connection.localAddress, connection.remoteAddress, connection.ends);
  if (found != id) return 1;
  if (id >= FIRST_SYN_RECORD && !timerArmed(TIMER_TCP + id)) return 2;
  return 0;
}

function tcbRule(tcb: Tcb): u32 {
  let rule = sendRule(tcb);
  if (rule == 0 && tcb.state != TcpState.SYN_SENT) rule = receiveRule(tcb);
  return rule == 0 ? timerRule(tcb) : rule;
}

function sendRule(tcb: Tcb): u32 {
  if (!seqAtMost(tcb.sndUna, tcb.sndNxt) || !seqAtMost(tcb.sndNxt, tcb.sndMax)) return 3;
  if (tcb.sndMax - tcb.sndUna > tcb.queued + 1) return 4;
  if (<u32>tcb.ringBytes > TCP_TX_BYTES || <u32>tcb.ringHead >= TCP_TX_BYTES) return 5;
  if (tcb.cwnd == 0 && <u32>tcb.state >= <u32>TcpState.ESTABLISHED) return 6;
  if ((tcb.flags & (TcbFlag.FIN_SENT | TcbFlag.FIN_QUEUED)) == TcbFlag.FIN_SENT) return 7;
  if (!TCP_SACK) return 0;
  let edge = tcb.sndUna;
  for (let index: u32 = 0; index < <u32>tcb.sacked; index++) {
    const left = sackedLeft(tcb, index);
    const right = sackedRight(tcb, index);
    if (!seqLess(edge, left) || !seqLess(left, right)) return 8;
    edge = right;
  }
  if (!seqAtMost(edge, tcb.sndMax)) return 8;
  const timed = TCP_RACK && (tcb.flags & TcbFlag.SACK_PERMITTED) != 0;
  return timed && <u32>tcb.state >= <u32>TcpState.ESTABLISHED ? timesRule(tcb) : 0;
}

function timesRule(tcb: Tcb): u32 {
  if (tcb.sndMax == tcb.sndUna) return 0;
  const times = timesOf(tcb);
  const count = <u32>times.runs;
  for (let index: u32 = 0; index < count; index++) {
    if (runAt(times, index).bytes == 0) return 19;
  }
  return count != 0 && times.end == tcb.sndMax ? 0 : 19;
}

function receiveRule(tcb: Tcb): u32 {
  const finished = (tcb.flags & TcbFlag.FIN_RECEIVED) != 0;
  if (finished && <u16>tcb.rcvNxt != <u16>(<u32>tcb.finSeq + 1)) return 9;
  const end = finished ? tcb.rcvNxt - 1 : tcb.rcvNxt;
  if (!seqAtMost(tcb.rcvRead, end) || end - tcb.rcvRead > TCP_RX_BYTES) return 10;
  if (!seqAtMost(end, tcb.rcvAdv) && seqLess(tcb.rcvRead, end)) return 11;
  if (seqLess(end, tcb.rcvAdv) && tcb.rcvAdv - tcb.rcvRead > TCP_RX_BYTES + (finished ? 1 : 0))
    return 12;
  if (<u32>tcb.ranges > TCP_RANGES) return 13;
  let edge = tcb.rcvNxt;
  for (let index: u32 = 0; index < <u32>tcb.ranges; index++) {
    const left = rangeLeft(tcb, index);
    const right = rangeRight(tcb, index);
    if (!seqLess(edge, left) || !seqLess(left, right)) return 14;
    edge = right;
  }
  return tcb.ranges == 0 || edge - tcb.rcvRead <= TCP_RX_BYTES ? 0 : 15;
}

function timerRule(tcb: Tcb): u32 {
  const armed = <u32>tcb.armed;
  const waits = tcb.nextPending != 0 || (tcb.flags & TcbFlag.WAIT_NEIGHBOUR) != 0;
  const owes =
    tcb.sndMax != tcb.sndUna || (tcb.queued != 0 && <u32>tcb.state >= <u32>TcpState.ESTABLISHED);
  if (owes && !waits && (armed & TcbTimer.RETRANSMIT) == 0) return 16;
  if (armed == 0) return 0;
  const timer = TIMER_TCP + <u32>tcb.id;
  if (!timerArmed(timer)) return 17;
  const due = timerDue(timer);
  if ((armed & TcbTimer.RETRANSMIT) != 0 && <i32>(due - tcb.rexmtDue) > 0) return 18;
  if ((armed & TcbTimer.DELAYED_ACK) != 0 && <i32>(due - delackDue(tcb)) > 0) return 18;
  return (armed & TcbTimer.LIFE) != 0 && <i32>(due - tcb.lifeDue) > 0 ? 18 : 0;
}
