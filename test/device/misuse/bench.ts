/** What the checks share: memory, addresses, two ends of a connection. */
import {
  AF_INET,
  INADDR_LOOPBACK,
  IoVec,
  SOCK_STREAM,
  SockAddrIn,
  accept,
  bind,
  close,
  connect,
  htonl,
  htons,
  listen,
  socket,
} from "as-tcpip/net";

export const BYTES: u32 = 16384;
/** Guards, to be seen whole at the end, stand before and behind it. */
export const GUARDED: usize = memory.data(16384 + 16, 8);
export const BUFFER: usize = GUARDED + 8;
export const PIECES: usize = memory.data(20 * 8, 4);
export const RECORD: usize = memory.data(64, 4);
export const ADDRESS: usize = memory.data(8, 4);

/** The checks' result, by main.ts. */
export { same } from "./main";

export function addressed(family: u32, port: u32): SockAddrIn {
  const record = changetype<SockAddrIn>(ADDRESS);
  record.sinFamily = <u16>family;
  record.sinPort = htons(<u16>port);
  record.sinAddr = htonl(INADDR_LOOPBACK);
  return record;
}

export function loopback(port: u32): SockAddrIn {
  return addressed(AF_INET, port);
}

export let client: i32 = -1;
export let server: i32 = -1;
let listener: i32 = -1;

/** A connection: `client` and `server`. */
export function pair(): void {
  if (listener < 0) {
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, loopback(80));
    listen(listener, 4);
  }
  client = socket(AF_INET, SOCK_STREAM, 0);
  connect(client, loopback(80));
  server = accept(listener, null);
}

export function unpair(): void {
  close(client);
  close(server);
}

export function pieceAt(index: u32): IoVec {
  return changetype<IoVec>(PIECES + <usize>(index * 8));
}

/** Two pieces of these lengths, one behind the other in BUFFER. */
export function pieces(first: u32, second: u32): void {
  pieceAt(0).base = BUFFER;
  pieceAt(0).bytes = first;
  pieceAt(1).base = BUFFER + <usize>first;
  pieceAt(1).bytes = second;
}
