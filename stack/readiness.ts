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

/** Counts up with every piece of news, so that a waiting caller knows whether to look again. */
export function readyChanges(): u32 {
  return changes;
}
