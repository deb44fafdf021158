/**
 * iperf 2 server on port 5001: takes what `iperf -c ADDRESS` sends by TCP, and by UDP (`-u`) counts what is lost, late and
 * uneven and answers with the server's report.
 */
import { log1, log3 } from "as-tcpip/log";
import {
  AF_INET,
  MSG_DONTWAIT,
  POLLIN,
  PollFd,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  accept,
  close,
  netStart,
  poll,
  recv,
  socket,
} from "as-tcpip/net";
import { clockMs } from "as-tcpip/time";
import { bindTo, listenOn } from "../common";
import { IPERF_PORT, takeDatagrams } from "./udp";

/** The listener, the datagram socket, then clients. */
const WATCHED: u32 = 6;
const FIRST_CLIENT: u32 = 2;
const FDS: usize = memory.data(WATCHED * 8, 4);
const CHUNK_BYTES: u32 = 1024;
const CHUNK: usize = memory.data(CHUNK_BYTES, 4);
/** Chunks that one client has before the others have their turn. */
const SHARE: u32 = 8;

@unmanaged
class Transfer {
  sinceMs: u32;
  reserved: u32;
  bytes: u64;
}

const TRANSFERS: usize = memory.data(WATCHED * offsetof<Transfer>(), 8);

function watched(index: u32): PollFd {
  return changetype<PollFd>(FDS + <usize>(index * 8));
}

function transferAt(index: u32): Transfer {
  return changetype<Transfer>(TRANSFERS + <usize>(index * offsetof<Transfer>()));
}

function welcome(): void {
  for (let i = FIRST_CLIENT; i < WATCHED; i++) {
    if (watched(i).fd >= 0) continue;
    watched(i).fd = accept(watched(0).fd, null);
    transferAt(i).bytes = 0;
    transferAt(i).sinceMs = clockMs();
    return;
  }
}

/** The listener is watched while there is a place. */
function anyFree(): bool {
  for (let i = FIRST_CLIENT; i < WATCHED; i++) if (watched(i).fd < 0) return true;
  return false;
}

function take(index: u32): void {
  const transfer = transferAt(index);
  for (let round: u32 = 0; round < SHARE; round++) {
    const bytes = recv(watched(index).fd, CHUNK, CHUNK_BYTES, MSG_DONTWAIT);
    if (bytes > 0) transfer.bytes += <u64>bytes;
    else if (bytes == 0 || watched(index).revents != <u16>POLLIN) return tell(index);
    else return;
  }
}

/** The client has finished. */
function tell(index: u32): void {
  const transfer = transferAt(index);
  const ms = max<u32>(clockMs() - transfer.sinceMs, 1);
  const kilobits = <u32>((transfer.bytes * 8) / <u64>ms);
  log3("info: TCP %u KB in %u ms: %u kbit/s", <u32>(transfer.bytes >> 10), ms, kilobits);
  close(watched(index).fd);
  watched(index).fd = -1;
}

export function main(): void {
  if (netStart() < 0) return;
  for (let i: u32 = 0; i < WATCHED; i++) {
    watched(i).fd = -1;
    watched(i).events = <u16>POLLIN;
  }
  watched(0).fd = listenOn(IPERF_PORT, SOCK_NONBLOCK);
  const datagrams = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  bindTo(datagrams, IPERF_PORT);
  watched(1).fd = datagrams;
  log1("info: iperf 2 server on port %u", <u32>IPERF_PORT);
  for (;;) {
    watched(0).events = <u16>(anyFree() ? POLLIN : 0);
    poll(FDS, WATCHED, -1);
    if (watched(0).revents != 0) welcome();
    if (watched(1).revents != 0) takeDatagrams(datagrams);
    for (let i = FIRST_CLIENT; i < WATCHED; i++) if (watched(i).revents != 0) take(i);
  }
}
