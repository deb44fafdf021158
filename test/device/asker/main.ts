/**
 * A client of everything around it: gets the page of the host `web`, asks the DNS for `time.test` and the time server there (its port
 * is the number of the host `port` in the settings) over UDP, and tells what came. All the while it floods `web` with datagrams that
 * nobody wants.
 */
import { log1, log2 } from "as-tcpip/log";
import {
  AF_INET,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVTIMEO,
  SockAddrIn,
  close,
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

const HTTP_PORT: u16 = 80;
const FLOOD_PORT: u16 = 9;
const FLOOD: u32 = 20;
const SERVER: usize = memory.data(8, 4);
const WEB: usize = memory.data(8, 4);
const BUFFER: usize = memory.data(512, 4);
const WAIT: usize = memory.data(8, 4);

function web(port: u16): SockAddrIn {
  const record = changetype<SockAddrIn>(WEB);
  record.sinFamily = <u16>AF_INET;
  record.sinPort = htons(port);
  record.sinAddr = htonl(settingsHost(textAddress(text("web")), 3));
  return record;
}

/** Gets the page, and tells how many bytes came; the server may be starting yet. */
function getPage(): bool {
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  let total: u32 = 0;
  if (connect(fd, web(HTTP_PORT)) == 0) {
    const request = text("GET / HTTP/1.0\r\nHost: web\r\n\r\n");
    send(fd, textAddress(request), textBytes(request), 0);
    for (let bytes = recv(fd, BUFFER, 512, 0); bytes > 0; bytes = recv(fd, BUFFER, 512, 0)) {
      total += <u32>bytes;
    }
  }
  close(fd);
  if (total != 0) log1("info: page of %u bytes", total);
  return total != 0;
}

export function main(): void {
  if (netStart() < 0) return;
  while (netAddress() == 0) netPoll(1000);
  const name = text("time.test");
  const port = settingsHost(textAddress(text("port")), 4) & 0xffff;
  const server = changetype<SockAddrIn>(SERVER);
  const found = getaddrinfo(textAddress(name), textBytes(name), port, server, 1);
  log1("info: %d address", <u32>found);
  const asked = socket(AF_INET, SOCK_DGRAM, 0);
  const flood = socket(AF_INET, SOCK_DGRAM, 0);
  store<i32>(WAIT, 0);
  store<i32>(WAIT, 50_000, 4);
  setsockopt(asked, SOL_SOCKET, SO_RCVTIMEO, WAIT, 8);
  connect(asked, server);
  let got: bool = false;
  for (;;) {
    for (let i: u32 = 0; i < FLOOD; i++) sendto(flood, BUFFER, 400, 0, web(FLOOD_PORT));
    send(asked, BUFFER, 48, 0);
    const bytes = recv(asked, BUFFER, 512, 0);
    if (bytes >= 4) log2("info: time %x in %d bytes", load<u32>(BUFFER), <u32>bytes);
    if (!got) got = getPage();
  }
}
