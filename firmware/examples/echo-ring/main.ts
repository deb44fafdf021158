/**
 * Echo (RFC 862) with the completion queue: the program says what shall be done, and is told when it has been done. Each client
 * has one operation under way, a receive into its buffer or the send of what has come.
 */
import {
  RING_ACCEPT,
  RING_CLOSE,
  RING_RECV,
  RING_SEND,
  netStart,
  ringPeek,
  ringPrepare,
  ringSeen,
  ringSubmit,
  ringWait,
} from "as-tcpip/net";
import { ECHO_PORT, listenOn } from "../common";

const CLIENTS: u32 = 4;
const BUFFER_BYTES: u32 = 256;
const BUFFERS: usize = memory.data(CLIENTS * BUFFER_BYTES, 4);
/** Descriptor of each client, -1 for none. */
const FDS: usize = memory.data(CLIENTS * 4, 4);

/** What a completion is about; its place is in the other half of the user data. */
const enum Done {
  ACCEPT,
  RECEIVE,
  SEND,
  CLOSE,
}

let listener: i32 = -1;
let accepting: bool = false;

/** One operation of a client. Each client has one at a time, so there is always room for it. */
function start(opcode: u32, done: Done, place: u32, bytes: u32): void {
  const sqe = ringPrepare();
  if (sqe == null) return;
  sqe.opcode = <u8>opcode;
  sqe.fd = load<i32>(FDS + <usize>(place << 2));
  sqe.address = BUFFERS + <usize>(place * BUFFER_BYTES);
  sqe.bytes = bytes;
  sqe.userData = done;
  sqe.userDataHigh = place;
}

/** Accepts the next client into a free place, if there is one: then the others wait in the backlog. */
function startAccept(): void {
  for (let place: u32 = 0; place < CLIENTS && !accepting; place++) {
    if (load<i32>(FDS + <usize>(place << 2)) >= 0) continue;
    const sqe = ringPrepare();
    if (sqe == null) return;
    sqe.opcode = <u8>RING_ACCEPT;
    sqe.fd = listener;
    sqe.userData = Done.ACCEPT;
    sqe.userDataHigh = place;
    accepting = true;
  }
}

function next(done: u32, place: u32, result: i32): void {
  switch (done) {
    case <u32>Done.ACCEPT:
      accepting = false;
      store<i32>(FDS + <usize>(place << 2), result);
      if (result >= 0) start(RING_RECV, Done.RECEIVE, place, BUFFER_BYTES);
      break;
    case <u32>Done.RECEIVE:
      if (result > 0) start(RING_SEND, Done.SEND, place, <u32>result);
      else start(RING_CLOSE, Done.CLOSE, place, 0);
      break;
    case <u32>Done.SEND:
      if (result > 0) start(RING_RECV, Done.RECEIVE, place, BUFFER_BYTES);
      else start(RING_CLOSE, Done.CLOSE, place, 0);
      break;
    default:
      store<i32>(FDS + <usize>(place << 2), -1);
  }
}

export function main(): void {
  if (netStart() < 0) return;
  for (let place: u32 = 0; place < CLIENTS; place++) store<i32>(FDS + <usize>(place << 2), -1);
  listener = listenOn(ECHO_PORT, 0);
  for (;;) {
    startAccept();
    ringSubmit();
    ringWait(1, -1);
    for (let cqe = ringPeek(); cqe != null; cqe = ringPeek()) {
      next(cqe.userData, cqe.userDataHigh, cqe.result);
      ringSeen();
    }
  }
}
