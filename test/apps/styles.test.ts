/** epoll(7), select(2), a completion queue after io_uring(7) and the event loop, by a program that uses them over the loopback device (test/device/styles). */
import test from "ava";
import { Lan } from "../../host-tools/testing/index.js";
import { stepsOf } from "../support/steps.js";

const [IN, OUT, HUP, RDHUP] = [1, 4, 16, 0x2000];
const [ENOENT, EBADF, EEXIST, EINVAL, EMFILE] = [-2, -9, -17, -22, -24];

/** What each step must give, in order: epoll(7), epoll_ctl(2), epoll_wait(2), select(2). */
const WANTED: [step: number, value: number][] = [
  // Level triggered: told as long as it is so.
  [1, 0],
  [2, 0],
  [3, IN],
  [4, IN],
  [5, 0],
  // Edge triggered: told once for each event; EPOLL_CTL_MOD tells what is so; one-shot waits for EPOLL_CTL_MOD.
  [6, 0],
  [7, IN],
  [8, 0],
  [9, IN],
  [10, 0],
  [11, IN | OUT],
  [12, 0],
  [13, 0],
  [14, IN],
  [15, 0],
  [16, 0],
  [17, IN],
  // Misuse.
  [20, EINVAL],
  [21, EEXIST],
  [22, ENOENT],
  [23, ENOENT],
  [24, EBADF],
  [25, EBADF],
  [26, EINVAL],
  [27, EINVAL],
  [28, EMFILE],
  [29, IN],
  [30, 0],
  [31, EBADF],
  // FIN, both FINs, close.
  [40, IN | RDHUP],
  [41, HUP],
  [42, 0],
  [43, 0],
  // select
  [50, 1],
  [51, 1],
  [52, 0],
  [53, 1],
  [54, 1],
  [55, 1],
  [56, EBADF],
  // writev, ioctl, readv; sendmsg, recvmsg with MSG_TRUNC
  [70, 30],
  [71, 0],
  [72, 30],
  [73, 30],
  [74, -25],
  [75, 30],
  [76, 16],
  [77, 1],
  [78, 30],
  // IP_PKTINFO by the loopback device, with and without room for it; dup; SO_BINDTODEVICE, TCP_CONGESTION.
  [170, 0],
  [171, 16],
  [172, 1],
  [173, 1],
  [174, 8],
  [175, 0],
  [176, 30],
  [177, 30],
  [178, 0],
  [179, -19],
  [180, 0],
  [181, -101],
  [182, 1],
  [183, 0],
  [184, -9],
  // The completion queue: accept and connect; send, receive into a chosen buffer, the notice that the bytes are free.
  [80, 2],
  [81, 20],
  [81, 12],
  [82, 4010],
  [82, 3010],
  [82, 4000],
  [83, 13],
  // The second buffer, then there is none.
  [84, 3016],
  [85, 3000 - 105],
  [85, -105],
  // A timeout, a cancelled receive, a chain, a chain whose first part fails, the cancelled accept.
  [86, 5000 - 62],
  [87, 7000],
  [87, 6000 - 125],
  [88, 8005],
  [88, 9005],
  [89, 10000 - 9],
  [89, 11000 - 125],
  [90, 12000],
  [90, 13000],
  [90, 14000],
  [90, 1000 - 125],
  // 48 operations, room for 32 completions.
  [91, 1],
  [92, 1],
  [93, 48],
  [94, 0],
  // The loop: deferred work, then five ticks, 50 ms; thirty bytes by way of the loop's echo server.
  [61, 6],
  [60, 5],
  [60, 5],
  [60, 5],
  [60, 5],
  [60, 5],
  [63, 30],
  [64, 1],
  [99, 0],
];

test("epoll, select, the completion queue and the event loop give what their man pages say", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "test/device/styles" });
  await device.logged("step 99");
  t.deepEqual(stepsOf(device.log), WANTED);
  lan.close();
});
