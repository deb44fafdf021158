/** The calls done by our stack, over its loopback device, in virtual time. */
import { deviceStack } from "../support/tcp-peer.js";
import { LOOPBACK, UNIX, type Calls } from "./calls.js";

const NONBLOCK = 0x800;
const SO_LINGER = 13;
const NVAL = 32;
const BADF = -9;
const NOTCONN = -107;
/** Names of SO_BINDTODEVICE and TCP_CONGESTION by their numbers here (firmware/net/socket-options.ts). */
const NAMES: Record<number, string[]> = { 1: ["", "lo", "eth0"], 6: ["reno", "cubic"] };

/** A fresh stack. */
export async function ourCalls(): Promise<Calls> {
  const stack = await deviceStack({ RAW_SOCKETS: 4, LOCAL_SOCKETS: 10, MULTICAST_GROUPS: 4 });
  const { wasm } = stack;
  const done = <T>(result: T): Promise<T> => {
    stack.run();
    return Promise.resolve(result);
  };
  const put = (text: string): number => {
    const at = wasm.scratch() >>> 0;
    new Uint8Array(wasm.memory.buffer).set(Buffer.from(text), at);
    return at;
  };
  // Names stay where they are: each has its place at the end of the scratch bytes.
  let places = (wasm.scratch() >>> 0) + 60000;
  const named = (text: string): number => {
    const at = places;
    places += text.length;
    new Uint8Array(wasm.memory.buffer).set(Buffer.from(text), at);
    return at;
  };
  const name = (at: number, bytes: number): string =>
    Buffer.from(wasm.memory.buffer, at >>> 0, bytes).toString();
  const isOpen = (fd: number): boolean => (wasm.sysEvents(fd) & NVAL) === 0;
  /** What getpeername() says of a socket without a peer (firmware/net/sockets.ts). */
  const peerFault = (fd: number): number => {
    if (!isOpen(fd)) return BADF;
    return wasm.sysHasPeer(fd) === 0 ? NOTCONN : 0;
  };
  return {
    socket: (type, protocol = 0, domain = 2) =>
      done(wasm.sysSocket(domain, type | NONBLOCK, protocol)),
    bind: (fd, port, address = LOOPBACK) => done(wasm.sysBind(fd, address, port)),
    listen: (fd, backlog) => done(wasm.sysListen(fd, backlog)),
    accept: (fd) => done(wasm.sysAccept(fd)),
    connect: (fd, port, address = LOOPBACK) => done(wasm.sysConnect(fd, address, port)),
    send: (fd, text, flags = 0) => done(wasm.sysSend(fd, put(text), text.length, flags)),
    sendto: (fd, text, port, address = LOOPBACK, flags = 0) =>
      done(wasm.sysSendTo(fd, put(text), text.length, flags, address, port)),
    recv: (fd, bytes = 4096, flags = 0) => {
      const at = wasm.scratch() >>> 0;
      const result = wasm.sysRecv(fd, at, bytes, flags);
      const text = result < 0 ? "" : Buffer.from(wasm.memory.buffer, at, result).toString();
      return done(result < 0 ? result : text);
    },
    socketpair: (type, protocol = 0, domain = UNIX) => {
      const at = wasm.scratch() >>> 0;
      const result = wasm.sysSocketPair(domain, type | NONBLOCK, protocol, at);
      return done(result < 0 ? result : [...new Int32Array(wasm.memory.buffer, at, 2)]);
    },
    bindName: (fd, name) => done(wasm.sysBind(fd, named(name), name.length)),
    connectName: (fd, name) => done(wasm.sysConnect(fd, named(name), name.length)),
    sendtoName: (fd, text, name) =>
      done(wasm.sysSendTo(fd, put(text), text.length, 0, named(name), name.length)),
    localName: (fd) => done(name(wasm.sysLocalAddress(fd), wasm.sysLocalPort(fd))),
    peerName: (fd) => {
      const fault = peerFault(fd);
      return done(fault || name(wasm.sysPeerAddress(fd), wasm.sysPeerPort(fd)));
    },
    recvName: (fd) => {
      const at = wasm.scratch() >>> 0;
      const result = wasm.sysRecvFrom(fd, at, 4096, 0);
      if (result < 0) return done(result);
      const text = Buffer.from(wasm.memory.buffer, at, result).toString();
      return done(`${text} from ${name(wasm.lastPeerAddress(), wasm.lastPeerPort())}`);
    },
    sendHex: (fd, hex, address = 0, flags = 0) => {
      const at = wasm.scratch() >>> 0;
      const bytes = Buffer.from(hex, "hex");
      new Uint8Array(wasm.memory.buffer).set(bytes, at);
      if (address === 0) return done(wasm.sysSend(fd, at, bytes.length, flags));
      return done(wasm.sysSendTo(fd, at, bytes.length, flags, address, 0));
    },
    recvHex: (fd, bytes = 4096, flags = 0) => {
      const at = wasm.scratch() >>> 0;
      const result = wasm.sysRecv(fd, at, bytes, flags);
      const hex = Buffer.from(wasm.memory.buffer, at, Math.max(0, Math.min(result, bytes)));
      return done(result < 0 ? result : hex.toString("hex"));
    },
    joinGroup: (fd, group) => done(wasm.sysSetOption(fd, 0, 35, group)),
    leaveGroup: (fd, group) => done(wasm.sysSetOption(fd, 0, 36, group)),
    multicastHere: () => Promise.resolve(0),
    dissolve: (fd) => done(wasm.sysConnect(fd, 0, 0)),
    recvLength: (fd, bytes, flags) => done(wasm.sysRecv(fd, wasm.scratch() >>> 0, bytes, flags)),
    dup: (fd) => done(wasm.sysDup(fd)),
    setName: (fd, level, option, name) =>
      done(wasm.sysSetOption(fd, level, option, NAMES[level]?.indexOf(name) ?? -1)),
    getName: (fd, level, option) => {
      const number = wasm.sysGetOption(fd, level, option);
      return done(number < 0 ? number : (NAMES[level]?.[number] ?? "?"));
    },
    recvTo: (fd) => {
      const at = wasm.scratch() >>> 0;
      const result = wasm.sysRecv(fd, at, 4096, 0);
      if (result < 0) return done(result);
      const text = Buffer.from(wasm.memory.buffer, at, result).toString();
      const told = wasm.sysGetOption(fd, 0, 8) === 1;
      const to = Buffer.alloc(4);
      to.writeUInt32BE(wasm.lastSentTo() >>> 0);
      return done(`${text} to ${told ? to.join(".") : "?"}`);
    },
    recvError: (fd) => {
      const at = wasm.sysReceiveError(fd);
      if (at < 0) return done(at);
      const error = new DataView(wasm.memory.buffer, at >>> 0, 20);
      const address = (offset: number): string =>
        [24, 16, 8, 0].map((shift) => (error.getUint32(offset, true) >>> shift) & 255).join(".");
      const kind = [error.getUint16(2, true), 2, error.getUint8(4), error.getUint8(5)];
      const to = `${address(8)}:${error.getUint16(6, true)}`;
      return done(`${kind.join(" ")}, to ${to}, by ${address(12)}, ${error.getUint32(16, true)}`);
    },
    epollCreate: () => done(wasm.sysEpollCreate()),
    epollCtl: (epfd, operation, fd, events = 0, data = 0) => {
      const at = wasm.scratch() >>> 0;
      new Uint32Array(wasm.memory.buffer, at, 3).set([events, data, 0]);
      return done(wasm.sysEpollCtl(epfd, operation, fd, at));
    },
    epollWait: (epfd, maxEvents = 64) => {
      const at = wasm.scratch() >>> 0;
      const count = wasm.sysEpollWait(epfd, at, maxEvents);
      if (count < 0) return done(count);
      const words = new Uint32Array(wasm.memory.buffer, at, 3 * count);
      const told = Array.from(
        { length: count },
        (_, i) => [words[3 * i + 1], words[3 * i]] as const,
      );
      return done(
        told
          .sort(([one = 0], [other = 0]) => one - other)
          .map(([data, bits]) => `${data}:${bits}`)
          .join(" "),
      );
    },
    epollClose: (epfd) => done(wasm.sysEpollClose(epfd)),
    shutdown: (fd, how) => done(wasm.sysShutdown(fd, how)),
    close: (fd) => done(wasm.sysClose(fd)),
    setOption: (fd, level, option, value) => done(wasm.sysSetOption(fd, level, option, value)),
    getOption: (fd, level, option) => done(wasm.sysGetOption(fd, level, option)),
    linger: (fd, seconds) => done(wasm.sysSetOption(fd, 1, SO_LINGER, seconds)),
    // Without POLLRDHUP, which was not asked for.
    poll: (fd) => done(wasm.sysEvents(fd) & 0x3f),
    localPort: (fd) => done(isOpen(fd) ? wasm.sysLocalPort(fd) : BADF),
    peerPort: (fd) => done(peerFault(fd) || wasm.sysPeerPort(fd)),
    pause: () => Promise.resolve(stack.advance(1000)),
    tooLong: 600,
    end: () => undefined,
  };
}
