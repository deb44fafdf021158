/** Web server for one page that lies in flash: one poll() over a few clients, so that a silent one holds up nobody. */
import { accept, bind, close, htons, listen, poll, recv, send, socket } from "as-tcpip/net";
import { AF_INET, MSG_ZEROCOPY, POLLIN, SOCK_NONBLOCK, SOCK_STREAM } from "as-tcpip/net";
import { PollFd, SockAddrIn, netStart } from "as-tcpip/net";
import { text, textAddress, textBytes } from "as-tcpip/text";

const WATCHED: u32 = 8; // a listener and seven clients: more than the six connections that a browser opens
const FDS: usize = memory.data(WATCHED * 8, 4);
const ADDRESS: usize = memory.data(8, 4);
/** Of each client: its number, the bytes of the line that is coming in, and of the whole request. */
const NUMBERS: usize = memory.data(WATCHED * 4, 4);
const LINES: usize = memory.data(WATCHED * 2, 2);
const REQUESTS: usize = memory.data(WATCHED * 2, 2);
const BUFFER_BYTES: u32 = 128;
const BUFFER: usize = memory.data(BUFFER_BYTES, 4);

/** Longest request that is read, bytes. */
const REQUEST_BYTES: u32 = 2048;

const RESPONSE = text(
  "HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<h1>Hello from flash</h1>\n",
);

function watched(index: u32): PollFd {
  return changetype<PollFd>(FDS + <usize>(index * 8));
}

function listenOn(port: u16): i32 {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(port);
  bind(fd, address);
  listen(fd, 4);
  return fd;
}

/** Clients that have come, to tell who came first. */
let came: u32 = 0;

/** Gives a new client a place: a free one, or that of the client who came first and has still not said what it wants. */
function welcome(client: i32): void {
  if (client < 0) return;
  let place: u32 = 1;
  for (let i: u32 = 1; i < WATCHED; i++) if (numberOf(i) < numberOf(place)) place = i;
  if (watched(place).fd >= 0) close(watched(place).fd);
  watched(place).fd = client;
  came += 1;
  store<u32>(NUMBERS + <usize>(place * 4), came);
  store<u16>(LINES + <usize>(place * 2), 0);
  store<u16>(REQUESTS + <usize>(place * 2), 0);
}

/** Which client it was; 0 for a free place. */
function numberOf(place: u32): u32 {
  return watched(place).fd < 0 ? 0 : load<u32>(NUMBERS + <usize>(place * 4));
}

/** Takes in what has come; true at the empty line that ends a request, or when nothing good can come any more. */
function done(client: u32): bool {
  const bytes = recv(watched(client).fd, BUFFER, BUFFER_BYTES, 0);
  if (bytes <= 0) return true;
  let line = <u32>load<u16>(LINES + <usize>(client * 2));
  const request = <u32>load<u16>(REQUESTS + <usize>(client * 2)) + <u32>bytes;
  for (let i: u32 = 0; i < <u32>bytes; i++) {
    const byte = load<u8>(BUFFER + <usize>i);
    if (byte == 0x0a && line == 0) {
      send(watched(client).fd, textAddress(RESPONSE), textBytes(RESPONSE), MSG_ZEROCOPY);
      return true;
    }
    if (byte == 0x0a) line = 0;
    else if (byte != 0x0d) line++;
  }
  store<u16>(LINES + <usize>(client * 2), <u16>line);
  store<u16>(REQUESTS + <usize>(client * 2), <u16>request);
  return request > REQUEST_BYTES;
}

export function main(): void {
  if (netStart() < 0) return;
  for (let i: u32 = 0; i < WATCHED; i++) {
    watched(i).fd = i == 0 ? listenOn(80) : -1;
    watched(i).events = <u16>POLLIN;
  }
  for (;;) {
    poll(FDS, WATCHED, -1);
    for (let i: u32 = 1; i < WATCHED; i++) {
      if (watched(i).revents == 0 || !done(i)) continue;
      close(watched(i).fd);
      watched(i).fd = -1;
    }
    if (watched(0).revents != 0) welcome(accept(watched(0).fd, null));
  }
}
