import { clockMs } from "board";
import { GPIO_WATCHES, LOOP_DEFERRED, LOOP_RING, LOOP_TIMERS } from "../../stack/config";
import { EINVAL, ENOBUFS } from "../../stack/errors";
import {
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EpollEvent,
  epollCreate,
  epollCtl,
  epollWait,
} from "./epoll";

import { gpioNext } from "./gpio";
import {
  loopRingData,
  loopRingEvents,
  loopRingForget,
  loopRingNext,
  loopRingWait,
  loopRingWatch,
} from "./loop-ring";

/**
 * An event loop: sockets, timers and deferred work, each with the number of its handler and a number of the caller's. A device
 * has no function values, so the loop gives the next event and the application switches over the handler:
 *
 *     for (;;) {
 *       switch (loopNext()) {
 *         case Handler.ACCEPT: onAccept(loopContext()); break;
 *         case Handler.TICK: onTick(loopContext()); break;
 *       }
 *     }
 *
 * Below it is epoll, or with LOOP_RING 1 in `app.json` the completion queue: the same program text runs on both, only EPOLLET is
 * epoll's alone. Between events the processor sleeps until the next one or the next timer.
 */

/** A timer; `handler` 0 = free. */
@unmanaged
class LoopTimer {
  handler: u32;
  context: u32;
  due: u32;
  /** Milliseconds from one time to the next; 0 = once. */
  periodMs: u32;
}

/** Work for the next turn. */
@unmanaged
class Deferred {
  handler: u32;
  context: u32;
}

/** Events that epoll gives at a time. */
const BATCH: i32 = 8;
let epfd: i32 = -1;
let batched: i32 = 0;
let taken: i32 = 0;
let deferredHead: u32 = 0;
let deferredCount: u32 = 0;
/** Timers and deferred work that may still have their turn before the network has its own: what comes on top waits. */
let timersLeft: u32 = 0;
let deferredLeft: u32 = 0;
let context: u32 = 0;
let events: u32 = 0;

// The tables are constants of functions, so that an application without the loop has none of them.

function timerAt(index: u32): LoopTimer {
  const TIMERS: usize = memory.data(LOOP_TIMERS * offsetof<LoopTimer>(), 4);
  return changetype<LoopTimer>(TIMERS + index * offsetof<LoopTimer>());
}

function deferredAt(index: u32): Deferred {
  const DEFERRED: usize = memory.data(LOOP_DEFERRED * offsetof<Deferred>(), 4);
  return changetype<Deferred>(DEFERRED + (index % LOOP_DEFERRED) * offsetof<Deferred>());
}

/** Events that epoll gave. */
function batch(): usize {
  const EVENTS: usize = memory.data(BATCH * offsetof<EpollEvent>(), 4);
  return EVENTS;
}

/** Bits that the last event of a socket has: EPOLLIN …; 0 for timers and deferred work. */
export function loopEvents(): u32 {
  return events;
}

/** The number that was given with the handler of the last event. */
export function loopContext(): u32 {
  return context;
}

/**
 * Watches a socket: `handler` (not 0) is given by `loopNext` while one of the EPOLL… bits is so (with EPOLLET: when it becomes
 * so). `data` comes back by `loopContext`, the descriptor for one. A socket that is watched already is watched anew. 0 or a
 * negative errno.
 */
export function loopWatch(fd: i32, bits: u32, handler: u32, data: u32): i32 {
  if (handler == 0) return -EINVAL;
  if (LOOP_RING) return loopRingWatch(fd, bits, handler, data);
  if (epfd < 0) epfd = epollCreate();
  if (epfd < 0) return epfd;
  const CHANGE: usize = memory.data(offsetof<EpollEvent>(), 4);
  const change = changetype<EpollEvent>(CHANGE);
  change.events = bits;
  change.data = handler;
  change.dataHigh = data;
  const added = epollCtl(epfd, EPOLL_CTL_ADD, fd, change);
  return added == 0 ? 0 : epollCtl(epfd, EPOLL_CTL_MOD, fd, change);
}

/** Watches a socket no more. Events of it that were found already may still come. */
export function loopForget(fd: i32): i32 {
  return LOOP_RING ? loopRingForget(fd) : epollCtl(epfd, EPOLL_CTL_DEL, fd, null);
}

/** Starts a timer: its number, or -ENOBUFS. `periodMs` 0 = once. */
export function loopTimer(delayMs: u32, periodMs: u32, handler: u32, data: u32): i32 {
  if (handler == 0) return -EINVAL;
  for (let index: u32 = 0; index < LOOP_TIMERS; index++) {
    const timer = timerAt(index);
    if (timer.handler != 0) continue;
    timer.handler = handler;
    timer.context = data;
    timer.due = clockMs() + delayMs;
    timer.periodMs = periodMs;
    return <i32>index;
  }
  return -ENOBUFS;
}

/** Stops a timer. */
export function loopTimerStop(number: i32): void {
  if (<u32>number < LOOP_TIMERS) timerAt(<u32>number).handler = 0;
}

/** Has `handler` called in a later turn, after what is waiting already. 0 or -ENOBUFS. */
export function loopDefer(handler: u32, data: u32): i32 {
  if (handler == 0) return -EINVAL;
  if (deferredCount == LOOP_DEFERRED) return -ENOBUFS;
  const work = deferredAt(deferredHead + deferredCount);
  work.handler = handler;
  work.context = data;
  deferredCount += 1;
  return 0;
}

/** Milliseconds until the first timer, at most a minute. */
function untilTimer(nowMs: u32): u32 {
  let left: u32 = 60_000;
  for (let index: u32 = 0; index < LOOP_TIMERS; index++) {
    const timer = timerAt(index);
    if (timer.handler == 0) continue;
    const wait = <i32>(timer.due - nowMs);
    left = min<u32>(left, wait > 0 ? <u32>wait : 0);
  }
  return left;
}

/** The handler of a timer that is due, the one that is due longest; 0 = none. */
function dueTimer(nowMs: u32): u32 {
  let chosen: u32 = LOOP_TIMERS;
  for (let index: u32 = 0; index < LOOP_TIMERS; index++) {
    const timer = timerAt(index);
    if (timer.handler == 0 || <i32>(timer.due - nowMs) > 0) continue;
    if (chosen == LOOP_TIMERS || <i32>(timer.due - timerAt(chosen).due) < 0) chosen = index;
  }
  if (chosen == LOOP_TIMERS) return 0;
  const timer = timerAt(chosen);
  const handler = timer.handler;
  context = timer.context;
  events = 0;
  if (timer.periodMs == 0) timer.handler = 0;
  else timer.due += timer.periodMs;
  return handler;
}

function nextSocket(): u32 {
  if (LOOP_RING) {
    const handler = loopRingNext();
    context = loopRingData();
    events = loopRingEvents();
    return handler;
  }
  if (taken == batched) return 0;
  const event = changetype<EpollEvent>(batch() + <usize>(taken * offsetof<EpollEvent>()));
  taken += 1;
  context = event.dataHigh;
  events = event.events;
  return event.data;
}

function nextDeferred(): u32 {
  if (deferredLeft == 0) return 0;
  deferredLeft -= 1;
  const work = deferredAt(deferredHead);
  deferredHead = (deferredHead + 1) % LOOP_DEFERRED;
  deferredCount -= 1;
  context = work.context;
  events = 0;
  return work.handler;
}

/**
 * Waits for the next event and gives the number of its handler: sockets that were found ready, then timers that are due, then
 * deferred work. The processor sleeps meanwhile; the network goes on, also beside work that defers itself without end.
 */
export function loopNext(): u32 {
  if (!LOOP_RING && epfd < 0) epfd = epollCreate();
  let handler = nextFound();
  while (handler == 0) {
    const left = deferredCount != 0 ? 0 : untilTimer(clockMs());
    if (LOOP_RING) loopRingWait(left);
    else {
      batched = max<i32>(epollWait(epfd, batch(), BATCH, <i32>left), 0);
      taken = 0;
    }
    timersLeft = LOOP_TIMERS;
    deferredLeft = deferredCount;
    handler = nextFound();
  }
  return handler;
}

/** What needs no wait; 0 = nothing. */
function nextFound(): u32 {
  let handler = nextSocket();
  if (GPIO_WATCHES != 0 && handler == 0) handler = gpioNext();
  if (handler == 0 && timersLeft != 0) {
    handler = dueTimer(clockMs());
    timersLeft = handler == 0 ? 0 : timersLeft - 1;
  }
  return handler != 0 ? handler : nextDeferred();
}
