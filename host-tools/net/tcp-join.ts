import type { Socket } from "node:net";
import {
  EAGAIN,
  EINPROGRESS,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SHUT_WR,
  type HostedStack,
} from "./hosted-stack.js";

/** Bytes taken from the stack at once: enough to keep both sides busy, small enough to share the thread. */
const CHUNK_BYTES = 32768;

/**
 * Joins a stream socket of a hosted stack to a socket of the host, as if they were one connection: data both ways with
 * back-pressure (what one side does not take is not read from the other), half-close and reset pass through.
 *
 * The host's socket must allow half-open connections. Either side may still be connecting.
 */
export class TcpJoin {
  /** Bytes from the host that the stack has not taken yet. */
  private pending: Uint8Array | null = null;
  private hostConnected: boolean;
  private stackConnected = false;
  /** The host has finished sending; then the stack was told so. */
  private hostEnded = false;
  private finSent = false;
  /** The stack's peer has finished sending. */
  private stackEnded = false;
  /** The host takes no more for now. */
  private hostFull = false;
  private done = false;

  constructor(
    private readonly stack: HostedStack,
    private readonly fd: number,
    private readonly host: Socket,
    private readonly onDone: () => void,
  ) {
    this.hostConnected = !host.connecting;
    host.setNoDelay(true);
    host.on("connect", () => {
      this.hostConnected = true;
      this.progress();
    });
    host.on("data", (chunk: Buffer) => {
      this.pending = chunk;
      if (!this.toStack()) host.pause();
    });
    host.on("end", () => {
      this.hostEnded = true;
      this.progress();
    });
    host.on("drain", () => {
      this.hostFull = false;
      this.progress();
    });
    // What follows an error is a 'close', which tells the rest.
    host.on("error", () => undefined);
    host.on("close", (failed: boolean) => this.hostClosed(failed));
    host.pause();
  }

  /** Moves what can be moved. To be called whenever the stack has worked. */
  progress(): void {
    if (this.done) return;
    const events = this.stack.events(this.fd);
    if (events & POLLERR) {
      this.reset();
      return;
    }
    if (!this.stackConnected) {
      if ((events & (POLLOUT | POLLIN | POLLHUP)) === 0) return;
      this.stackConnected = true;
    }
    if (!this.hostConnected) return;
    if (this.pending === null || events & POLLOUT) {
      if (this.toStack() && !this.hostEnded && this.host.isPaused()) this.host.resume();
    }
    if (events & (POLLIN | POLLHUP)) this.toHost();
    this.finish();
  }

  /** Ends both sides at once. */
  destroy(): void {
    if (this.done) return;
    this.done = true;
    this.stack.abort(this.fd);
    resetHost(this.host);
    this.onDone();
  }

  /** Passes host data on; false while some of it waits. */
  private toStack(): boolean {
    while (this.pending !== null) {
      const taken = this.stackConnected ? this.stack.send(this.fd, this.pending) : -EAGAIN;
      if (taken < 0 && taken !== -EAGAIN && taken !== -EINPROGRESS) {
        // The stack's side takes no more; its own state says why, at the next turn.
        this.pending = null;
        return false;
      }
      if (taken <= 0) return false;
      this.pending = taken < this.pending.length ? this.pending.subarray(taken) : null;
    }
    if (this.hostEnded && !this.finSent && this.stackConnected) {
      this.finSent = true;
      this.stack.shutdown(this.fd, SHUT_WR);
    }
    return true;
  }

  private toHost(): void {
    while (!this.hostFull && !this.stackEnded) {
      const bytes = this.stack.recv(this.fd, CHUNK_BYTES);
      if (bytes > 0) {
        this.hostFull = !this.host.write(this.stack.data(bytes).slice());
      } else if (bytes === 0) {
        this.stackEnded = true;
        this.host.end();
      } else if (bytes === -EAGAIN) {
        return;
      } else {
        this.reset();
        return;
      }
    }
  }

  /** The stack's side has failed: the host's side is told with a reset. */
  private reset(): void {
    if (this.done) return;
    this.done = true;
    this.stack.closeSocket(this.fd);
    resetHost(this.host);
    this.onDone();
  }

  /** Nothing goes through the host's socket any more; what came through it before may still be on its way. */
  private hostClosed(failed: boolean): void {
    if (this.done) return;
    if (failed || !this.hostEnded || !this.stackEnded) {
      this.done = true;
      this.stack.abort(this.fd);
      this.onDone();
      return;
    }
    this.progress();
  }

  private finish(): void {
    if (this.done || !this.finSent || !this.stackEnded) return;
    this.done = true;
    this.stack.closeSocket(this.fd);
    this.onDone();
  }
}

/** Ends a socket of the host with a reset, as far as that is still possible after its own end. */
export function resetHost(host: Socket): void {
  // The system cannot reset what it is shutting down, and Node would leave it open for ever.
  if (host.writableEnded) host.destroy();
  else host.resetAndDestroy();
}
