import {
  HostedStack,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../net/hosted-stack.js";
import { formatAddress, parseAddress } from "../net/addresses.js";
import { UserError } from "../errors.js";
import type { Device } from "./device.js";
import { errnoText } from "./errno-text.js";
import type { Lan } from "./lan.js";

/** Where a peer is: a device, or an address as text. */
export type Target = Device | string;

/** Time between attempts while a device has not opened its port yet. */
const RETRY_MS = 20;

function addressOf(target: Target): number {
  return typeof target === "string" ? parseAddress(target) : target.addressNumber;
}

/** What is sent: a number or an object would go out as nothing. */
function bytesOf(data: string | Uint8Array): Uint8Array {
  if (typeof data === "string") return Buffer.from(data);
  if (data instanceof Uint8Array) return data;
  throw new TypeError(`what is sent must be a text or bytes, not ${typeof data}`);
}

/** A computer of a simulated network: a stack of its own, whose sockets the test has in its hands. */
export class Host {
  /** Made by `Lan.host`. */
  constructor(
    private readonly lan: Lan,
    readonly stack: HostedStack,
    readonly address: string,
  ) {}

  /** Opens a TCP connection; fails when the other side refuses it. */
  async connect(target: Target, port: number, limitMs?: number): Promise<TcpStream> {
    const stream = await this.attempt(target, port, limitMs);
    if (stream) return stream;
    throw new Error(`${this.nameOf(target)} refuses a connection to port ${port}`);
  }

  /** The same, tried again while it is refused: firmware opens its ports a little after it has its address. */
  async connectSoon(target: Target, port: number, limitMs = 10_000): Promise<TcpStream> {
    const endNs = this.lan.clock.nowNs + limitMs * 1e6;
    for (;;) {
      const stream = await this.attempt(target, port, limitMs);
      if (stream) return stream;
      if (this.lan.clock.nowNs >= endNs) {
        throw new Error(`${this.nameOf(target)} still refuses connections to port ${port}`);
      }
      await this.lan.sleep(RETRY_MS);
    }
  }

  /** Listens on a TCP port: a server for a device that is a client. */
  listen(port: number, backlog = 8): TcpListener {
    const fd = this.bound(SOCK_STREAM, "TCP", port);
    this.claim(fd, this.stack.listen(fd, backlog), `listen on TCP port ${port}`);
    return new TcpListener(this.lan, this.stack, fd);
  }

  /** Opens a UDP socket; port 0 chooses one. */
  udp(port = 0): UdpSocket {
    return new UdpSocket(this.lan, this.stack, this.bound(SOCK_DGRAM, "UDP", port));
  }

  private bound(type: number, protocol: string, port: number): number {
    if (!Number.isInteger(port) || port < 0 || port > 65535) {
      throw new UserError(`a port is a whole number up to 65535, not '${port}'`);
    }
    const fd = this.socket(type);
    this.claim(fd, this.stack.bind(fd, 0, port), `use ${protocol} port ${port}`);
    return fd;
  }

  private socket(type: number): number {
    const fd = this.stack.socket(type);
    if (fd >= 0) return fd;
    throw new Error(`the host at ${this.address} cannot open a socket: ${errnoText(-fd)}`);
  }

  /** The result of a call that gives a socket its port; one that is refused leaves no socket behind. */
  private claim(fd: number, result: number, what: string): void {
    if (result >= 0) return;
    this.stack.closeSocket(fd);
    throw new Error(`the host at ${this.address} cannot ${what}: ${errnoText(-result)}`);
  }

  private async attempt(
    target: Target,
    port: number,
    limitMs?: number,
  ): Promise<TcpStream | undefined> {
    const { stack } = this;
    const fd = this.socket(SOCK_STREAM);
    stack.connect(fd, addressOf(target), port);
    const done = POLLOUT | POLLERR | POLLHUP;
    const what = `a connection to ${this.nameOf(target)} port ${port}`;
    await this.lan.until(() => (stack.events(fd) & done) !== 0, what, limitMs);
    if ((stack.events(fd) & (POLLERR | POLLHUP)) === 0) return new TcpStream(this.lan, stack, fd);
    stack.closeSocket(fd);
    return undefined;
  }

  private nameOf(target: Target): string {
    return typeof target === "string" ? target : target.name;
  }
}

/** One end of a TCP connection. */
export class TcpStream {
  private closed = false;

  constructor(
    private readonly lan: Lan,
    private readonly stack: HostedStack,
    readonly fd: number,
  ) {}

  /** Sends all of it, waiting while the connection takes no more. */
  async write(data: string | Uint8Array, limitMs?: number): Promise<void> {
    const bytes = bytesOf(data);
    for (let at = 0; at < bytes.length;) {
      await this.wait(POLLOUT | POLLERR, "room to send", limitMs);
      const sent = this.stack.send(this.open, bytes.subarray(at));
      if (sent < 0) throw new Error(`the connection has failed: ${errnoText(-sent)}`);
      at += sent;
    }
  }

  /** Says that nothing more will be sent. */
  end(): void {
    this.stack.shutdown(this.open, SHUT_WR);
  }

  /** Takes exactly `bytes` bytes, or fewer when the other side finishes before. */
  async read(bytes: number, limitMs?: number): Promise<Buffer> {
    return this.take(bytes, () => false, limitMs);
  }

  /** Takes what comes until the other side finishes. */
  async readAll(limitMs?: number): Promise<Buffer> {
    return this.take(Infinity, () => false, limitMs);
  }

  /** Takes text up to and with `mark`. */
  async readUntil(mark: string, limitMs?: number): Promise<string> {
    const all = await this.take(
      Infinity,
      (data) => data.toString("latin1").endsWith(mark),
      limitMs,
      1,
    );
    return all.toString();
  }

  /** Takes what has come already, without waiting: empty when there is nothing, null at the end. */
  readNow(): Buffer | null {
    if ((this.stack.events(this.open) & (POLLIN | POLLERR | POLLHUP)) === 0) return Buffer.alloc(0);
    const got = this.stack.recv(this.open);
    return got > 0 ? Buffer.from(this.stack.data(got)) : null;
  }

  /** True when the other side has reset the connection. */
  get failed(): boolean {
    return (this.stack.events(this.fd) & POLLERR) !== 0;
  }

  close(): void {
    if (!this.closed) this.stack.closeSocket(this.fd);
    this.closed = true;
  }

  /** Closes with a reset. */
  abort(): void {
    if (!this.closed) this.stack.abort(this.fd);
    this.closed = true;
  }

  /** The descriptor; after a close another stream may have its number. */
  private get open(): number {
    if (this.closed) throw new Error("the stream is closed");
    return this.fd;
  }

  private async take(
    bytes: number,
    done: (data: Buffer) => boolean,
    limitMs?: number,
    atOnce = 65536,
  ): Promise<Buffer> {
    let data = Buffer.alloc(0);
    while (data.length < bytes && !done(data)) {
      await this.wait(POLLIN | POLLERR | POLLHUP, "something to read", limitMs);
      const got = this.stack.recv(this.open, Math.min(bytes - data.length, atOnce));
      if (got < 0) throw new Error(`the connection has failed: ${errnoText(-got)}`);
      if (got === 0) break;
      data = Buffer.concat([data, this.stack.data(got)]);
    }
    return data;
  }

  private wait(events: number, what: string, limitMs?: number): Promise<void> {
    return this.lan.until(() => (this.stack.events(this.open) & events) !== 0, what, limitMs);
  }
}

/** A TCP port that waits for connections. */
export class TcpListener {
  private closed = false;

  constructor(
    private readonly lan: Lan,
    private readonly stack: HostedStack,
    private readonly fd: number,
  ) {}

  /** The next connection. */
  async accept(limitMs?: number): Promise<TcpStream> {
    let fd = -1;
    await this.lan.until(() => (fd = this.stack.accept(this.open)) >= 0, "a connection", limitMs);
    return new TcpStream(this.lan, this.stack, fd);
  }

  close(): void {
    if (!this.closed) this.stack.closeSocket(this.fd);
    this.closed = true;
  }

  private get open(): number {
    if (this.closed) throw new Error("the listener is closed");
    return this.fd;
  }
}

/** A datagram that has come. */
export interface Datagram {
  data: Buffer;
  address: string;
  port: number;
}

/** A UDP socket. */
export class UdpSocket {
  private closed = false;

  constructor(
    private readonly lan: Lan,
    private readonly stack: HostedStack,
    private readonly fd: number,
  ) {}

  send(data: string | Uint8Array, target: Target, port: number): void {
    const bytes = bytesOf(data);
    const sent = this.stack.sendTo(this.open, bytes, addressOf(target), port);
    if (sent < 0) throw new Error(`a datagram cannot be sent: ${errnoText(-sent)}`);
  }

  /** The next datagram. */
  async receive(limitMs?: number): Promise<Datagram> {
    await this.lan.until(
      () => (this.stack.events(this.open) & POLLIN) !== 0,
      "a datagram",
      limitMs,
    );
    const got = this.stack.recvFrom(this.open);
    if (got < 0) throw new Error(`no datagram can be received: ${errnoText(-got)}`);
    const { address, port } = this.stack.peer;
    return { data: Buffer.from(this.stack.data(got)), address: formatAddress(address), port };
  }

  close(): void {
    if (!this.closed) this.stack.closeSocket(this.fd);
    this.closed = true;
  }

  private get open(): number {
    if (this.closed) throw new Error("the socket is closed");
    return this.fd;
  }
}
