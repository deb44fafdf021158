/**
 * The socket calls as a test of behaviour sees them, whoever does them: our stack, or the kernel of this machine. Results are
 * those of the system call: 0 or more, or a negative errno with Linux's numbers. All sockets are non-blocking and both ends
 * lie on 127.0.0.1.
 */
export interface Calls {
  socket(type: number, protocol?: number, domain?: number): Promise<number>;
  bind(fd: number, port: number, address?: number): Promise<number>;
  listen(fd: number, backlog: number): Promise<number>;
  accept(fd: number): Promise<number>;
  connect(fd: number, port: number, address?: number): Promise<number>;
  /** connect to AF_UNSPEC: dissolves the association of a datagram socket. */
  dissolve(fd: number): Promise<number>;
  /** What recv gives, as a number: with MSG_TRUNC more than there was room for. */
  recvLength(fd: number, bytes: number, flags: number): Promise<number>;
  send(fd: number, text: string, flags?: number): Promise<number>;
  sendto(fd: number, text: string, port: number, address?: number, flags?: number): Promise<number>;
  /** The text, or a negative errno; "" at the end of a stream. */
  recv(fd: number, bytes?: number, flags?: number): Promise<string | number>;
  /** Two descriptors, or a negative errno. */
  socketpair(type: number, protocol?: number, domain?: number): Promise<number[] | number>;
  /** bind, connect, sendto and the names of the ends with names of AF_UNIX, which no file has (abstract ones). */
  bindName(fd: number, name: string): Promise<number>;
  connectName(fd: number, name: string): Promise<number>;
  sendtoName(fd: number, text: string, name: string): Promise<number>;
  localName(fd: number): Promise<string | number>;
  peerName(fd: number): Promise<string | number>;
  /** The text and its sender's name, or a negative errno. */
  recvName(fd: number): Promise<string | number>;
  /** Bytes in hexadecimal; `address` 0 = to the connected peer. */
  sendHex(fd: number, hex: string, address?: number, flags?: number): Promise<number>;
  /** Bytes in hexadecimal, or a negative errno. */
  recvHex(fd: number, bytes?: number, flags?: number): Promise<string | number>;
  /** IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP on the loopback interface; `multicastHere` sends there. */
  joinGroup(fd: number, group: number): Promise<number>;
  leaveGroup(fd: number, group: number): Promise<number>;
  multicastHere(fd: number): Promise<number>;
  dup(fd: number): Promise<number>;
  /** An option whose value is text: a name of a device or of a congestion control. */
  setName(fd: number, level: number, option: number, name: string): Promise<number>;
  getName(fd: number, level: number, option: number): Promise<string | number>;
  /** An error of the queue (MSG_ERRQUEUE): errno, origin, type and code, who was to get the datagram, who tells; or a negative errno. */
  recvError(fd: number): Promise<string | number>;
  /** The text and the address that it was sent to (IP_PKTINFO; "?" when that is not told), or a negative errno. */
  recvTo(fd: number): Promise<string | number>;
  shutdown(fd: number, how: number): Promise<number>;
  close(fd: number): Promise<number>;
  setOption(fd: number, level: number, option: number, value: number): Promise<number>;
  getOption(fd: number, level: number, option: number): Promise<number>;
  /** SO_LINGER on with these seconds. */
  linger(fd: number, seconds: number): Promise<number>;
  epollCreate(): Promise<number>;
  epollCtl(
    epfd: number,
    operation: number,
    fd: number,
    events?: number,
    data?: number,
  ): Promise<number>;
  /** epoll_wait that does not wait: what it tells, as `data:bits` and in the order of data, or a negative errno. */
  epollWait(epfd: number, maxEvents?: number): Promise<string | number>;
  epollClose(epfd: number): Promise<number>;
  /** POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL that are true now. */
  poll(fd: number): Promise<number>;
  localPort(fd: number): Promise<number>;
  /** Port, or a negative errno. */
  peerPort(fd: number): Promise<number>;
  /** A kernel under load answers its own packets a moment later. */
  pause(): Promise<void>;
  /** Bytes that are no AF_UNIX datagram. */
  tooLong: number;
  end(): void;
}

export const STREAM = 1;
export const DGRAM = 2;
export const RAW = 3;
export const UNIX = 1;
export const LOOPBACK = 0x7f000001;
export const [IN, OUT, ERR, HUP, NVAL] = [1, 4, 8, 16, 32] as const;
export const MSG = {
  PEEK: 2,
  WAITALL: 0x100,
  TRUNC: 0x20,
  DONTWAIT: 0x40,
  NOSIGNAL: 0x4000,
} as const;
export const SHUT = { RD: 0, WR: 1, RDWR: 2 } as const;
export const E = {
  PERM: -1,
  NOENT: -2,
  BADF: -9,
  AGAIN: -11,
  ACCES: -13,
  EXIST: -17,
  NODEV: -19,
  INVAL: -22,
  PIPE: -32,
  PROTO: -71,
  DESTADDRREQ: -89,
  MSGSIZE: -90,
  NOPROTOOPT: -92,
  PROTONOSUPPORT: -93,
  SOCKTNOSUPPORT: -94,
  OPNOTSUPP: -95,
  AFNOSUPPORT: -97,
  ADDRINUSE: -98,
  ADDRNOTAVAIL: -99,
  CONNABORTED: -103,
  CONNRESET: -104,
  ISCONN: -106,
  NOTCONN: -107,
  CONNREFUSED: -111,
  INPROGRESS: -115,
} as const;
export const SOL = { SOCKET: 1, IP: 0, TCP: 6, RAW: 255 } as const;
export const SO = {
  REUSEADDR: 2,
  TYPE: 3,
  ERROR: 4,
  BROADCAST: 6,
  SNDBUF: 7,
  RCVBUF: 8,
  RCVLOWAT: 18,
  BINDTODEVICE: 25,
  ACCEPTCONN: 30,
  PROTOCOL: 38,
  DOMAIN: 39,
} as const;
export const IP = {
  TOS: 1,
  TTL: 2,
  HDRINCL: 3,
  PKTINFO: 8,
  RECVERR: 11,
  MULTICAST_TTL: 33,
  MULTICAST_LOOP: 34,
} as const;
