import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SCRATCH_BYTES,
  SOCK_STREAM,
  type HostedStack,
} from "./hosted-stack.js";
import type { Clock } from "../sim/types.js";

/** A script: it yields what it waits for, and goes on when that is true. */
export type Script<Result = void> = Generator<() => boolean, Result, void>;

/** Scripts that use the sockets of a hosted stack, where nothing may block. */
export class Scripts {
  private readonly running = new Set<{ script: Script; ready: () => boolean }>();

  constructor(
    readonly stack: HostedStack,
    private readonly clock: Clock,
  ) {
    stack.onProgress = () => this.progress();
  }

  /** Starts a script beside those that run already. */
  run(script: Script): void {
    this.running.add({ script, ready: () => true });
    this.stack.wake();
  }

  /** Lets simulated time pass. */
  *sleep(ms: number): Script {
    let over = false;
    this.clock.schedule(ms * 1e6, () => {
      over = true;
      this.stack.wake();
    });
    yield () => over;
  }

  /** Opens a connection; gives the descriptor. */
  *connect(address: number, port: number): Script<number> {
    const fd = this.stack.socket(SOCK_STREAM);
    this.stack.connect(fd, address, port);
    yield () => (this.stack.events(fd) & (POLLOUT | POLLERR | POLLHUP)) !== 0;
    if (this.stack.events(fd) & POLLERR) throw new Error(`no connection to port ${port}`);
    return fd;
  }

  /** Sends all of it. */
  *send(fd: number, data: Uint8Array): Script {
    for (let at = 0; at < data.length;) at += yield* this.sendSome(fd, data.subarray(at));
  }

  /** Takes what comes until there are `bytes` bytes or the other side has finished. */
  *receive(fd: number, bytes = Infinity): Script<Buffer> {
    const parts: Buffer[] = [];
    for (let have = 0; have < bytes;) {
      const got = yield* this.receiveSome(fd, bytes - have);
      if (got === 0) break;
      parts.push(Buffer.from(this.stack.data(got)));
      have += got;
    }
    return Buffer.concat(parts);
  }

  /** Sends for ever; tells how many bytes were taken each time. */
  *pour(fd: number, data: Uint8Array, onSent: (bytes: number) => void): Script {
    for (;;) onSent(yield* this.sendSome(fd, data));
  }

  /** Takes until the end, or until `bytes` have come; tells how many came each time. */
  *drain(fd: number, onReceived: (bytes: number) => void, bytes = Infinity): Script {
    for (let have = 0; have < bytes;) {
      const got = yield* this.receiveSome(fd, Infinity);
      if (got === 0) return;
      have += got;
      onReceived(got);
    }
  }

  private *sendSome(fd: number, data: Uint8Array): Script<number> {
    yield () => (this.stack.events(fd) & (POLLOUT | POLLERR)) !== 0;
    const sent = this.stack.send(fd, data);
    if (sent < 0) throw new Error(`send gives ${sent}`);
    return sent;
  }

  private *receiveSome(fd: number, most: number): Script<number> {
    yield () => (this.stack.events(fd) & (POLLIN | POLLERR | POLLHUP)) !== 0;
    const got = this.stack.recv(fd, Math.min(most, SCRATCH_BYTES));
    if (got < 0) throw new Error(`recv gives ${got}`);
    return got;
  }

  private progress(): void {
    for (const entry of [...this.running]) {
      while (entry.ready()) {
        const next = entry.script.next();
        if (next.done) {
          this.running.delete(entry);
          break;
        }
        entry.ready = next.value;
      }
    }
  }
}
