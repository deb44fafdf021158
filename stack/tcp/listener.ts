import { based } from "cpu";
import { RecordNumber } from "options";
import {
  NO_RECORD,
  SOCKET_MORE_OPTIONS,
  TCP,
  TCP_ANY_PORT,
  TCP_FAST_PATH,
  TCP_LISTENERS,
} from "../config";
import { deviceHeard } from "../ip/routes";
import { keyedHash } from "../random";
import { Tcb, tcbAt } from "./connection";

/** A listening socket: where it listens, and the accept queue of connections that are established and not yet accepted. */
@unmanaged
export class Listener {
  /** 0 = every local address. */
  localAddress: u32;
  /** 0 with `open` = every port (TCP_ANY_PORT). */
  localPort: u16;
  /** Socket that owns it. */
  socket: RecordNumber;
  open: bool;
  /** Most connections in the accept queue. */
  backlog: u8;
  accepted: RecordNumber;
  /** Accept queue, TCB numbers plus one. */
  head: RecordNumber;
  tail: RecordNumber;
  /** SO_REUSEPORT: others that have it too may listen at the same place, and connections are spread over them. */
  shared: bool;
  /** In the low four bits `deferrals`, above them `device`. */
  manner: u8;
  /** TCP_MAXSEG; 0 = none. */
  maxSegment: u16;

  /** TCP_DEFER_ACCEPT: SYN-ACKs that are sent again before a handshake without text counts. */
  get deferrals(): u32 {
    return (<u32>this.manner) & 15;
  }

  set deferrals(count: u32) {
    this.manner = <u8>(((<u32>this.manner) & 0xf0) | count);
  }

  /** SO_BINDTODEVICE. */
  get device(): u32 {
    return (<u32>this.manner) >>> 4;
  }

  set device(device: u32) {
    this.manner = <u8>(((<u32>this.manner) & 15) | (device << 4));
  }
}

const LISTENERS: usize = memory.data(TCP ? TCP_LISTENERS * offsetof<Listener>() : 0, 4);
export const NO_LISTENER: u32 = NO_RECORD;

/** A listener by number. */
export function listenerAt(index: u32): Listener {
  assert(index < TCP_LISTENERS);
  return changetype<Listener>(based(LISTENERS) + index * offsetof<Listener>());
}

/**
 * The listener for a SYN to this address and port, the more exact one first; NO_LISTENER when there is none. Of several that
 * share the place (SO_REUSEPORT) a keyed hash of the peer chooses, so that it finds the same one again.
 */
export function listenerFind(address: u32, port: u32, peer: u32, peerPort: u32): u32 {
  if (TCP_FAST_PATH && port == alonePort) return alone;
  return listenerSearch(address, port, peer, peerPort);
}

/**
 * The port that was asked for last, if one listener alone has it, on each address and device: who asks, and what for, is of no account then.
 * 0 = there is none.
 */
let alonePort: u32 = 0;
/** That listener. */
let alone: u32 = 0;

/** A listener has come, gone or changed. */
export function listenersChanged(): void {
  if (TCP_FAST_PATH) alonePort = 0;
}

function noteAlone(index: u32, port: u32): void {
  const listener = listenerAt(index);
  if (listener.localAddress != 0 || listener.device != 0 || <u32>listener.localPort != port) return;
  for (let other: u32 = 0; other < TCP_LISTENERS; other++) {
    const rival = listenerAt(other);
    if (other != index && rival.open && <u32>rival.localPort == port) return;
  }
  alonePort = port;
  alone = index;
}

function listenerSearch(address: u32, port: u32, peer: u32, peerPort: u32): u32 {
  let found = NO_LISTENER;
  let score: u32 = 0;
  let equals: u32 = 0;
  for (let index: u32 = 0; index < TCP_LISTENERS; index++) {
    const listener = listenerAt(index);
    const any = TCP_ANY_PORT && listener.localPort == 0;
    if ((<u32>listener.localPort != port && !any) || !listener.open) continue;
    if (listener.localAddress != 0 && listener.localAddress != address) continue;
    if (!hears(listener, peer)) continue;
    const value: u32 = (any ? 1 : 2) + (listener.localAddress != 0 ? 1 : 0);
    if (value == score) equals += 1;
    if (value <= score) continue;
    score = value;
    found = index;
    equals = 0;
  }
  if (TCP_FAST_PATH && found != NO_LISTENER) noteAlone(found, port);
  if (TCP_LISTENERS < 2 || equals == 0) return found;
  return sharerOf(found, keyedHash(peer, peerPort, port) % (equals + 1), peer);
}

/** False when a listener may not hear `peer`, from whom the open packet is, by the device that it is bound to. */
function hears(listener: Listener, peer: u32): bool {
  return !SOCKET_MORE_OPTIONS || listener.device == 0 || listener.device == deviceHeard(peer);
}

/** The `number`-th of the listeners that share a place with listener `first`, the lowest of them, and hear `peer`. */
function sharerOf(first: u32, number: u32, peer: u32): u32 {
  const listener = listenerAt(first);
  let found = first;
  for (let index = first + 1; index < TCP_LISTENERS && number != 0; index++) {
    const other = listenerAt(index);
    if (!samePlace(other, listener) || !hears(other, peer)) continue;
    found = index;
    number -= 1;
  }
  return found;
}

function samePlace(a: Listener, b: Listener): bool {
  return a.open && a.localPort == b.localPort && a.localAddress == b.localAddress;
}

/** Another listener that shares the place of this one and hears all that it hears; NO_LISTENER when there is none. */
export function listenerHeir(gone: u32): u32 {
  if (TCP_LISTENERS < 2) return NO_LISTENER;
  const listener = listenerAt(gone);
  for (let index: u32 = 0; listener.shared && index < TCP_LISTENERS; index++) {
    const other = listenerAt(index);
    if (index == gone || !samePlace(other, listener)) continue;
    if (!SOCKET_MORE_OPTIONS || other.device == 0 || other.device == listener.device) return index;
  }
  return NO_LISTENER;
}

/** True when a listener has this very address and port, and they do not both share it (SO_REUSEPORT). */
export function listenerTaken(address: u32, port: u32, shared: bool): bool {
  for (let index: u32 = 0; index < TCP_LISTENERS; index++) {
    const listener = listenerAt(index);
    if (!listener.open || <u32>listener.localPort != port || (shared && listener.shared)) continue;
    if (listener.localAddress == 0 || address == 0 || listener.localAddress == address) return true;
  }
  return false;
}

/** TCP_MAXSEG of a listener; 0 = none. */
export function listenerMaxSegment(index: u32): u32 {
  return <u32>listenerAt(index).maxSegment;
}

/** A free slot, or NO_LISTENER. */
export function listenerAllocate(): u32 {
  for (let index: u32 = 0; index < TCP_LISTENERS; index++) {
    if (!listenerAt(index).open) return index;
  }
  return NO_LISTENER;
}

/** Appends an established connection to the accept queue. */
export function acceptQueueAdd(listener: Listener, tcb: Tcb): void {
  tcb.nextAccept = 0;
  const link = <RecordNumber>(tcb.id + 1);
  if (listener.head == 0) listener.head = link;
  else tcbAt(<u32>listener.tail - 1).nextAccept = link;
  listener.tail = link;
  listener.accepted += 1;
}

/** Takes the first connection out of the accept queue; there is one. */
export function acceptQueueTake(listener: Listener): Tcb {
  const tcb = tcbAt(<u32>listener.head - 1);
  listener.head = tcb.nextAccept;
  if (tcb.nextAccept == 0) listener.tail = 0;
  tcb.nextAccept = 0;
  listener.accepted -= 1;
  return tcb;
}

/** Takes a connection out of the accept queue, wherever it stands. */
export function acceptQueueRemove(listener: Listener, tcb: Tcb): void {
  const link = <u32>tcb.id + 1;
  let before: u32 = 0;
  let at = <u32>listener.head;
  for (let steps = <u32>listener.accepted; at != link && steps != 0; steps--) {
    before = at;
    at = at == 0 ? 0 : <u32>tcbAt(at - 1).nextAccept;
  }
  if (at != link) return;
  if (before == 0) listener.head = tcb.nextAccept;
  else tcbAt(before - 1).nextAccept = tcb.nextAccept;
  if (<u32>listener.tail == link) listener.tail = <RecordNumber>before;
  tcb.nextAccept = 0;
  listener.accepted -= 1;
}
