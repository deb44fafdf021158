/**
 * Cooperative workers without stacks: each is a record with what it waits for, and one poll() waits for all of them. A worker
 * takes a connection of its listener, serves it to its end, then takes the next one. A turn of a worker does what can be done
 * now and returns.
 */
import { log3 } from "as-tcpip/log";
import {
  POLLIN,
  POLLOUT,
  PollFd,
  SockAddrIn,
  accept,
  close,
  ntohl,
  ntohs,
  poll,
} from "as-tcpip/net";
import { clockMs } from "as-tcpip/time";
import { Echo, echoOnce } from "./common";

const WORKERS_MAX: u32 = 4;
/** A silent client keeps a worker this long, ms. */
const PATIENCE_MS: u32 = 10_000;
/** The silent ones are looked for this often, ms. */
const LOOK_MS: i32 = 1000;

@unmanaged
class Worker {
  listener: i32;
  /** The client that it serves, -1 = none. */
  client: i32;
  /** Last progress of the client. */
  sinceMs: u32;
}

const WORKERS: usize = memory.data(WORKERS_MAX * offsetof<Worker>(), 4);
const WAITS: usize = memory.data(WORKERS_MAX * offsetof<PollFd>(), 4);
const PEER: usize = memory.data(8, 4);
let workers: u32 = 0;

function workerAt(index: u32): Worker {
  return changetype<Worker>(WORKERS + <usize>(index * offsetof<Worker>()));
}

/** What a worker waits for. */
function waitAt(index: u32): PollFd {
  return changetype<PollFd>(WAITS + <usize>(index * offsetof<PollFd>()));
}

/** Adds a worker for a listener (SOCK_NONBLOCK), which it may share with others. */
export function workerStart(listener: i32): void {
  if (workers == WORKERS_MAX) return;
  workerAt(workers).listener = listener;
  workers += 1;
  rest(workers - 1);
}

/** Waits for the next connection. */
function rest(index: u32): void {
  workerAt(index).client = -1;
  waitAt(index).fd = workerAt(index).listener;
  waitAt(index).events = <u16>POLLIN;
}

function take(index: u32): void {
  const peer = changetype<SockAddrIn>(PEER);
  const client = accept(workerAt(index).listener, peer);
  // Another worker of the same listener was first.
  if (client < 0) return;
  log3("info: worker %u serves %i port %u", index, ntohl(peer.sinAddr), <u32>ntohs(peer.sinPort));
  workerAt(index).client = client;
  workerAt(index).sinceMs = clockMs();
  waitAt(index).fd = client;
}

function serve(index: u32): void {
  const found = echoOnce(workerAt(index).client);
  waitAt(index).events = <u16>(found == Echo.WAIT_OUT ? POLLOUT : POLLIN);
  if (found == Echo.AGAIN) workerAt(index).sinceMs = clockMs();
  if (found == Echo.END) leave(index);
}

function leave(index: u32): void {
  close(workerAt(index).client);
  rest(index);
}

/** Runs the workers, for ever. */
export function workersRun(): void {
  for (let first: u32 = 0; ; first = first + 1 < workers ? first + 1 : 0) {
    poll(WAITS, workers, LOOK_MS);
    // Each time another one is the first, so that those who share a listener share the work.
    for (let i: u32 = 0; i < workers; i++) {
      const index = first + i < workers ? first + i : first + i - workers;
      const busy = workerAt(index).client >= 0;
      if (waitAt(index).revents != 0) {
        if (busy) serve(index);
        else take(index);
      } else if (busy && clockMs() - workerAt(index).sinceMs > PATIENCE_MS) leave(index);
    }
  }
}
