import { ETIMEDOUT } from "../errors";
import { now } from "../now";
import { Counter, count } from "../statistics";
import { Tcb, TcbFlag, TcpState } from "./connection";
import { sendReset } from "./emit";
import { tcbAbort } from "./lifecycle";
import { patienceOf } from "./patience";
import { pendingAdd } from "./pending";
import { lifeTimerStart } from "./timers";

/** The time of a keep-alive has come: a probe, the end, or more patience. */
export function keepAliveExpired(tcb: Tcb): void {
  if ((tcb.flags & TcbFlag.KEEP_ALIVE) == 0) return;
  const it = patienceOf(tcb);
  const state = <u32>tcb.state;
  const idleMs = <u32>it.idleS * 1000;
  const silentMs = now() - it.heard;
  // MUST-26: only with nothing outstanding, and after an interval in which nothing was heard.
  const busy = tcb.sndMax != tcb.sndUna || tcb.queued != 0;
  if (busy || state < <u32>TcpState.ESTABLISHED) {
    lifeTimerStart(tcb, idleMs);
    return;
  }
  if (silentMs < idleMs) {
    lifeTimerStart(tcb, idleMs - silentMs);
    return;
  }
  // Since it was heard last, but not without having asked (tcp(7): TCP_USER_TIMEOUT overrides the number of probes).
  const limit = it.userTimeoutMs;
  if (limit != 0 ? it.probes != 0 && silentMs >= limit : it.probes >= it.count) {
    sendReset(tcb);
    tcbAbort(tcb, ETIMEDOUT);
    return;
  }
  it.probes += 1;
  count(Counter.TCP_KEEP_ALIVE);
  tcb.flags |= TcbFlag.KEEP_PROBE;
  pendingAdd(tcb);
  lifeTimerStart(tcb, <u32>it.intervalS * 1000);
}
