/**
 * A client behind the gateway: asks the DNS for `time.test`, asks the time server there (its port is the number of the host `port`
 * in the settings) over UDP, and tells what came. Meanwhile it floods the host `web` with datagrams that nobody wants.
 */
import { log1, log2 } from "as-tcpip/log";
import {
  AF_INET,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SockAddrIn,
  connect,
  getaddrinfo,
  htonl,
  htons,
  netAddress,
  netPoll,
  netStart,
  recv,
  send,
  sendto,
  setsockopt,
  socket,
} from "as-tcpip/net";
import { settingsHost } from "as-tcpip/settings";
import { text, textAddress, textBytes } from "as-tcpip/text";

const FLOOD_PORT: u16 = 9;
const FLOOD: u32 = 20;
const SERVER: usize = memory.data(8, 4);
const WEB: usize = memory.data(8, 4);
const BUFFER: usize = memory.data(512, 4);
const WAIT: usize = memory.data(8, 4);

export function main(): void {
  if (netStart() < 0) return;
  while (netAddress() == 0) netPoll(1000);
  const name = text("time.test");
  const port = settingsHost(textAddress(text("port")), 4) & 0xffff;
  const server = changetype<SockAddrIn>(SERVER);
  const found = getaddrinfo(textAddress(name), textBytes(name), port, server, 1);
  log1("info: %d address", <u32>found);
  const web = changetype<SockAddrIn>(WEB);
  web.sinFamily = <u16>AF_INET;
  web.sinPort = htons(FLOOD_PORT);
  web.sinAddr = htonl(settingsHost(textAddress(text("web")), 3));
  const asked = socket(AF_INET, SOCK_DGRAM, 0);
  const flood = socket(AF_INET, SOCK_DGRAM, 0);
  store<i32>(WAIT, 0);
  store<i32>(WAIT, 50_000, 4);
  setsockopt(asked, SOL_SOCKET, SO_RCVTIMEO, WAIT, 8);
  connect(asked, server);
  for (;;) {
    for (let i: u32 = 0; i < FLOOD; i++) sendto(flood, BUFFER, 400, 0, web);
    send(asked, BUFFER, 48, 0);
    const bytes = recv(asked, BUFFER, 512, 0);
    if (bytes >= 4) log2("info: time %x in %d bytes", load<u32>(BUFFER), <u32>bytes);
  }
}
