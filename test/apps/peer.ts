import {
  EAGAIN,
  EINPROGRESS,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
  type HostedStack,
} from "../../host-tools/net/hosted-stack.js";
import type { Clock } from "../../host-tools/sim/types.js";
import type { Script } from "./bench.js";

/** How a connection has ended, seen from the client. */
export type Ending = "open" | "closed" | "reset" | "refused";

/** The stack of the clients. */
export class EthernetPeer {
  constructor(
    readonly stack: HostedStack,
    private readonly clock: Clock,
  ) {}

  /** Connects; a refused connection is one that has ended. */
  *connect(address: number, port: number): Script<Connection> {
    const { stack } = this;
    const fd = stack.socket(SOCK_STREAM);
    if (fd < 0) throw new Error(`no socket for a client (${fd})`);
    const connection = new Connection(stack, fd);
    const result = stack.connect(fd, address, port);
    if (result < 0 && result !== -EINPROGRESS) throw new Error(`connect: ${result}`);
    yield () => (stack.events(fd) & (POLLOUT | POLLERR | POLLHUP)) !== 0;
    if (stack.events(fd) & (POLLERR | POLLHUP)) connection.fail("refused");
    return connection;
  }

  /**
   * Sends a datagram and waits for the answer, at most `waitMs`; `from` is the source port, 0 =
   * any.
   */
  *ask(
    address: number,
    port: number,
    data: Uint8Array,
    waitMs: number,
    from = 0,
  ): Script<Buffer | null> {
    const { stack, clock } = this;
    const fd = stack.socket(SOCK_DGRAM);
    stack.bind(fd, 0, from);
    yield () => stack.sendTo(fd, data, address, port) >= 0;
    const end = clock.nowNs + waitMs * 1e6;
    clock.schedule(waitMs * 1e6, () => stack.onProgress());
    let answer: Buffer | null = null;
    yield () => {
      const bytes = stack.recvFrom(fd);
      if (bytes >= 0) answer = Buffer.from(stack.data(bytes));
      return answer !== null || clock.nowNs >= end;
    };
    stack.closeSocket(fd);
    return answer;
  }
}

/** A client's connection. */
export class Connection {
  /** All that has come and was not taken. */
  received: Buffer = Buffer.alloc(0);
  ending: Ending = "open";
  /** Read no more: the window closes when the stack's ring is full. */
  paused = false;

  constructor(
    private readonly stack: HostedStack,
    readonly fd: number,
  ) {}

  /** Sends all bytes. Ends early when the connection does. */
  *send(data: Uint8Array | string): Script {
    let left: Uint8Array = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    while (left.length > 0) {
      yield () => {
        this.pump();
        return !this.sending || (this.stack.events(this.fd) & POLLOUT) !== 0;
      };
      if (!this.sending) return;
      const sent = this.stack.send(this.fd, left);
      if (sent > 0) left = left.subarray(sent);
      else if (sent !== -EAGAIN) return this.fail("reset");
    }
  }

  /** The device may have finished its side, ours is still open. */
  private get sending(): boolean {
    return this.ending === "open" || this.ending === "closed";
  }

  /** Waits until `enough` says so, or the connection has ended. */
  *receive(enough: (received: Buffer) => boolean): Script<Buffer> {
    yield () => {
      this.pump();
      return this.ending !== "open" || enough(this.received);
    };
    return this.received;
  }

  /** Waits for the end of the connection, in either way. */
  *ended(): Script<Buffer> {
    return yield* this.receive(() => false);
  }

  /** Takes bytes from the front of what has come. */
  take(bytes: number): Buffer {
    const taken = this.received.subarray(0, bytes);
    this.received = this.received.subarray(bytes);
    return taken;
  }

  /** FIN. */
  finish(): void {
    this.stack.shutdown(this.fd, SHUT_WR);
  }

  close(): void {
    if (this.ending !== "refused") this.stack.closeSocket(this.fd);
    this.ending = "closed";
  }

  abort(): void {
    this.stack.abort(this.fd);
    this.ending = "reset";
  }

  fail(ending: Ending): void {
    this.ending = ending;
    this.stack.closeSocket(this.fd);
  }

  /** Reads what has come. */
  pump(): void {
    if (this.paused) return;
    while (this.ending === "open" && this.stack.events(this.fd) & (POLLIN | POLLERR | POLLHUP)) {
      const bytes = this.stack.recv(this.fd);
      if (bytes > 0) {
        this.received = Buffer.concat([this.received, this.stack.data(bytes)]);
      } else if (bytes === 0) {
        this.ending = "closed";
      } else if (bytes !== -EAGAIN) {
        this.fail("reset");
      } else {
        return;
      }
    }
  }
}
