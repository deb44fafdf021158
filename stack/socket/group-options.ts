import { EADDRNOTAVAIL, EINVAL, ENOPROTOOPT, EPROTO } from "../errors";
import { isOurs } from "../interface";
import {
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
} from "../posix";
import {
  groupJoin,
  groupLeave,
  groupLoops,
  groupSetLoop,
  groupSetTtl,
  groupTtl,
} from "../udp/multicast";
import { Socket, SocketKind } from "./table";

/** Options for groups (ip(7)), of datagram sockets. Plain numbers: a group or an interface is its address in host order. */

export function groupOption(option: i32): bool {
  return option >= IP_MULTICAST_IF && option <= IP_DROP_MEMBERSHIP;
}

export function groupSetOption(socket: Socket, option: i32, value: i32): i32 {
  const slot = <u32>socket.index;
  const membership = option == IP_ADD_MEMBERSHIP || option == IP_DROP_MEMBERSHIP;
  const stream = <u32>socket.kind < <u32>SocketKind.DATAGRAM;
  if (stream) return membership ? -EPROTO : option == IP_MULTICAST_LOOP ? 0 : -EINVAL;
  if (socket.kind != SocketKind.DATAGRAM) return -ENOPROTOOPT;
  switch (option) {
    case IP_ADD_MEMBERSHIP:
      return groupJoin(slot, <u32>value);
    case IP_DROP_MEMBERSHIP:
      return groupLeave(slot, <u32>value);
    case IP_MULTICAST_TTL:
      return groupSetTtl(slot, value);
    case IP_MULTICAST_LOOP:
      groupSetLoop(slot, value != 0);
      return 0;
    default:
      // A group is joined, and sent to, by routes and on all interfaces.
      return value == 0 || isOurs(<u32>value) ? 0 : -EADDRNOTAVAIL;
  }
}

export function groupGetOption(socket: Socket, option: i32): i32 {
  const slot = <u32>socket.index;
  const datagrams = socket.kind == SocketKind.DATAGRAM;
  if (option == IP_MULTICAST_TTL) return datagrams ? <i32>groupTtl(slot) : 1;
  if (option == IP_MULTICAST_LOOP) return !datagrams || groupLoops(slot) ? 1 : 0;
  return option == IP_MULTICAST_IF ? 0 : -ENOPROTOOPT;
}
