import {
  EpollEvent,
  epollClose,
  epollCreate,
  epollCtl,
  epollIsOpen,
  epollLook,
} from "../net/epoll-set";
import { EBADF, EINVAL } from "../../stack/errors";

/** epoll(7) without its wait, for the host. */

export function sysEpollCreate(): i32 {
  return epollCreate();
}

/** `event`: a struct epoll_event. */
export function sysEpollCtl(epfd: i32, operation: i32, fd: i32, event: usize): i32 {
  return epollCtl(epfd, operation, fd, changetype<EpollEvent>(event));
}

/** epoll_wait() with timeout 0. */
export function sysEpollWait(epfd: i32, events: usize, maxEvents: i32): i32 {
  if (!epollIsOpen(epfd)) return -EBADF;
  return maxEvents > 0 ? epollLook(epfd, events, maxEvents) : -EINVAL;
}

export function sysEpollClose(epfd: i32): i32 {
  return epollClose(epfd);
}
