import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { SOCK_DGRAM, type HostedStack } from "./hosted-stack.js";
import type { Forward } from "./net-options.js";

/** Host peers served at the same time through one forward. */
const PEERS_MAX = 16;

interface Peer {
  key: string;
  fd: number;
  remote: RemoteInfo;
  used: number;
}

/**
 * Forwards a UDP port of the host's loopback to a port of the device. Every peer on the host gets a socket of its own on
 * the hosted stack, so that answers find their way back; the one that was silent for longest gives way to a new one.
 */
export class UdpForward {
  private readonly peers = new Map<string, Peer>();
  private socket: Socket | undefined;
  private uses = 0;

  constructor(
    private readonly stack: HostedStack,
    private readonly forward: Forward,
    private readonly device: () => number | undefined,
  ) {}

  /** Opens the host's port; rejected with the error of the system. */
  open(): Promise<void> {
    const socket = createSocket("udp4");
    this.socket = socket;
    socket.on("message", (data, remote) => this.fromHost(data, remote));
    return new Promise((resolve, reject) => {
      socket.once("error", (error: NodeJS.ErrnoException) => reject(error));
      socket.bind(this.forward.hostPort, "127.0.0.1", () => {
        socket.removeAllListeners("error");
        // A peer that is gone makes Linux report an error; the others are not concerned.
        socket.on("error", () => undefined);
        resolve();
      });
    });
  }

  close(): void {
    this.socket?.close();
    for (const peer of this.peers.values()) this.stack.closeSocket(peer.fd);
    this.peers.clear();
  }

  /** True for a port of the stack that a peer on the host has. */
  owns(port: number): boolean {
    for (const { fd } of this.peers.values()) if (this.stack.localPort(fd) === port) return true;
    return false;
  }

  /** Takes the device's answers to the host. To be called whenever the stack has worked. */
  progress(): void {
    for (const peer of this.peers.values()) {
      for (let bytes = this.stack.recvFrom(peer.fd); bytes >= 0;) {
        const data = this.stack.data(bytes).slice();
        this.socket?.send(data, peer.remote.port, peer.remote.address);
        bytes = this.stack.recvFrom(peer.fd);
      }
    }
  }

  private fromHost(data: Uint8Array, remote: RemoteInfo): void {
    const address = this.device();
    if (address === undefined) return;
    const peer = this.peerOf(remote);
    if (peer) this.stack.sendTo(peer.fd, data, address, this.forward.devicePort);
  }

  private peerOf(remote: RemoteInfo): Peer | undefined {
    const key = `${remote.address}:${remote.port}`;
    let peer = this.peers.get(key);
    if (!peer) {
      if (this.peers.size >= PEERS_MAX) this.evict();
      const fd = this.stack.socket(SOCK_DGRAM);
      if (fd < 0) return undefined;
      this.stack.bind(fd, 0, 0);
      peer = { key, fd, remote, used: 0 };
      this.peers.set(key, peer);
    }
    peer.used = ++this.uses;
    return peer;
  }

  private evict(): void {
    let oldest: Peer | undefined;
    for (const peer of this.peers.values()) if (!oldest || peer.used < oldest.used) oldest = peer;
    if (!oldest) return;
    this.stack.closeSocket(oldest.fd);
    this.peers.delete(oldest.key);
  }
}
