/** The servers of the bench on a board: what `npm run bench -- throughput` talks to. */
import { AF_INET, SockAddrIn, htonl, htons, sendto } from "../../net/sockets";
import { netPoll, netStart } from "../../net/runtime";
import { askedAddress, askedFd, askedPort, choose, open, openMore, serveNews } from "../main";

/** The longest datagram that goes in one packet. */
const DATAGRAM_BYTES: u32 = 1472;
const BODY: usize = memory.data(1472, 4);
const TO: usize = memory.data(16, 4);

/** Sends datagrams to who has asked, for ever: one after the other, as fast as there is room for them. */
function pour(): void {
  const to = changetype<SockAddrIn>(TO);
  to.sinFamily = <u16>AF_INET;
  to.sinAddr = htonl(askedAddress);
  to.sinPort = htons(<u16>askedPort);
  for (;;) {
    // It waits for room, and sees to the network meanwhile.
    sendto(askedFd, BODY, DATAGRAM_BYTES, 0, to);
    serveNews();
  }
}

export function main(): void {
  if (netStart() < 0) return;
  open(BODY);
  openMore();
  choose(1, 0);
  while (askedFd < 0) {
    netPoll(1000);
    serveNews();
  }
  pour();
}
