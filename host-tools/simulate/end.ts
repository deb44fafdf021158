import { EAGAIN, SHUT_WR, SOCK_STREAM, type HostedStack } from "../net/hosted-stack.js";
import type { Pair } from "./pair.js";
import { Violation } from "./violation.js";

/** Numbers of Linux. */
const SOL_SOCKET = 1;
const SO_KEEPALIVE = 9;
const IPPROTO_TCP = 6;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;

/** How an end reads and writes. */
export interface Manner {
  /** Bytes a `recv()`, and the pause after it. */
  read?: { bytes: number; everyMs: number } | undefined;
  /** Bytes a `send()`. */
  writeBytes?: number | undefined;
  /** It resets the connection after having sent so many bytes. */
  abortAfter?: number | undefined;
}

/** A stream socket that a silent peer does not keep for ever. */
export function openSocket(stack: HostedStack): number {
  const fd = stack.socket(SOCK_STREAM);
  if (fd < 0) throw new Violation("a socket can be opened", `${fd}`);
  return fd;
}

/** A dead peer is noticed after 70 s. */
function keepAlive(stack: HostedStack, fd: number): void {
  stack.setOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  stack.setOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, 20);
  stack.setOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  stack.setOption(fd, IPPROTO_TCP, TCP_KEEPCNT, 10);
}

/**
 * The application at one end of a connection: it sends its bytes, reads until the peer has finished, compares each byte with
 * what must come, and closes.
 */
export class End {
  /** Undefined while it runs; then 0 or the errno that ended it. */
  result: number | undefined;
  sent = 0;
  received = 0;
  private shut = false;
  private ended = false;
  private nextReadMs = 0;

  constructor(
    private readonly pair: Pair,
    private readonly stack: HostedStack,
    private readonly fd: number,
    private readonly toSend: Uint8Array,
    private readonly expected: Uint8Array,
    private readonly manner: Manner = {},
  ) {
    keepAlive(stack, fd);
  }

  /** Does what can be done now. */
  poll(): void {
    if (this.result !== undefined) return;
    this.write();
    if (this.result === undefined && !this.ended) this.read();
    if (this.result === undefined && this.ended && this.shut) {
      this.result = 0;
      this.stack.closeSocket(this.fd);
    }
  }

  private write(): void {
    const { writeBytes = this.toSend.length, abortAfter } = this.manner;
    if (abortAfter !== undefined && this.sent >= abortAfter) {
      this.stack.abort(this.fd);
      this.result = 0;
      return;
    }
    while (this.sent < this.toSend.length) {
      const part = this.toSend.subarray(this.sent, this.sent + writeBytes);
      const taken = this.stack.send(this.fd, part);
      if (taken === -EAGAIN) return;
      if (taken < 0) return this.fail(taken);
      this.sent += taken;
    }
    if (this.shut) return;
    const result = this.stack.shutdown(this.fd, SHUT_WR);
    if (result < 0) this.fail(result);
    else this.shut = true;
  }

  private read(): void {
    const { read } = this.manner;
    while (this.pair.nowMs >= this.nextReadMs) {
      const got = this.stack.recv(this.fd, read?.bytes);
      if (got === -EAGAIN) return;
      if (got < 0) return this.fail(got);
      if (got === 0) return this.finish();
      this.compare(got);
      if (read) {
        this.nextReadMs = this.pair.nowMs + read.everyMs;
        this.pair.clock.schedule(read.everyMs * 1e6, () => this.poll());
      }
    }
  }

  private compare(bytes: number): void {
    const part = this.expected.subarray(this.received, this.received + bytes);
    const data = this.stack.data(bytes);
    if (part.length !== bytes || Buffer.compare(data, part) !== 0)
      throw new Violation("data come as they were sent", `${bytes} bytes at ${this.received}`);
    this.received += bytes;
  }

  private finish(): void {
    if (this.received !== this.expected.length) {
      const detail = `${this.received} of ${this.expected.length}`;
      throw new Violation("a stream ends when all has come", detail);
    }
    this.ended = true;
  }

  private fail(result: number): void {
    this.result = -result;
    this.stack.closeSocket(this.fd);
  }
}
