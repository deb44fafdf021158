import { clockMs } from "board";
import { GPIO_WATCHES } from "../../stack/config";
import { EBADF, EINVAL } from "../../stack/errors";
import { epollIsOpen, epollLook } from "./epoll-set";
import { gpioNews } from "./gpio";
import { netPoll } from "./runtime";
import { timeLeft } from "./socket-wait";

/** epoll(7): the wait. What is watched, and what is ready of it, is kept by epoll-set.ts. */

export {
  EPOLLERR,
  EPOLLET,
  EPOLLEXCLUSIVE,
  EPOLLHUP,
  EPOLLIN,
  EPOLLONESHOT,
  EPOLLOUT,
  EPOLLPRI,
  EPOLLRDHUP,
  EPOLL_CTL_ADD,
  EPOLL_CTL_DEL,
  EPOLL_CTL_MOD,
  EpollEvent,
  epollClose,
  epollCreate,
  epollCtl,
} from "./epoll-set";

/**
 * epoll_wait(2): writes up to `maxEvents` EpollEvent records to `events` and returns how many, 0 when `timeoutMs` has passed
 * (below 0: for ever). -EBADF, -EINVAL. Each call gives the network one turn at least.
 */
export function epollWait(epfd: i32, events: usize, maxEvents: i32, timeoutMs: i32): i32 {
  if (!epollIsOpen(epfd)) return -EBADF;
  if (maxEvents <= 0) return -EINVAL;
  const startMs = clockMs();
  netPoll(0);
  let count = epollLook(epfd, events, maxEvents);
  while (count == 0 && timeoutMs != 0) {
    const left = timeLeft(startMs, timeoutMs < 0 ? 0 : <u32>timeoutMs);
    if (left == 0) break;
    netPoll(left);
    count = epollLook(epfd, events, maxEvents);
    if (GPIO_WATCHES != 0 && gpioNews()) break;
  }
  return count;
}
