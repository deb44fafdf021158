import { RecordNumber } from "options";
import { LOCAL_SOCKETS, MULTICAST_GROUPS, RAW_SOCKETS, TCP } from "../config";
import { EAFNOSUPPORT, EINVAL, EMFILE, EPROTONOSUPPORT, ESOCKTNOSUPPORT } from "../errors";
import {
  AF_INET,
  AF_UNIX,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_STREAM,
} from "../posix";
import { rawOpen, rawProtocol } from "../raw/slots";
import { groupsBegin } from "../udp/multicast";
import { udpOpen } from "../udp/slots";
import { localSocket, unknownTypeFlags } from "./local-calls";
import {
  NO_SOCKET,
  SocketFlag,
  SocketKind,
  socketAllocate,
  socketAt,
  socketFd,
  socketFree,
} from "./table";

/**
 * socket(2). Returns a descriptor, or -EAFNOSUPPORT, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, -EINVAL (no protocol has this number),
 * -EMFILE, -ENOBUFS.
 */
export function sockOpen(domain: i32, type: i32, protocol: i32): i32 {
  if (unknownTypeFlags(type)) return -EINVAL;
  if (LOCAL_SOCKETS != 0 && domain == AF_UNIX) return localSocket(type, protocol);
  if (domain != AF_INET) return -EAFNOSUPPORT;
  if (protocol < 0 || protocol > 255) return -EINVAL;
  switch (type & 0xf) {
    case SOCK_STREAM:
      if (!TCP) return -ESOCKTNOSUPPORT;
      if (protocol != 0 && protocol != IPPROTO_TCP) return -EPROTONOSUPPORT;
      return opened(socketAllocate(SocketKind.STREAM), 0, type);
    case SOCK_DGRAM: {
      if (protocol != 0 && protocol != IPPROTO_UDP) return -EPROTONOSUPPORT;
      const index = socketAllocate(SocketKind.DATAGRAM);
      const slot = index == NO_SOCKET ? 0 : udpOpen(index);
      if (MULTICAST_GROUPS != 0 && index != NO_SOCKET && slot >= 0) groupsBegin(<u32>slot);
      return opened(index, slot, type);
    }
    case SOCK_RAW: {
      if (RAW_SOCKETS != 0) {
        if (!rawProtocol(protocol)) return -EPROTONOSUPPORT;
        const index = socketAllocate(SocketKind.RAW);
        return opened(index, index == NO_SOCKET ? 0 : rawOpen(index, <u32>protocol), type);
      }
      return -ESOCKTNOSUPPORT;
    }
    default:
      return -ESOCKTNOSUPPORT;
  }
}

/** Descriptor of a fresh socket with record `slot` of its kind; an error below 0 undoes it. */
function opened(index: u32, slot: i32, type: i32): i32 {
  if (index == NO_SOCKET) return -EMFILE;
  if (slot < 0) {
    socketFree(index);
    return slot;
  }
  const socket = socketAt(index);
  socket.index = <RecordNumber>slot;
  if ((type & SOCK_NONBLOCK) != 0) socket.flags |= SocketFlag.NONBLOCK;
  return socketFd(index);
}
