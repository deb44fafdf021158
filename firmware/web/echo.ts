/** Echo (RFC 862) for one client, who has called last: a listener and a connection that `httpNext` watches beside the web server. */
import { httpUnwatch, httpWatch } from "as-tcpip/http";
import { AF_INET, MSG_DONTWAIT, MSG_PEEK, POLLIN, POLLOUT, SOCK_NONBLOCK } from "as-tcpip/net";
import {
  SOCK_STREAM,
  SockAddrIn,
  accept,
  bind,
  close,
  htons,
  listen,
  recv,
  send,
  socket,
} from "as-tcpip/net";

const ADDRESS: usize = memory.data(8, 4);
const BUFFER_BYTES: u32 = 512;
const BUFFER: usize = memory.data(BUFFER_BYTES, 4);

let listener: i32 = -1;
let client: i32 = -1;

/** Opens the port; `handler` is wanted when somebody calls. */
export function echoListen(port: u16, handler: u32): void {
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(port);
  bind(listener, address);
  listen(listener, 1);
  httpWatch(listener, POLLIN, handler);
}

/** Takes the new client in place of the one before; `handler` is wanted when it has sent something. */
export function echoCall(handler: u32): void {
  hangUp();
  client = accept(listener, null);
  if (client >= 0) httpWatch(client, POLLIN, handler);
}

/** Sends back what has come. What there is no room for stays where it is, and the client's window closes. */
export function echoTurn(handler: u32): void {
  const bytes = recv(client, BUFFER, BUFFER_BYTES, MSG_PEEK | MSG_DONTWAIT);
  if (bytes <= 0) return hangUp();
  const sent = send(client, BUFFER, <u32>bytes, MSG_DONTWAIT);
  if (sent > 0) recv(client, BUFFER, <u32>sent, 0);
  httpUnwatch(client);
  httpWatch(client, sent < bytes ? POLLOUT : POLLIN, handler);
}

function hangUp(): void {
  if (client < 0) return;
  httpUnwatch(client);
  close(client);
  client = -1;
}
