/**
 * TFTP server (RFC 1350, octet mode): downloads of assets and of the one file in RAM, uploads into that file. Each transfer has a
 * socket of its own (its TID) and moves by its own timer, so a slow client holds up no other.
 */
import { log1 } from "as-tcpip/log";
import {
  AF_INET,
  POLLIN,
  PollFd,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  netStart,
  poll,
  socket,
} from "as-tcpip/net";
import { bindTo } from "../common";
import { request, requestsFrom } from "./requests";
import { TRANSFERS, transferAt, transferDueMs, transferTick, transferTurn } from "./transfer";

const TFTP_PORT: u16 = 69;
const FDS: usize = memory.data((TRANSFERS + 1) * 8, 4);

function watched(index: u32): PollFd {
  return changetype<PollFd>(FDS + <usize>(index * 8));
}

export function main(): void {
  if (netStart() < 0) return;
  const fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  bindTo(fd, TFTP_PORT);
  requestsFrom(fd);
  for (let i: u32 = 0; i < TRANSFERS; i++) transferAt(i).fd = -1;
  log1("info: TFTP server on port %u", <u32>TFTP_PORT);
  for (;;) {
    let waitMs: i32 = -1;
    for (let i: u32 = 0; i < TRANSFERS; i++) {
      watched(i).fd = transferAt(i).fd;
      watched(i).events = <u16>POLLIN;
      if (transferAt(i).fd < 0) continue;
      const dueMs = <i32>transferDueMs(transferAt(i));
      if (waitMs < 0 || dueMs < waitMs) waitMs = dueMs;
    }
    watched(TRANSFERS).fd = fd;
    watched(TRANSFERS).events = <u16>POLLIN;
    poll(FDS, TRANSFERS + 1, waitMs);
    for (let i: u32 = 0; i < TRANSFERS; i++) {
      const it = transferAt(i);
      if (watched(i).revents != 0) transferTurn(it);
      // The clock counts whatever comes: strangers who write without an end don't hold up what is due.
      if (it.fd >= 0) transferTick(it);
    }
    if (watched(TRANSFERS).revents != 0) request(fd);
  }
}
