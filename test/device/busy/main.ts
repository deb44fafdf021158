/** Never waits and never polls: loops of non-blocking calls, each of which has to let the network have its turns (A18). */
import { log0, log1 } from "as-tcpip/log";
import {
  AF_INET,
  EAGAIN,
  MSG_DONTWAIT,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SockAddrIn,
  accept,
  bind,
  close,
  htons,
  listen,
  netStart,
  recv,
  send,
  socket,
} from "as-tcpip/net";

const ADDRESS: usize = memory.data(8, 4);
const BUFFER: usize = memory.data(512, 4);

export function main(): void {
  if (netStart() < 0) return;
  const listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(7);
  bind(listener, address);
  listen(listener, 4);
  log0("info: busy");
  for (;;) {
    let fd = accept(listener, null);
    while (fd == -EAGAIN) fd = accept(listener, null);
    let bytes = recv(fd, BUFFER, 512, MSG_DONTWAIT);
    while (bytes == -EAGAIN) bytes = recv(fd, BUFFER, 512, MSG_DONTWAIT);
    while (bytes > 0 && send(fd, BUFFER, <u32>bytes, MSG_DONTWAIT) == -EAGAIN);
    close(fd);
    log1("info: %u bytes", bytes);
  }
}
