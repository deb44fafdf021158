/** The smallest TCP echo: one listener, two connections. For the sheet of sizes. */
import { iface, interfaceConfigure, interfaceInit } from "../../../stack/interface";
import { AF_INET, SOCK_NONBLOCK, SOCK_STREAM } from "../../../stack/posix";
import { NO_READY, readyTake } from "../../../stack/readiness";
import { SOCKETS } from "../../../stack/config";
import {
  sockAccept,
  sockBind,
  sockClose,
  sockListen,
  sockOpen,
  sockReceive,
  sockSend,
} from "../../../stack/socket/socket";
import { socketIndex } from "../../../stack/socket/table";
import { stackPoll, stackStart } from "../../../stack/stack";

const BUFFER: usize = memory.data(512, 4);
const FDS: usize = memory.data(SOCKETS * 4, 4);
let listener: i32 = -1;

export function begin(high: u32, low: u32, address: u32, mask: u32, gateway: u32): void {
  stackStart(0, 1, 2);
  interfaceInit(iface, high, low, 0, 0);
  interfaceConfigure(iface, address, mask, gateway, 0);
  listener = sockOpen(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockBind(listener, 0, 7);
  sockListen(listener, 1);
}

export function turn(nowMs: u32): void {
  stackPoll(nowMs);
  for (let index = readyTake(); index != NO_READY; index = readyTake()) {
    if (index == socketIndex(listener)) {
      const fd = sockAccept(listener);
      if (fd >= 0) store<i32>(FDS + (socketIndex(fd) << 2), fd);
      continue;
    }
    const fd = load<i32>(FDS + (index << 2));
    const bytes = sockReceive(fd, BUFFER, 512, 0);
    if (bytes > 0) sockSend(fd, BUFFER, bytes, 0);
    else if (bytes == 0) sockClose(fd);
  }
}
