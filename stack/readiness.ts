import { NO_MEMBER, bitSetAdd, bitSetTake } from "./bit-set";
import { SOCKETS } from "./config";

/**
 * The one source of readiness. Whoever changes what a call on a socket would do says so here, with the poll(2) bits that may
 * have become true; every wait (blocking call, select, poll, epoll, completion queue, event loop, sleep of the board) looks at
 * what was said here. Events are news, not state: the state itself is asked of the socket. Who takes the news pays for the
 * sockets that have some, not for all.
 */

const ONE_WORD: bool = SOCKETS <= 32;
/** Answer of `readyTake` when no socket has news. */
export const NO_READY: u32 = NO_MEMBER;

/** Sockets with news since they were last taken: one word holds those of most devices. */
const NEWS: usize = memory.data(ONE_WORD ? 0 : (1 + ((SOCKETS + 31) >> 5)) << 2, 4);
/** Of the one word those beside `first`. */
let news: u32 = 0;
/** The news of each socket: bits of poll(2). */
const BITS: usize = memory.data(SOCKETS, 1);
let changes: u32 = 0;
let taken: u32 = 0;
/**
 * Who had news first, number plus one, 0 = nobody has news: mostly it is the only one, and a Cortex-M0+ takes twenty instructions to find the
 * lowest bit of a word.
 */
let first: u32 = 0;

/** Something has happened to socket `socket`: `bits` of poll(2) (POLLIN POLLPRI POLLOUT POLLERR POLLHUP) may be true now. */
export function ready(socket: u32, bits: u32): void {
  if (bits == 0) return;
  if (ONE_WORD) {
    if (first == 0) first = socket + 1;
    else if (first != socket + 1) news |= 1 << socket;
  } else bitSetAdd(NEWS, socket);
  const at = BITS + <usize>socket;
  store<u8>(at, <u8>((<u32>load<u8>(at)) | bits));
  changes += 1;
}

/** Something has happened that a caller without a socket may wait for. */
export function readyWake(): void {
  changes += 1;
}

/** Counts up with every piece of news, so that a waiting caller knows whether to look again. */
export function readyChanges(): u32 {
  return changes;
}

/** Takes one socket with news, the lowest; its news are forgotten (`readyTaken` has them). NO_READY = none. */
export function readyTake(): u32 {
  let socket: u32;
  if (ONE_WORD) {
    if (first == 0) return NO_READY;
    socket = first - 1;
    if (news != 0) socket = lowest(socket);
    else first = 0;
  } else {
    socket = bitSetTake(NEWS);
    if (socket == NO_READY) return NO_READY;
  }
  const at = BITS + <usize>socket;
  taken = <u32>load<u8>(at);
  store<u8>(at, 0);
  return socket;
}

/** Takes the lowest out of several with news, `one` and those of the word. */
function lowest(one: u32): u32 {
  const all = news | (1 << one);
  const rest = all & (all - 1);
  first = <u32>ctz(rest) + 1;
  news = rest & (rest - 1);
  return <u32>ctz(all);
}

/** The news of the socket that `readyTake` gave last: bits of poll(2). */
export function readyTaken(): u32 {
  return taken;
}
