import { createServer, type Server, type Socket } from "node:net";
import { UserError } from "../errors.js";
import type { Clock } from "../sim/types.js";
import type { Mac, Subnet } from "./addresses.js";
import type { Resolver } from "./dns-forwarder.js";
import { EINPROGRESS, SOCK_STREAM, type HostedStack } from "./hosted-stack.js";
import { ListenProbe, type Station } from "./listen-probe.js";
import { formatForwards, type Forward } from "./net-options.js";
import type { Ping } from "./ping-out.js";
import type { FrameSink } from "./switch.js";
import { resetHost, TcpJoin } from "./tcp-join.js";
import { UdpForward } from "./udp-forward.js";
import { Uplink } from "./uplink.js";

/** Connections from the host that may wait for a free socket of the stack or for the device's address. */
const WAITING_MAX = 128;
const BACKLOG = 8;
/** Ports that are tried, one after the other, where one is in use. */
const PORTS_TRIED = 50;
/** The operating system's queue of connections that this process has not taken yet. */
const HOST_BACKLOG = 128;

interface Waiting {
  host: Socket;
  forward: Forward;
}

/** What a gateway is made with. */
export interface GatewayOptions {
  stack: HostedStack;
  clock: Clock;
  /** The gateway's hardware address, its own address and the network behind it. */
  mac: Mac;
  subnet: Subnet;
  /** To the device's network. */
  send: FrameSink;
  forwards: readonly Forward[];
  /** A port of the host that is in use gives way to the next free one. */
  movable?: boolean;
  /** Name servers; default: those of this computer. */
  resolvers?: readonly Resolver[] | undefined;
  /** For tests: where an address of another network is, and whether it answers echo requests. */
  reach?: (address: number) => string;
  ping?: Ping;
  /** The address of the device (of several: of this name), a host-order number; undefined while it has none. */
  device: (name?: string) => number | undefined;
}

/**
 * Joins the device's network to the host, without special rights: connections to forwarded ports of 127.0.0.1 go to the
 * device, and what the device sends to the gateway or beyond goes out through sockets of the host (`uplink.ts`).
 */
export class Gateway {
  private readonly stack: HostedStack;
  private readonly joins = new Set<TcpJoin>();
  private readonly waiting: Waiting[] = [];
  private readonly servers: Server[] = [];
  private readonly udp: UdpForward[] = [];
  /** The forwards as they are; another port than asked for where that was in use. */
  readonly forwards: readonly Forward[];
  private readonly uplink: Uplink;
  private readonly probe: ListenProbe;
  private listener = -1;
  private closed = false;

  constructor(private readonly options: GatewayOptions) {
    const { stack, clock, mac, subnet, send, resolvers, reach, ping } = options;
    this.stack = stack;
    this.forwards = options.forwards.map((forward) => ({ ...forward }));
    this.stack.standForAll();
    this.probe = new ListenProbe({ clock, mac, address: subnet.address, send });
    this.uplink = new Uplink({
      ...{ clock, mac, subnet, send, resolvers, reach, ping },
      toStack: (frame) => stack.receive(frame),
      ownsUdp: (port) => this.udp.some((forward) => forward.owns(port)),
    });
    this.stack.onProgress = () => this.progress();
    this.listener = this.stack.socket(SOCK_STREAM);
    if (this.listener >= 0) {
      this.stack.bind(this.listener, 0, 0);
      this.stack.listenAny(this.listener);
      this.stack.listen(this.listener, BACKLOG);
    }
  }

  /** Opens the host's ports; a port that cannot be had is the user's error. */
  async open(): Promise<void> {
    const { movable } = this.options;
    for (const forward of this.forwards) {
      const asked = forward.hostPort;
      while (
        !(await this.opened(forward, movable === true && asked + PORTS_TRIED > forward.hostPort))
      ) {
        do forward.hostPort++;
        while (this.forwards.some((other) => other !== forward && samePort(other, forward)));
      }
    }
  }

  /** False when the port is in use, and another one may be tried. */
  private async opened(forward: Forward, again: boolean): Promise<boolean> {
    try {
      await (forward.protocol === "tcp" ? this.openTcp(forward) : this.openUdp(forward));
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (isTaken(code, forward.hostPort) && again && forward.hostPort < 65000) return false;
      throw portError(error as NodeJS.ErrnoException, forward, this.forwards);
    }
  }

  /** A frame for the gateway; it is only lent for the call. */
  receive(frame: Uint8Array): void {
    if (this.closed) return;
    if (!this.probe.take(frame) && !this.uplink.take(frame)) this.stack.receive(frame);
  }

  /** True when a device takes connections to the port; it does not notice the question. */
  listens(device: Station, port: number): Promise<boolean> {
    return this.probe.ask(device, port);
  }

  /** Connections that are joined now. */
  get connections(): number {
    return this.joins.size;
  }

  /** Ends all connections and gives the ports back. */
  close(): void {
    this.closed = true;
    for (const server of this.servers) server.close();
    for (const forward of this.udp) forward.close();
    for (const { host } of this.waiting.splice(0)) host.destroy();
    for (const join of [...this.joins]) join.destroy();
    this.uplink.close();
  }

  /** Looks for work: to be called when the stack has worked or the device got its address. */
  progress(): void {
    if (this.closed) return;
    for (const join of [...this.joins]) join.progress();
    for (const forward of this.udp) forward.progress();
    this.acceptAll();
    this.serveWaiting();
  }

  private async openTcp(forward: Forward): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (host) =>
      this.fromHost(host, forward),
    );
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port: forward.hostPort, host: "127.0.0.1", backlog: HOST_BACKLOG }, () => {
        server.removeAllListeners("error");
        server.on("error", () => undefined);
        resolve();
      });
    });
    this.servers.push(server);
  }

  private async openUdp(forward: Forward): Promise<void> {
    const udp = new UdpForward(this.stack, forward, () => this.options.device(forward.device));
    await udp.open();
    this.udp.push(udp);
  }

  private fromHost(host: Socket, forward: Forward): void {
    host.on("error", () => undefined);
    if (this.closed || this.waiting.length >= WAITING_MAX) {
      resetHost(host);
      return;
    }
    const entry = { host, forward };
    this.waiting.push(entry);
    host.once("close", () => {
      const at = this.waiting.indexOf(entry);
      if (at >= 0) this.waiting.splice(at, 1);
    });
    this.serveWaiting();
  }

  /** Connects waiting clients to their devices, as far as those have addresses and the stack has sockets. */
  private serveWaiting(): void {
    for (const entry of [...this.waiting]) {
      const address = this.options.device(entry.forward.device);
      if (address === undefined) continue;
      const fd = this.stack.socket(SOCK_STREAM);
      if (fd < 0) return;
      const result = this.stack.connect(fd, address, entry.forward.devicePort);
      if (result < 0 && result !== -EINPROGRESS) {
        this.stack.closeSocket(fd);
        // No room for another connection now: the next one that ends calls again.
        if (this.joins.size > 0) return;
        resetHost(entry.host);
      } else {
        this.join(fd, entry.host);
      }
      const at = this.waiting.indexOf(entry);
      if (at >= 0) this.waiting.splice(at, 1);
    }
  }

  /** Joins the device's connections to those of the host that were opened for them. */
  private acceptAll(): void {
    const { stack, uplink } = this;
    for (let fd = stack.accept(this.listener); fd >= 0; fd = stack.accept(this.listener)) {
      const [from, to] = [stack.peerAddress(fd), stack.localAddress(fd)];
      const host = uplink.tcp.claim(from, stack.peerPort(fd), to, stack.localPort(fd));
      if (host && !host.destroyed) {
        this.join(fd, host);
      } else {
        // The host's side has ended before the device's stood.
        stack.abort(fd);
        if (host) uplink.tcp.forget(host);
      }
    }
  }

  private join(fd: number, host: Socket): void {
    const join: TcpJoin = new TcpJoin(this.stack, fd, host, () => {
      this.joins.delete(join);
      this.uplink.tcp.forget(host);
      this.stack.wake();
    });
    this.joins.add(join);
  }
}

function samePort(a: Forward, b: Forward): boolean {
  return a.protocol === b.protocol && a.hostPort === b.hostPort;
}

/** Ports below need rights on POSIX systems. */
const FIRST_FREE_PORT = 1024;

/** True when another port may be free: Windows keeps whole ranges of them (for Hyper-V), which it tells as a lack of rights. */
export function isTaken(code: string | undefined, port: number): boolean {
  return code === "EADDRINUSE" || (code === "EACCES" && port >= FIRST_FREE_PORT);
}

/** What a person is told when a port of the host cannot be opened: the whole option that avoids it. */
export function portError(
  error: NodeJS.ErrnoException,
  refused: Forward,
  forwards: readonly Forward[],
): UserError {
  const { hostPort } = refused;
  const next = hostPort < 65535 ? hostPort + 1 : hostPort - 1;
  const other = hostPort < FIRST_FREE_PORT && error.code === "EACCES" ? 8081 : next;
  const better = forwards.map((forward) =>
    forward === refused ? { ...forward, hostPort: other } : forward,
  );
  const choice = `choose another: --net ${formatForwards(better)} (behind 'npm start --')`;
  const name = `${refused.protocol.toUpperCase()} port ${hostPort} of 127.0.0.1`;
  switch (error.code) {
    case "EADDRINUSE":
      return new UserError(`${name} is in use; ${choice}`);
    case "EACCES":
      if (isTaken(error.code, hostPort)) {
        return new UserError(`${name} is kept by the system for itself; ${choice}`);
      }
      return new UserError(`${name} needs special rights; ${choice}`);
    default:
      return new UserError(`${name} cannot be opened (${error.message}); ${choice}`);
  }
}
