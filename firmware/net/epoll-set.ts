import { EPOLLS, SOCKETS } from "../../stack/config";
import { EBADF, EEXIST, EINVAL, EMFILE, ENOENT } from "../../stack/errors";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP } from "../../stack/posix";
import { NO_READY, readyTake, readyTaken } from "../../stack/readiness";
import { sockEvents } from "../../stack/socket/socket";
import { FD_END, NO_SOCKET, socketIndex } from "../../stack/socket/table";

/**
 * What epoll(7) keeps: a view of the one readiness module (stack/readiness.ts). The news of sockets are taken once, handed to the
 * instances that are interested, and kept there as a queue of sockets that may be ready. A look at them costs in proportion to
 * those and not to all that are watched. What is still ready goes to the end of the queue, so that none is always last. Nothing
 * here waits; `epollWait` (epoll.ts) does.
 */

/** Interest and result bits, as on Linux. */
export const EPOLLIN: u32 = POLLIN;
export const EPOLLPRI: u32 = POLLPRI;
export const EPOLLOUT: u32 = POLLOUT;
export const EPOLLERR: u32 = POLLERR;
export const EPOLLHUP: u32 = POLLHUP;
export const EPOLLRDHUP: u32 = POLLRDHUP;
/** Of several instances that watch a socket with this bit, the one that looks first is told of an event, and the others are not. */
export const EPOLLEXCLUSIVE: u32 = 1 << 28;
/** Told once, then silent until EPOLL_CTL_MOD. */
export const EPOLLONESHOT: u32 = 1 << 30;
/** Edge triggered: told of what has happened, not of what is so. */
export const EPOLLET: u32 = 1 << 31;

export const EPOLL_CTL_ADD: i32 = 1;
export const EPOLL_CTL_DEL: i32 = 2;
export const EPOLL_CTL_MOD: i32 = 3;

/** struct epoll_event, 12 bytes: the bits and eight bytes of the caller's. */
@unmanaged
export class EpollEvent {
  events: u32;
  /** User data: any number, such as the descriptor. */
  data: u32;
  dataHigh: u32;
}

/** What one instance wants to know of one socket. */
@unmanaged
class Interest {
  /** Descriptor; -1 = none. A socket that was closed is forgotten when its slot has another one. */
  fd: i32;
  events: u32;
  data: u32;
  dataHigh: u32;
  /** Edges that have not been told: bits of poll(2). */
  edges: u16;
  /** In the queue of those that may be ready: the one behind it (its number in the queue), LAST, or NOT_QUEUED. */
  next: u16;
}

/** An instance, and the queue of the sockets that may be ready: numbers are those of sockets plus FIRST. */
@unmanaged
class Instance {
  isOpen: u8;
  reserved: u8;
  head: u16;
  tail: u16;
  reserved2: u16;
}

const NOT_QUEUED: u32 = 0;
const LAST: u32 = 1;
const FIRST: u32 = 2;

/** Descriptors of instances begin here; no socket has such a number. */
const FIRST_FD: i32 = FD_END;
/** Bits that are told whether they were asked for or not. */
const ALWAYS: u32 = EPOLLERR | EPOLLHUP;
const STATE_BITS: u32 = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLRDHUP;
/** What may be asked for beside EPOLLEXCLUSIVE. */
const WITH_EXCLUSIVE: u32 = EPOLLIN | EPOLLOUT | ALWAYS | EPOLLET | EPOLLEXCLUSIVE;

// The tables are constants of functions, so that an application without epoll has none of them.

function interestAt(instance: u32, socket: u32): Interest {
  const INTERESTS: usize = memory.data(EPOLLS * SOCKETS * offsetof<Interest>(), 4);
  return changetype<Interest>(INTERESTS + (instance * SOCKETS + socket) * offsetof<Interest>());
}

function instanceAt(instance: u32): Instance {
  const INSTANCES: usize = memory.data(EPOLLS * offsetof<Instance>(), 4);
  return changetype<Instance>(INSTANCES + instance * offsetof<Instance>());
}

/** Puts a socket behind those that may be ready, unless it is among them. */
function queue(instance: u32, socket: u32): void {
  const interest = interestAt(instance, socket);
  if (interest.next != <u16>NOT_QUEUED) return;
  const record = instanceAt(instance);
  const number = <u16>(socket + FIRST);
  interest.next = <u16>LAST;
  if (record.head == <u16>NOT_QUEUED) record.head = number;
  else interestAt(instance, <u32>record.tail - FIRST).next = number;
  record.tail = number;
}

/** Takes the first of the queue, which is not empty: its socket. */
function takeFirst(instance: u32): u32 {
  const record = instanceAt(instance);
  const socket = <u32>record.head - FIRST;
  const interest = interestAt(instance, socket);
  record.head = interest.next == <u16>LAST ? <u16>NOT_QUEUED : interest.next;
  interest.next = <u16>NOT_QUEUED;
  return socket;
}

/** True for the descriptor of an open instance. */
export function epollIsOpen(epfd: i32): bool {
  const instance = <u32>(epfd - FIRST_FD);
  return instance < EPOLLS && instanceAt(instance).isOpen != 0;
}

/** epoll_create1(2): a descriptor of its own kind, which `epollClose` closes. -EMFILE when EPOLLS are open. */
export function epollCreate(): i32 {
  for (let instance: u32 = 0; instance < EPOLLS; instance++) {
    const record = instanceAt(instance);
    if (record.isOpen != 0) continue;
    record.isOpen = 1;
    record.head = <u16>NOT_QUEUED;
    for (let socket: u32 = 0; socket < SOCKETS; socket++) {
      interestAt(instance, socket).fd = -1;
      interestAt(instance, socket).next = <u16>NOT_QUEUED;
    }
    return FIRST_FD + <i32>instance;
  }
  return -EMFILE;
}

/** close(2) of an instance; what it watched stays open. */
export function epollClose(epfd: i32): i32 {
  if (!epollIsOpen(epfd)) return -EBADF;
  instanceAt(<u32>(epfd - FIRST_FD)).isOpen = 0;
  return 0;
}

/**
 * epoll_ctl(2). -EBADF; -EINVAL for an instance inside of another, EPOLLEXCLUSIVE with other bits than EPOLLIN, EPOLLOUT and EPOLLET,
 * or EPOLL_CTL_MOD to or from it; -EEXIST, -ENOENT.
 */
export function epollCtl(epfd: i32, operation: i32, fd: i32, event: EpollEvent | null): i32 {
  if (!epollIsOpen(epfd)) return -EBADF;
  if (epollIsOpen(fd)) return -EINVAL;
  const socket = socketIndex(fd);
  if (socket == NO_SOCKET) return -EBADF;
  const instance = <u32>(epfd - FIRST_FD);
  const interest = interestAt(instance, socket);
  const known = interest.fd == fd;
  if (operation == EPOLL_CTL_DEL) {
    if (!known) return -ENOENT;
    // It may still stand in the queue, and is passed over there.
    interest.fd = -1;
    return 0;
  }
  if (operation != EPOLL_CTL_ADD && operation != EPOLL_CTL_MOD) return -EINVAL;
  if (event == null) return -EINVAL;
  if ((event.events & EPOLLEXCLUSIVE) != 0) {
    if (operation == EPOLL_CTL_MOD || (event.events & ~WITH_EXCLUSIVE) != 0) return -EINVAL;
  }
  // One entry for a socket, whichever of its descriptors it was added by.
  const other = socketIndex(interest.fd) == socket;
  if (operation == EPOLL_CTL_ADD && other) return -EEXIST;
  if (operation == EPOLL_CTL_MOD && !known) return -ENOENT;
  if (operation == EPOLL_CTL_MOD && (interest.events & EPOLLEXCLUSIVE) != 0) return -EINVAL;
  interest.fd = fd;
  interest.events = event.events | ALWAYS;
  interest.data = event.data;
  interest.dataHigh = event.dataHigh;
  // What is so already counts as news.
  interest.edges = <u16>STATE_BITS;
  queue(instance, socket);
  return 0;
}

/** What an instance wants to know of a socket with EPOLLEXCLUSIVE alone. */
function isExclusive(instance: u32, socket: u32): bool {
  const interest = interestAt(instance, socket);
  return socketIndex(interest.fd) == socket && (interest.events & EPOLLEXCLUSIVE) != 0;
}

/** Hands the news of sockets to the instances that watch them. `looking` is the one for which they are taken. */
function gather(looking: u32): void {
  for (let turns: u32 = 0; turns < SOCKETS; turns++) {
    const socket = readyTake();
    if (socket == NO_READY) return;
    // A FIN is told as POLLIN and POLLHUP.
    const news = readyTaken() | ((readyTaken() & POLLHUP) != 0 ? POLLRDHUP : 0);
    // Were it always the same one, its owner might be busy and another one wait in vain.
    const exclusive = isExclusive(looking, socket);
    for (let instance: u32 = 0; instance < EPOLLS; instance++) {
      const interest = interestAt(instance, socket);
      if (instanceAt(instance).isOpen == 0 || socketIndex(interest.fd) != socket) continue;
      if (exclusive && instance != looking && isExclusive(instance, socket)) continue;
      interest.edges |= <u16>news;
      queue(instance, socket);
    }
  }
}

/** What is to be told of a socket now, which was taken from the queue; 0 = nothing. What may be told again goes back to its end. */
function tellable(instance: u32, socket: u32): u32 {
  const interest = interestAt(instance, socket);
  const fd = interest.fd;
  // Closed: it leaves the set by itself (epoll(7)).
  if (fd < 0 || socketIndex(fd) == NO_SOCKET) {
    interest.fd = -1;
    return 0;
  }
  const asked = interest.events & STATE_BITS;
  // A one-shot that has been told waits for EPOLL_CTL_MOD.
  if (asked == 0) return 0;
  const events = sockEvents(fd) & asked;
  if ((interest.events & EPOLLET) != 0) {
    const edges = <u32>interest.edges;
    interest.edges = 0;
    if ((events & edges) == 0) return 0;
  }
  if (events == 0) return 0;
  if ((interest.events & EPOLLONESHOT) != 0) interest.events &= ~STATE_BITS;
  else if ((interest.events & EPOLLET) == 0) queue(instance, socket);
  return events;
}

/** Writes up to `maxEvents` EpollEvent records of what an open instance has to tell now; how many. */
export function epollLook(epfd: i32, events: usize, maxEvents: i32): i32 {
  const instance = <u32>(epfd - FIRST_FD);
  gather(instance);
  const record = instanceAt(instance);
  // Who goes back to the end is not looked at again.
  const last = <u32>record.tail - FIRST;
  let count: i32 = 0;
  for (let turns: u32 = 0; turns < SOCKETS && count < maxEvents; turns++) {
    if (record.head == <u16>NOT_QUEUED) break;
    const socket = takeFirst(instance);
    const found = tellable(instance, socket);
    if (found != 0) {
      const interest = interestAt(instance, socket);
      const out = changetype<EpollEvent>(events + <usize>(count * offsetof<EpollEvent>()));
      out.events = found;
      out.data = interest.data;
      out.dataHigh = interest.dataHigh;
      count += 1;
    }
    if (socket == last) break;
  }
  return count;
}
