/**
 * Calls out on demand: a client of port 7 names a port in two bytes (high one first), the device connects to that port of
 * its gateway, and passes on what comes back until either side has finished. Blocking calls, one client at a time.
 */
import { htonl, htons } from "../../../firmware/net/sockets";
import {
  accept,
  bind,
  close,
  connect,
  listen,
  recv,
  send,
  socket,
} from "../../../firmware/net/sockets";
import { AF_INET, SOCK_STREAM, SockAddrIn } from "../../../firmware/net/sockets";
import { netStart } from "../../../firmware/net/runtime";
import { iface } from "../../../stack/interface";

const ADDRESS: usize = memory.data(8, 4);
const BUFFER: usize = memory.data(512, 4);

function addressOf(host: u32, port: u16): SockAddrIn {
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(port);
  address.sinAddr = htonl(host);
  return address;
}

function passOn(from: i32, to: i32): void {
  for (;;) {
    const bytes = recv(from, BUFFER, 512, 0);
    if (bytes <= 0) return;
    let at: i32 = 0;
    while (at < bytes) {
      const sent = send(to, BUFFER + at, bytes - at, 0);
      if (sent <= 0) return;
      at += sent;
    }
  }
}

function serve(client: i32): void {
  if (recv(client, BUFFER, 1, 0) != 1 || recv(client, BUFFER + 1, 1, 0) != 1) return;
  const port = ((<u16>load<u8>(BUFFER)) << 8) | (<u16>load<u8>(BUFFER + 1));
  const called = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(called, addressOf(iface.gateway, port)) == 0) passOn(called, client);
  close(called);
}

export function main(): void {
  if (netStart() < 0) return;
  const listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, addressOf(0, 7));
  listen(listener, 2);
  for (;;) {
    const client = accept(listener, null);
    if (client < 0) continue;
    serve(client);
    close(client);
  }
}
