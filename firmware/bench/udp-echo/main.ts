/** The smallest UDP echo: one socket. For the sheet of sizes. */
import { iface, interfaceConfigure, interfaceInit } from "../../../stack/interface";
import { AF_INET, SOCK_DGRAM, SOCK_NONBLOCK } from "../../../stack/posix";
import { sockBind, sockOpen, sockReceiveFrom, sockSendTo } from "../../../stack/socket/socket";
import { stackPoll, stackStart } from "../../../stack/stack";

const BUFFER: usize = memory.data(512, 4);
const PEER: usize = memory.data(8, 4);
let socket: i32 = -1;

export function begin(high: u32, low: u32, address: u32, mask: u32, gateway: u32): void {
  stackStart(0, 1, 2);
  interfaceInit(iface, high, low, 0, 0);
  interfaceConfigure(iface, address, mask, gateway, 0);
  socket = sockOpen(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  sockBind(socket, 0, 7);
}

export function turn(nowMs: u32): void {
  stackPoll(nowMs);
  const bytes = sockReceiveFrom(socket, BUFFER, 512, 0, PEER);
  if (bytes >= 0) sockSendTo(socket, BUFFER, bytes, 0, load<u32>(PEER), load<u32>(PEER, 4));
}
