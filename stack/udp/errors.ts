import { ICMP_UNREACHABLE } from "../icmp/output";

/**
 * IP_RECVERR (ip(7)): what ICMP tells of the datagrams of a socket that asks for it, one error after the other, until
 * recvmsg() with MSG_ERRQUEUE takes them. A few for all sockets; what finds no room is told as ever, but not kept.
 */
@unmanaged
export class UdpError {
  /** Slot, number plus one. */
  slot: u16;
  errno: u16;
  type: u8;
  code: u8;
  /** Port that the datagram was sent to, and below its address, in host order. */
  port: u16;
  destination: u32;
  /** Who sent the error. */
  offender: u32;
  /** Of a datagram that was too long (unreachable, code 4): the MTU. */
  info: u32;
}

const MOST: u32 = 4;
const FRAGMENTATION_NEEDED: u32 = 4;
const BYTES: u32 = offsetof<UdpError>();

let waiting: u32 = 0;
/** A socket has asked. Nobody can in an image without setsockopt(), which has nothing of all this. */
export let udpErrorsAsked: bool = false;

/** A socket asks for its errors. */
export function udpErrorsAsk(): void {
  udpErrorsAsked = true;
}

/** The errors in the order in which they came; the one behind them is the one that was taken last. */
function at(index: u32): UdpError {
  const TABLE: usize = memory.data((MOST + 1) * offsetof<UdpError>(), 4);
  return changetype<UdpError>(TABLE + <usize>(index * BYTES));
}

/** First error of a slot from `from` on; `waiting` when there is none. */
function find(slot: u32, from: u32): u32 {
  while (from < waiting && <u32>at(from).slot != slot + 1) from++;
  return from;
}

/** Keeps an error. */
export function udpErrorKeep(
  slot: u32,
  errno: i32,
  type: u32,
  code: u32,
  info: u32,
  destination: u32,
  port: u32,
  offender: u32,
): void {
  if (waiting == MOST) return;
  const error = at(waiting++);
  error.slot = <u16>(slot + 1);
  error.errno = <u16>errno;
  error.type = <u8>type;
  error.code = <u8>code;
  error.port = <u16>port;
  error.destination = destination;
  error.offender = offender;
  error.info = type == ICMP_UNREACHABLE && code == FRAGMENTATION_NEEDED ? info & 0xffff : 0;
}

/** True when an error of the slot waits. */
export function udpErrorWaits(slot: u32): bool {
  return waiting != 0 && find(slot, 0) != waiting;
}

/** Takes the oldest error of a slot; null when there is none. It stays as it is until the next one is taken. */
export function udpErrorTake(slot: u32): UdpError | null {
  const index = find(slot, 0);
  if (index == waiting) return null;
  const taken = at(MOST);
  memory.copy(changetype<usize>(taken), changetype<usize>(at(index)), BYTES);
  remove(index);
  return taken;
}

/** errno of the oldest error of a slot; 0 when there is none. */
export function udpErrorNext(slot: u32): u32 {
  const index = find(slot, 0);
  return index == waiting ? 0 : <u32>at(index).errno;
}

/** The slot is closed, or does not ask any more. */
export function udpErrorsForget(slot: u32): void {
  for (let index = find(slot, 0); index < waiting; index = find(slot, index)) remove(index);
}

function remove(index: u32): void {
  waiting -= 1;
  const gap = changetype<usize>(at(index));
  memory.copy(gap, gap + <usize>BYTES, (waiting - index) * BYTES);
}
