import type { Firmware } from "../../host-tools/build/compile.js";
import type { Mac } from "../../host-tools/net/addresses.js";
import {
  HostedStack,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SOCK_STREAM,
} from "../../host-tools/net/hosted-stack.js";
import type { EthernetSwitch } from "../../host-tools/net/switch.js";
import type { Clock } from "../../host-tools/sim/types.js";

/** A script: it yields what it waits for, and goes on when that is true. */
export type Script<Result = void> = Generator<() => boolean, Result, void>;

export interface PeerOptions {
  firmware: Firmware;
  clock: Clock;
  ethernet: EthernetSwitch;
  mac: Mac;
  address: number;
  /** Default router; 0 = none. */
  gateway?: number;
  seed: number;
}

/**
 * A hosted stack as a station of a simulated network, with scripts that use its sockets as a program would: each waits by
 * `yield`, so it runs in virtual time, where nothing may block.
 */
export class Peer {
  readonly stack: HostedStack;
  private readonly running = new Set<{ script: Script; ready: () => boolean }>();

  constructor(private readonly options: PeerOptions) {
    const { firmware, clock, ethernet, mac, address, gateway = 0, seed } = options;
    const port = ethernet.attach(`peer ${mac.toString(16)}`, (frame) => this.stack.receive(frame));
    this.stack = new HostedStack(firmware, { clock, mac, address, gateway, seed, send: port.send });
    this.stack.onProgress = () => this.progress();
  }

  /** Starts a script beside those that run already. */
  run(script: Script): void {
    this.running.add({ script, ready: () => true });
    this.stack.wake();
  }

  /** Lets simulated time pass. */
  *sleep(ms: number): Script {
    let over = false;
    this.options.clock.schedule(ms * 1e6, () => {
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
    for (let at = 0; at < data.length;) {
      yield () => (this.stack.events(fd) & (POLLOUT | POLLERR)) !== 0;
      const sent = this.stack.send(fd, data.subarray(at));
      if (sent < 0) throw new Error(`send gives ${sent}`);
      at += sent;
    }
  }

  /** Takes what comes until there are `bytes` bytes or the other side has finished. */
  *receive(fd: number, bytes = Infinity): Script<Buffer> {
    const parts: Buffer[] = [];
    for (let have = 0; have < bytes;) {
      yield () => (this.stack.events(fd) & (POLLIN | POLLERR | POLLHUP)) !== 0;
      const got = this.stack.recv(fd, Math.min(bytes - have, 65536));
      if (got < 0) throw new Error(`recv gives ${got}`);
      if (got === 0) break;
      parts.push(Buffer.from(this.stack.data(got)));
      have += got;
    }
    return Buffer.concat(parts);
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
