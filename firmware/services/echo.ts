/** Echo (RFC 862) over TCP and UDP. */
import {
  MSG_DONTWAIT,
  MSG_PEEK,
  POLLIN,
  POLLOUT,
  SockAddrIn,
  ntohs,
  recvfrom,
  send,
  sendto,
} from "../net/sockets";
import { Client, progress } from "./client";
import { abandon, leave } from "./endings";
import { SCRATCH, peek, take, wouldBlock } from "./scratch";
import { SCRATCH_BYTES } from "./sizes";

const PEER: usize = memory.data(8, 4);

/** Datagrams answered in one turn, so that a flood leaves time for the others. */
const DATAGRAMS_A_TURN: u32 = 4;

/**
 * Sources below this are services themselves: answering one could begin an echo that never ends
 * (CVE-1999-0103).
 */
const FIRST_CLIENT_PORT: u32 = 1024;

/**
 * One turn of an echo client. What the send ring has no room for stays in the receive ring, so the
 * client is slowed down by its own window and no byte needs a buffer of its own.
 */
export function echoTurn(c: Client): void {
  const available = peek(c.fd, SCRATCH_BYTES);
  if (available == 0) return leave(c);
  let sent: i32 = available;
  if (available > 0) sent = send(c.fd, SCRATCH, <u32>available, MSG_DONTWAIT);
  if (sent > 0) {
    take(c.fd, <u32>sent);
    progress(c, <u32>sent);
  } else if (!wouldBlock(sent)) return abandon(c);
  c.events = <u16>(available > 0 && sent < available ? POLLOUT : POLLIN);
}

/** Answers waiting datagrams. One is taken only when its answer has gone: with the chip full of others' frames it waits. */
export function echoDatagrams(fd: i32): void {
  const peer = changetype<SockAddrIn>(PEER);
  for (let i: u32 = 0; i < DATAGRAMS_A_TURN; i++) {
    const bytes = recvfrom(fd, SCRATCH, SCRATCH_BYTES, MSG_DONTWAIT | MSG_PEEK, peer);
    if (bytes < 0) return;
    if (ntohs(peer.sinPort) >= FIRST_CLIENT_PORT) {
      const sent = sendto(fd, SCRATCH, <u32>bytes, MSG_DONTWAIT, peer);
      if (sent < 0 && wouldBlock(sent)) return;
    }
    recvfrom(fd, SCRATCH, 0, MSG_DONTWAIT, null);
  }
}
