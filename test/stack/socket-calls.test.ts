import test from "../conformance/proves.js";
import { POLLIN, POLLOUT, POLLRDHUP, SOCK_DGRAM, SOCK_STREAM } from "../../stack/posix.js";
import type { StackHarness } from "../support/stack-harness.js";
import { TcpPeer, accepted, deviceStack } from "../support/tcp-peer.js";
import { ip, pattern } from "../support/wire.js";
import { TIGHT } from "../support/option-sets.js";

const LOCALHOST = ip("127.0.0.1");
const E = {
  BADF: -9,
  AGAIN: -11,
  INVAL: -22,
  MFILE: -24,
  PIPE: -32,
  DESTADDRREQ: -89,
  NOPROTOOPT: -92,
  PROTONOSUPPORT: -93,
  SOCKTNOSUPPORT: -94,
  OPNOTSUPP: -95,
  AFNOSUPPORT: -97,
  ADDRNOTAVAIL: -99,
  NOBUFS: -105,
  ISCONN: -106,
  NOTCONN: -107,
} as const;

/** Every call on a descriptor. */
function everyCall(stack: StackHarness, fd: number): Record<string, number> {
  const w = stack.wasm;
  const at = w.scratch();
  return {
    bind: w.sysBind(fd, 0, 80),
    listen: w.sysListen(fd, 1),
    accept: w.sysAccept(fd),
    connect: w.sysConnect(fd, ip("192.168.7.9"), 80),
    send: w.sysSend(fd, at, 1, 0),
    sendto: w.sysSendTo(fd, at, 1, 0, ip("192.168.7.9"), 80),
    recv: w.sysRecv(fd, at, 1, 0),
    recvfrom: w.sysRecvFrom(fd, at, 1, 0),
    shutdown: w.sysShutdown(fd, 1),
    option: w.sysSetOption(fd, 1, 2, 1),
    close: w.sysClose(fd),
    abort: w.sysAbort(fd),
  };
}

test("socket(2): EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EMFILE, ENOBUFS", async (t) => {
  const stack = await deviceStack(TIGHT);
  const open = (domain: number, type: number, protocol: number): number =>
    stack.wasm.sysSocket(domain, type, protocol);
  t.is(open(10, SOCK_STREAM, 0), E.AFNOSUPPORT);
  t.is(open(2, 3, 0), E.SOCKTNOSUPPORT);
  t.is(open(2, SOCK_STREAM, 17), E.PROTONOSUPPORT);
  t.is(open(2, SOCK_DGRAM, 6), E.PROTONOSUPPORT);
  for (let i = 0; i < 3; i++) t.true(open(2, SOCK_DGRAM, 17) >= 0);
  t.is(open(2, SOCK_DGRAM, 0), E.NOBUFS);
  for (let i = 0; i < 5; i++) t.true(open(2, SOCK_STREAM | 0x800, 6) >= 0);
  t.is(open(2, SOCK_STREAM, 0), E.MFILE);
  t.is(stack.tables()[3], 8);
});

test("S-19: every call on a stale, foreign or senseless descriptor gives EBADF and touches nothing", async (t) => {
  const stack = await deviceStack();
  const old = stack.socket(SOCK_STREAM);
  t.is(stack.wasm.sysClose(old), 0);
  const fresh = stack.listen(80);
  t.is(fresh & 255, old & 255);
  t.not(fresh, old);
  for (const fd of [old, -1, 255, 254, 24, 0x7fffffff, -0x80000000, fresh + 0x8000]) {
    for (const [call, result] of Object.entries(everyCall(stack, fd))) {
      t.is(result, E.BADF, `${call} ${fd}`);
    }
    t.is(stack.wasm.sysEvents(fd), 32);
  }
  t.is(stack.wasm.sysAccept(fresh), E.AGAIN);
});

test("S-19: a descriptor is not given again soon", async (t) => {
  const stack = await deviceStack();
  const seen = new Set<number>();
  for (let i = 0; i < 128; i++) {
    const fd = stack.socket(SOCK_STREAM);
    t.true(fd >= 0);
    seen.add(fd);
    stack.wasm.sysClose(fd);
  }
  t.is(seen.size, 128);
});

test("calls on a stream socket that is not connected", async (t) => {
  const stack = await deviceStack();
  const fd = stack.socket(SOCK_STREAM);
  const { wasm } = stack;
  t.is(wasm.sysAccept(fd), E.INVAL);
  t.is(wasm.sysSend(fd, wasm.scratch(), 1, 0), E.NOTCONN);
  t.is(wasm.sysRecv(fd, wasm.scratch(), 1, 0), E.NOTCONN);
  t.is(wasm.sysShutdown(fd, 1), E.NOTCONN);
  t.is(wasm.sysShutdown(fd, 9), E.INVAL);
  t.is(wasm.sysEvents(fd), 4 | 16);
  t.is(wasm.sysBind(fd, ip("192.168.7.77"), 80), E.ADDRNOTAVAIL);
  t.is(wasm.sysBind(fd, 0, 80), 0);
  t.is(wasm.sysBind(fd, 0, 81), E.INVAL);
});

test("calls on a listener", async (t) => {
  const stack = await deviceStack();
  const fd = stack.listen(80);
  const { wasm } = stack;
  t.is(wasm.sysBind(fd, 0, 81), E.INVAL);
  t.is(wasm.sysListen(fd, 3), 0);
  t.is(wasm.sysConnect(fd, ip("192.168.7.9"), 80), E.OPNOTSUPP);
  t.is(wasm.sysSend(fd, wasm.scratch(), 1, 0), E.NOTCONN);
  t.is(wasm.sysRecv(fd, wasm.scratch(), 1, 0), E.NOTCONN);
  t.is(wasm.sysShutdown(fd, 2), E.NOTCONN);
});

test("calls on a connection that do not suit it", async (t) => {
  const stack = await deviceStack();
  const { fd, peer } = accepted(stack, stack.listen(80), 5000);
  const { wasm } = stack;
  t.is(wasm.sysBind(fd, 0, 81), E.INVAL);
  t.is(wasm.sysListen(fd, 3), E.INVAL);
  t.is(wasm.sysAccept(fd), E.INVAL);
  t.is(wasm.sysConnect(fd, peer.host.address, 80), E.ISCONN);
  t.is(wasm.sysSend(fd, wasm.scratch(), 0, 0), 0);
});

test("calls on a datagram socket that do not suit it", async (t) => {
  const stack = await deviceStack();
  const fd = stack.socket(SOCK_DGRAM);
  const { wasm } = stack;
  t.is(wasm.sysListen(fd, 3), E.OPNOTSUPP);
  t.true(wasm.sysAccept(fd) < 0);
  t.is(wasm.sysSend(fd, wasm.scratch(), 1, 0), E.DESTADDRREQ);
  t.is(wasm.sysSendTo(fd, wasm.scratch(), 1, 0, LOCALHOST, 0), E.INVAL);
  t.is(wasm.sysRecv(fd, wasm.scratch(), 1, 0), E.AGAIN);
});

test("MSG_PEEK leaves the text, for streams and datagrams", async (t) => {
  const stack = await deviceStack();
  const { wasm } = stack;
  const { fd, peer } = accepted(stack, stack.listen(80), 5000);
  peer.text(pattern(100));
  const bytes = (count: number): Uint8Array =>
    new Uint8Array(wasm.memory.buffer, wasm.scratch() >>> 0, count).slice();
  for (let i = 0; i < 3; i++) {
    t.is(wasm.sysRecv(fd, wasm.scratch(), 60, 2), 60);
    t.deepEqual(bytes(60), pattern(100).subarray(0, 60));
  }
  t.is(wasm.sysRecv(fd, wasm.scratch(), 500, 0), 100);
  const udp = stack.udpSocket(7);
  stack.inject(peer.host.udp({ sourcePort: 9, destinationPort: 7 }, pattern(50)));
  t.is(wasm.sysRecv(udp, wasm.scratch(), 500, 2), 50);
  t.is(wasm.sysRecv(udp, wasm.scratch(), 500, 0), 50);
  t.is(wasm.sysRecv(udp, wasm.scratch(), 500, 0), E.AGAIN);
});

test("shutdown(2): SHUT_RD ends reading only, SHUT_WR sending only, and both may be repeated", async (t) => {
  const stack = await deviceStack();
  const { fd, peer } = accepted(stack, stack.listen(80), 5000);
  t.is(stack.wasm.sysShutdown(fd, 0), 0);
  t.deepEqual(stack.receive(fd), new Uint8Array(0));
  t.is(stack.wasm.sysEvents(fd), POLLIN | POLLOUT | POLLRDHUP);
  t.is(stack.send(fd, pattern(5)), 5);
  t.is(stack.wasm.sysShutdown(fd, 2), 0);
  t.is(stack.wasm.sysShutdown(fd, 1), 0);
  stack.run();
  t.is(stack.send(fd, pattern(5)), E.PIPE);
  t.deepEqual(peer.heard().length, 2);
});

test("poll bits: listener, connecting, open, full, text, half-closed, ended, reset", async (t) => {
  const [IN, OUT, ERR, HUP, RDHUP] = [1, 4, 8, 16, 0x2000];
  const stack = await deviceStack();
  const { wasm } = stack;
  const listener = stack.listen(80);
  t.is(wasm.sysEvents(listener), 0);
  const { fd, peer } = accepted(stack, listener, 5000);
  t.is(wasm.sysEvents(fd), OUT);
  stack.send(fd, pattern(8192));
  t.is(wasm.sysEvents(fd), 0);
  peer.text(pattern(5));
  t.is(wasm.sysEvents(fd), IN);
  stack.receive(fd);
  peer.text(new Uint8Array(0), "FA");
  t.is(wasm.sysEvents(fd), IN | RDHUP);
  wasm.sysShutdown(fd, 1);
  t.is(wasm.sysEvents(fd), IN | OUT | HUP | RDHUP);
  const reset = accepted(stack, listener, 5001);
  reset.peer.say("R");
  t.is(wasm.sysEvents(reset.fd), IN | OUT | ERR | HUP | RDHUP);
  t.is(wasm.sysError(reset.fd), 104);
  t.is(wasm.sysError(reset.fd), 0);
  t.is(wasm.sysEvents(reset.fd), IN | OUT | HUP | RDHUP);
  const dialler = stack.socket(SOCK_STREAM);
  const server = TcpPeer.dialled(stack, peer.host, dialler, 80);
  t.is(wasm.sysEvents(dialler), 0);
  server.say("RA");
  t.is(wasm.sysEvents(dialler), IN | OUT | ERR | HUP | RDHUP);
  t.is(wasm.sysError(dialler), 111);
});

test("options: unknown ones ENOPROTOOPT, senseless values EINVAL, and NODELAY is inherited by accept", async (t) => {
  const stack = await deviceStack();
  const { wasm } = stack;
  const fd = stack.listen(80);
  t.is(wasm.sysSetOption(fd, 6, 999, 1), E.NOPROTOOPT);
  t.is(wasm.sysSetOption(fd, 1, 999, 1), E.NOPROTOOPT);
  t.is(wasm.sysSetOption(fd, 99, 1, 1), E.NOPROTOOPT);
  t.is(wasm.sysSetOption(fd, 1, 4, 1), E.NOPROTOOPT);
  t.is(wasm.sysSetOption(fd, 0, 2, 0), E.INVAL);
  t.is(wasm.sysSetOption(fd, 0, 2, 256), E.INVAL);
  t.is(wasm.sysSetOption(fd, 1, 20, -5), E.INVAL);
  for (const [level, option, value] of [
    [1, 2, 1],
    [1, 6, 1],
    [1, 13, 0],
    [1, 20, 100],
    [1, 21, 100],
    [6, 1, 1],
    [0, 1, 4],
    [0, 2, 9],
  ] as const) {
    t.is(wasm.sysSetOption(fd, level, option, value), 0);
  }
  const { fd: open, peer } = accepted(stack, fd, 5000);
  stack.send(open, pattern(5));
  stack.send(open, pattern(5));
  t.is(peer.segments().length, 2);
});
