import { SOCKETS } from "../config";

/** Sockets with news since they were last looked at, one bit each: the root of every readiness interface. */
const NEWS: usize = memory.data(((SOCKETS + 31) >> 5) << 2, 4);
let changes: u32 = 0;

/** Something has happened to a socket: text, room, a connection, an error. */
export function socketNotify(index: u32): void {
  const at = NEWS + ((index >>> 5) << 2);
  store<u32>(at, load<u32>(at) | (1 << (index & 31)));
  changes += 1;
}

/** Counts up with every piece of news, so that a waiting caller knows whether to look again. */
export function socketNews(): u32 {
  return changes;
}

/** Takes the news of one socket. */
export function socketTakeNews(index: u32): bool {
  const at = NEWS + ((index >>> 5) << 2);
  const bit: u32 = 1 << (index & 31);
  const set = (load<u32>(at) & bit) != 0;
  store<u32>(at, load<u32>(at) & ~bit);
  return set;
}
