import { SOCKETS } from "./config";

/**
 * The one source of readiness. Whoever changes what a call on a socket would do says so here, with the poll(2) bits that may
 * have become true; every wait (blocking call, poll, sleep of the board) looks at what was said here. Events are news, not
 * state: the state itself is asked of the socket.
 */

/** Sockets with news since they were last looked at, one bit each. */
const NEWS: usize = memory.data(((SOCKETS + 31) >> 5) << 2, 4);
let changes: u32 = 0;

/** Something has happened to socket `socket`: `bits` of poll(2) (POLLIN POLLOUT POLLERR POLLHUP) may be true now. */
export function ready(socket: u32, bits: u32): void {
  if (bits == 0) return;
  const at = NEWS + ((socket >>> 5) << 2);
  store<u32>(at, load<u32>(at) | (1 << (socket & 31)));
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

/** Answer of `readyTake` when no socket has news. */
export const NO_READY: u32 = 0xffffffff;

/** Takes one socket with news, the lowest; its news are forgotten. NO_READY = none. */
export function readyTake(): u32 {
  for (let word: u32 = 0; word < (SOCKETS + 31) >> 5; word++) {
    const at = NEWS + (word << 2);
    const bits = load<u32>(at);
    if (bits == 0) continue;
    store<u32>(at, bits & (bits - 1));
    return (word << 5) + <u32>ctz(bits);
  }
  return NO_READY;
}
