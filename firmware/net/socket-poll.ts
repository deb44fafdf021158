import { clockMs } from "board";
import { GPIO_WATCHES } from "../../stack/config";
import { POLLERR, POLLHUP, POLLNVAL } from "../../stack/posix";
import { sockEvents } from "../../stack/socket/socket";
import { gpioNews } from "./gpio";
import { netPoll } from "./runtime";
import { timeLeft } from "./socket-wait";

/** One entry of poll(2): 8 bytes. */
@unmanaged
export class PollFd {
  fd: i32;
  events: u16;
  revents: u16;
}

/**
 * poll(2) over `count` PollFd records at `fds`. Waits at most `timeoutMs`, for ever when it is below 0. Returns how many have
 * something in `revents`. With GPIO_WATCHES an edge of a watched pin ends the wait, too. Each call gives the network one turn at least.
 */
export function poll(fds: usize, count: u32, timeoutMs: i32): i32 {
  const startMs = clockMs();
  netPoll(0);
  let ready = pollScan(fds, count);
  while (ready == 0 && timeoutMs != 0) {
    const left = timeLeft(startMs, timeoutMs < 0 ? 0 : <u32>timeoutMs);
    if (left == 0) break;
    netPoll(left);
    ready = pollScan(fds, count);
    if (GPIO_WATCHES != 0 && gpioNews()) break;
  }
  return ready;
}

function pollScan(fds: usize, count: u32): i32 {
  let ready: i32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = changetype<PollFd>(fds + i * offsetof<PollFd>());
    // A negative descriptor is passed over, as POSIX says.
    const events = entry.fd < 0 ? 0 : sockEvents(entry.fd);
    const asked = (<u32>entry.events) | POLLERR | POLLHUP | POLLNVAL;
    entry.revents = <u16>(events & asked);
    if (entry.revents != 0) ready += 1;
  }
  return ready;
}
