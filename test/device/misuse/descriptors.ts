/** Descriptors that are none, or of another kind: epoll instances given to socket calls, and the other way. */
import {
  AF_INET,
  AF_UNIX,
  EPOLL_CTL_ADD,
  EpollEvent,
  MsgHdr,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_RCVBUF,
  TcpInfo,
  accept,
  accept4,
  bind,
  close,
  connect,
  dup,
  epollClose,
  epollCreate,
  epollCtl,
  epollWait,
  fcntl,
  getpeername,
  getsockname,
  getsockopt,
  ioctl,
  listen,
  loopForget,
  loopWatch,
  read,
  readv,
  recv,
  recvBorrow,
  recvRelease,
  recvfrom,
  recvmsg,
  send,
  sendBorrow,
  sendCommit,
  sendmsg,
  sendto,
  setsockopt,
  shutdown,
  sockatmark,
  socket,
  tcpInfo,
  write,
  writev,
  FIONREAD,
  F_GETFL,
  F_SETFL,
} from "as-tcpip/net";
import {
  BUFFER,
  PIECES,
  RECORD,
  addressed,
  loopback,
  pair,
  pieces,
  same,
  server,
  unpair,
} from "./bench";

const EBADF: i32 = -9;
const EINVAL: i32 = -22;
const EAFNOSUPPORT: i32 = -97;

/** Every call on a descriptor that is no socket's; `watched`: what the event loop says of it. */
function none(step: u32, fd: i32, watched: i32 = EBADF): void {
  const address = loopback(9);
  const message = changetype<MsgHdr>(RECORD);
  message.name = 0;
  message.iov = PIECES;
  message.iovCount = 2;
  pieces(4, 4);
  same(step, bind(fd, address), EBADF);
  same(step + 1, listen(fd, 1), EBADF);
  same(step + 2, accept(fd, null), EBADF);
  same(step + 3, accept4(fd, address, SOCK_NONBLOCK), EBADF);
  same(step + 4, connect(fd, loopback(9)), EBADF);
  same(step + 5, connect(fd, addressed(99, 9)), EBADF);
  same(step + 6, send(fd, BUFFER, 1, 0), EBADF);
  same(step + 7, sendto(fd, BUFFER, 1, 0, loopback(9)), EBADF);
  same(step + 8, sendto(fd, BUFFER, 1, 0, addressed(99, 9)), EBADF);
  same(step + 9, sendmsg(fd, message, 0), EBADF);
  same(step + 10, recv(fd, BUFFER, 8, 0), EBADF);
  same(step + 11, recvfrom(fd, BUFFER, 8, 0, loopback(9)), EBADF);
  same(step + 12, recvmsg(fd, message, 0), EBADF);
  same(step + 13, read(fd, BUFFER, 8), EBADF);
  same(step + 14, write(fd, BUFFER, 8), EBADF);
  same(step + 15, readv(fd, PIECES, 2), EBADF);
  same(step + 16, writev(fd, PIECES, 2), EBADF);
  same(step + 17, readv(fd, PIECES, 0), EBADF);
  same(step + 18, writev(fd, PIECES, 0), EBADF);
  same(step + 19, shutdown(fd, 7), EBADF);
  same(step + 20, dup(fd), EBADF);
  same(step + 21, getsockname(fd, address), EBADF);
  same(step + 22, getpeername(fd, address), EBADF);
  same(step + 23, setsockopt(fd, SOL_SOCKET, 9999, RECORD, 0), EBADF);
  same(step + 24, getsockopt(fd, SOL_SOCKET, SO_RCVBUF, RECORD), EBADF);
  same(step + 25, fcntl(fd, F_GETFL, 0), EBADF);
  same(step + 26, fcntl(fd, 99, 0), EBADF);
  same(step + 27, ioctl(fd, FIONREAD, RECORD), EBADF);
  same(step + 28, ioctl(fd, 99, RECORD), EBADF);
  same(step + 29, recvBorrow(fd, RECORD, 0, null), EBADF);
  same(step + 30, recvRelease(fd, 1), EBADF);
  same(step + 31, sendBorrow(fd, RECORD, 0), EBADF);
  same(step + 32, sendCommit(fd, 1, 0), EBADF);
  same(step + 33, sockatmark(fd), EBADF);
  same(step + 34, tcpInfo(fd, changetype<TcpInfo>(BUFFER)), EBADF);
  same(step + 35, loopWatch(fd, 1, 1, 0), watched);
  same(step + 36, loopForget(fd), watched);
}

export function descriptors(): void {
  const ep = epollCreate();
  const event = changetype<EpollEvent>(BUFFER);
  event.events = 1;
  const gone = socket(AF_INET, SOCK_STREAM, 0);
  close(gone);
  none(100, -1);
  none(200, i32.MIN_VALUE);
  none(300, i32.MAX_VALUE);
  none(400, gone);
  // An instance inside of another one.
  none(500, ep, EINVAL);
  same(600, close(-1), EBADF);
  same(601, close(gone), EBADF);
  // An instance is closed by epollClose; close() of it changes nothing.
  same(602, close(ep), EBADF);
  same(603, epollWait(ep, BUFFER, 4, 0), 0);
  pair();
  same(604, epollCtl(server, EPOLL_CTL_ADD, server, event), EBADF);
  same(605, epollWait(server, BUFFER, 4, 0), EBADF);
  same(606, epollClose(server), EBADF);
  same(607, epollCtl(ep, EPOLL_CTL_ADD, ep, event), EINVAL);
  same(608, epollCtl(ep, EPOLL_CTL_ADD, gone, event), EBADF);
  same(609, epollCtl(ep, 99, server, event), EINVAL);
  same(610, epollCtl(ep, EPOLL_CTL_ADD, server, null), EINVAL);
  same(611, epollWait(ep, BUFFER, 0, 0), EINVAL);
  same(612, epollWait(ep, BUFFER, i32.MIN_VALUE, 0), EINVAL);
  same(613, accept4(server, null, 1), EINVAL);
  same(614, fcntl(server, F_SETFL, i32.MIN_VALUE), 0);
  unpair();
  same(615, epollClose(ep), 0);
  same(616, epollClose(ep), EBADF);
  types();
}

/** Families and types: of another kind, and flags that nobody knows. */
function types(): void {
  same(620, socket(AF_INET, SOCK_STREAM | 0x10, 0), EINVAL);
  same(621, socket(AF_INET, SOCK_DGRAM | 0x40000000, 0), EINVAL);
  same(622, socket(AF_UNIX, SOCK_STREAM | 0x10, 0), EINVAL);
  same(623, socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
  const u = socket(AF_INET, SOCK_DGRAM, 0);
  const local = socket(AF_UNIX, SOCK_DGRAM, 0);
  same(624, bind(u, addressed(AF_UNIX, 9)), EAFNOSUPPORT);
  same(625, connect(u, addressed(AF_UNIX, 9)), EAFNOSUPPORT);
  same(626, sendto(u, BUFFER, 1, 0, addressed(AF_UNIX, 9)), EAFNOSUPPORT);
  same(627, bind(local, loopback(9)), EINVAL);
  same(628, connect(local, loopback(9)), EINVAL);
  same(629, sendto(local, BUFFER, 1, 0, loopback(9)), EINVAL);
  close(u);
  close(local);
}
