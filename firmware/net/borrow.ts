import { clockMs } from "board";
import { EAGAIN } from "../../stack/errors";
import { AF_INET, MSG_MORE } from "../../stack/posix";
import { SockAddrIn, setSockAddrIn } from "../../stack/socket/address";
import { sockBorrow, sockRelease, sockSendRoom, sockSendWritten } from "../../stack/socket/borrow";
import { netPoll } from "./runtime";
import { mayWait, receiveTimeout, sendTimeout, timeLeft, turnedInstead } from "./socket-wait";

/**
 * Receiving and sending without a copy, in the rings of the sockets themselves. The spans are `IoVec` records.
 *
 *     const bytes = recvBorrow(fd, SPANS, 0, null);   // two spans
 *     …                                               // read them where they lie
 *     recvRelease(fd, bytes);
 */

/**
 * recv(2) in place: two spans (`IoVec`, 16 bytes; the second is empty when one is enough) to `spans`, all that is there of a
 * connection, or a datagram. The bytes stay as they are until `recvRelease`. Returns how many, 0 at the end of a stream, or an
 * error as of recv(2); of AF_UNIX and raw sockets -EOPNOTSUPP. Waits as recv(2) does, or not, with MSG_DONTWAIT.
 */
export function recvBorrow(fd: i32, spans: usize, flags: i32, address: SockAddrIn | null): i32 {
  const FROM: usize = memory.data(8, 4);
  const startMs = clockMs();
  let result = sockBorrow(fd, spans, FROM);
  while (result == -EAGAIN && mayWait(fd, flags)) {
    const left = timeLeft(startMs, receiveTimeout(fd));
    if (left == 0) break;
    netPoll(left);
    result = sockBorrow(fd, spans, FROM);
  }
  if (result == -EAGAIN && !mayWait(fd, flags) && turnedInstead(fd))
    result = sockBorrow(fd, spans, FROM);
  if (result >= 0 && address != null)
    setSockAddrIn(address, <u16>AF_INET, load<u32>(FROM), load<u32>(FROM, 4));
  return result;
}

/** The first `bytes` of what was borrowed are done with (of a datagram: all of it). 0; -EINVAL when there were not so many. */
export function recvRelease(fd: i32, bytes: u32): i32 {
  return sockRelease(fd, bytes);
}

/**
 * send(2) in place: room in the send ring of a connection, one span (`IoVec`) to `span`, to be filled and sent by `sendCommit`. Returns
 * its length, or an error as of send(2). Waits for room as send(2) does, or not, with MSG_DONTWAIT.
 */
export function sendBorrow(fd: i32, span: usize, flags: i32): i32 {
  const startMs = clockMs();
  let result = sockSendRoom(fd, span);
  while (result == -EAGAIN && mayWait(fd, flags)) {
    const left = timeLeft(startMs, sendTimeout(fd));
    if (left == 0) break;
    netPoll(left);
    result = sockSendRoom(fd, span);
  }
  if (result == -EAGAIN && !mayWait(fd, flags) && turnedInstead(fd))
    result = sockSendRoom(fd, span);
  return result;
}

/** Sends the first `bytes` of the room that `sendBorrow` gave; with MSG_MORE a segment that is not full waits. Returns `bytes` or an error. */
export function sendCommit(fd: i32, bytes: u32, flags: i32): i32 {
  return sockSendWritten(fd, bytes, (flags & MSG_MORE) != 0);
}
