/** Web server for one page that lies in flash: the smallest program in the blocking style. */
import { accept, bind, close, htons, listen, recv, send, setsockopt, socket } from "as-tcpip/net";
import { AF_INET, MSG_ZEROCOPY, SOCK_STREAM, SOL_SOCKET, SO_RCVTIMEO } from "as-tcpip/net";
import { SockAddrIn, netStart } from "as-tcpip/net";
import { text, textAddress, textBytes } from "as-tcpip/text";

const ADDRESS: usize = memory.data(8, 4);
const PATIENCE: usize = memory.data(8, 4);
const BYTE: usize = memory.data(1, 1);

/** Longest request that is read, bytes. */
const REQUEST_BYTES: u32 = 2048;

const RESPONSE = text(
  "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>Hello from flash</h1>\n",
);

function listenOn(port: u16): i32 {
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(port);
  bind(fd, address);
  listen(fd, 4);
  return fd;
}

/** Reads up to the empty line that ends a request; false when it does not come. */
function readRequest(client: i32): bool {
  let lineBytes: u32 = 0;
  for (let i: u32 = 0; i < REQUEST_BYTES; i++) {
    if (recv(client, BYTE, 1, 0) != 1) return false;
    const byte = load<u8>(BYTE);
    if (byte == 0x0a && lineBytes == 0) return true;
    if (byte == 0x0a) lineBytes = 0;
    else if (byte != 0x0d) lineBytes++;
  }
  return false;
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = listenOn(80);
  store<u32>(PATIENCE, 3); // seconds, then microseconds
  for (;;) {
    const client = accept(listener, null);
    if (client < 0) continue;
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, PATIENCE, 8);
    if (readRequest(client)) send(client, textAddress(RESPONSE), textBytes(RESPONSE), MSG_ZEROCOPY);
    close(client);
  }
}
