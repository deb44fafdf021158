import { RAW_SOCKETS, SOCKETS, UDP_SOCKETS } from "../config";
import { POLLOUT } from "../posix";
import { ready } from "../readiness";
import { SocketKind, socketAt } from "./table";

/** A neighbour was found or given up: a datagram that had to wait for it may go, or is refused, now. */
export function socketsNeighboursChanged(): void {
  if (UDP_SOCKETS == 0 && RAW_SOCKETS == 0) return;
  for (let index: u32 = 0; index < SOCKETS; index++) {
    const kind = <u32>socketAt(index).kind;
    if (kind == SocketKind.DATAGRAM || (RAW_SOCKETS != 0 && kind == SocketKind.RAW))
      ready(index, POLLOUT);
  }
}
