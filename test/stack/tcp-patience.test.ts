/** Keep-alive (RFC 9293 3.8.4), user timeout (RFC 9293 3.8.3 (d), RFC 5482), linger with a time. */
import test from "../conformance/proves.js";
import type { StackHarness } from "../support/stack-harness.js";
import { SOCK_STREAM } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

const [SOCKET, TCP] = [1, 6];
const KEEPALIVE = 9;
const [KEEPIDLE, KEEPINTVL, KEEPCNT, USER_TIMEOUT] = [4, 5, 6, 18];
const ETIMEDOUT = 110;

interface It {
  stack: StackHarness;
  peer: TcpPeer;
  fd: number;
}

async function open(): Promise<It> {
  const stack = await deviceStack();
  return { stack, ...accepted(stack, stack.listen(80), 5000) };
}

function set({ stack, fd }: It, level: number, option: number, value: number): number {
  return stack.wasm.sysSetOption(fd, level, option, value);
}

async function alive(idle: number, interval: number, count: number): Promise<It> {
  const it = await open();
  set(it, TCP, KEEPIDLE, idle);
  set(it, TCP, KEEPINTVL, interval);
  set(it, TCP, KEEPCNT, count);
  set(it, SOCKET, KEEPALIVE, 1);
  it.stack.take();
  return it;
}

test("RFC 9293 MUST-25, MUST-28: keep-alive is off, and two hours are its interval", async (t) => {
  const it = await open();
  t.is(it.stack.wasm.sysGetOption(it.fd, SOCKET, KEEPALIVE), 0);
  t.true(it.stack.wasm.sysGetOption(it.fd, TCP, KEEPIDLE) >= 7200);
  t.deepEqual(it.peer.during(30_000_000), []);
});

test("RFC 9293 MUST-24, MUST-27, SHLD-12, MAY-5: it is switched on and off for each connection, with its own interval; a probe has no text", async (t) => {
  const it = await alive(60, 10, 3);
  t.deepEqual(it.peer.during(59_990), []);
  t.deepEqual(it.peer.during(20), ["A 0:1"]);
  it.peer.say("A");
  t.deepEqual(it.peer.during(59_000), []);
  t.is(set(it, SOCKET, KEEPALIVE, 0), 0);
  t.deepEqual(it.peer.during(300_000), []);
});

test("RFC 9293 MUST-26: nothing is asked while something is outstanding, or something was heard in the interval", async (t) => {
  const it = await alive(60, 10, 3);
  for (let i = 0; i < 5; i++) {
    it.peer.during(50_000);
    it.peer.say("A");
  }
  t.deepEqual(it.peer.during(9_000), []);
  it.stack.send(it.fd, pattern(10));
  const heard = it.peer.during(55_000);
  t.true(heard.length > 0 && heard.every((segment) => segment.includes("+10")), heard.join());
});

test("RFC 9293 MUST-29: one probe without an answer ends nothing; TCP_KEEPCNT of them do", async (t) => {
  // Within a minute, so that the neighbour need not be asked for meanwhile.
  const it = await alive(20, 5, 3);
  t.is(it.peer.during(29_000).length, 2);
  it.peer.say("A");
  t.is(it.stack.receive(it.fd), -11);
  it.stack.take();
  t.is(it.peer.during(34_900).filter((segment) => segment === "A 0:1").length, 3);
  t.deepEqual(it.peer.during(200), ["RA 1:1"]);
  t.is(it.stack.receive(it.fd), -ETIMEDOUT);
});

test("tcp(7): values out of range are refused, an accepted socket inherits, a datagram socket has none of it", async (t) => {
  const stack = await deviceStack();
  const listener = stack.listen(80);
  for (const [option, bad] of [
    [KEEPIDLE, 0],
    [KEEPINTVL, 40000],
    [KEEPCNT, 128],
    [USER_TIMEOUT, -1],
  ] as const)
    t.is(stack.wasm.sysSetOption(listener, TCP, option, bad), -22);
  stack.wasm.sysSetOption(listener, TCP, KEEPIDLE, 33);
  stack.wasm.sysSetOption(listener, SOCKET, KEEPALIVE, 1);
  const { fd, peer } = accepted(stack, listener, 5000);
  t.is(stack.wasm.sysGetOption(fd, TCP, KEEPIDLE), 33);
  t.deepEqual(peer.during(33_010), ["A 0:1"]);
});

test("RFC 9293 MUST-21, RFC 5482: TCP_USER_TIMEOUT ends a connection whose text is not acknowledged for so long, to the millisecond", async (t) => {
  for (const timeout of [1500, 40_000]) {
    const it = await open();
    t.is(set(it, TCP, USER_TIMEOUT, timeout), 0);
    it.stack.send(it.fd, pattern(100));
    it.peer.during(timeout - 5);
    t.is(it.stack.receive(it.fd), -11);
    it.peer.during(10);
    t.is(it.stack.receive(it.fd), -ETIMEDOUT);
  }
});

test("RFC 9293 MUST-21, tcp(7): progress begins the time anew; a window that stays shut is none, though every probe is answered", async (t) => {
  for (const timeout of [3000, 0]) {
    const it = await open();
    set(it, TCP, USER_TIMEOUT, timeout);
    it.stack.send(it.fd, pattern(2000));
    it.peer.during(2000);
    it.peer.acknowledge(537, { window: 0 });
    const answers = (ms: number): void => {
      for (const end = it.stack.nowMs + ms; it.stack.nowMs < end;) {
        if (it.peer.next(end - it.stack.nowMs).length > 0) it.peer.say("A", { window: 0 });
      }
    };
    answers(2990);
    t.is(it.stack.receive(it.fd), -11);
    answers(20);
    t.is(it.stack.receive(it.fd), timeout === 0 ? -11 : -ETIMEDOUT);
  }
});

test("RFC 9293 MUST-21: what opens the window in that time is progress, and another time begins", async (t) => {
  const it = await open();
  set(it, TCP, USER_TIMEOUT, 3000);
  it.stack.send(it.fd, pattern(3000));
  for (const acknowledged of [537, 1073, 1609, 2145]) {
    it.peer.during(10);
    it.peer.acknowledge(acknowledged, { window: 0 });
    for (let ms = 0; ms < 2000; ms += 500) {
      it.peer.during(500);
      it.peer.say("A", { window: 0 });
    }
    it.peer.say("A", { window: 536 });
  }
  t.is(it.stack.receive(it.fd), -11);
});

test("tcp(7): with TCP_USER_TIMEOUT keep-alive ends by the time since the peer was heard, not by the number of probes", async (t) => {
  for (const [timeout, ends] of [
    [32_000, 35_000],
    [5_000, 25_000],
  ] as const) {
    const it = await alive(20, 5, 2);
    set(it, TCP, USER_TIMEOUT, timeout);
    it.peer.wait(ends - 100);
    t.is(it.stack.receive(it.fd), -11, `${timeout}`);
    it.peer.wait(200);
    t.is(it.stack.receive(it.fd), -ETIMEDOUT);
  }
});

test("a SYN is given up by TCP_USER_TIMEOUT, too", async (t) => {
  const stack = await deviceStack();
  const fd = stack.socket(SOCK_STREAM);
  stack.wasm.sysSetOption(fd, TCP, USER_TIMEOUT, 4000);
  const peer = TcpPeer.dialled(stack, stack.neighbour(), fd, 80);
  peer.during(3990);
  t.is(stack.wasm.sysEvents(fd), 0);
  peer.during(20);
  t.is(stack.wasm.sysError(fd), ETIMEDOUT);
});

test("RFC 5482: after an idle time the user timeout begins with what is sent, also into a window that is shut", async (t) => {
  const it = await open();
  set(it, TCP, USER_TIMEOUT, 3000);
  it.peer.say("A", { window: 0 });
  it.peer.during(10_000);
  it.stack.send(it.fd, pattern(10));
  it.peer.during(2_950);
  t.is(it.stack.receive(it.fd), -11);
  it.peer.during(100);
  t.is(it.stack.receive(it.fd), -ETIMEDOUT);
});
