import { createSocket, type Socket } from "node:dgram";
import type { Clock } from "../sim/types.js";
import { buildUdp, MAX_FRAME_BYTES, type Ipv4View, type UdpView } from "./packets.js";
import { backwards, buildIcmpError, ICMP_UNREACHABLE, UNREACHABLE_PORT } from "./replies.js";
import type { FrameSink } from "./switch.js";
import { unreachableCode } from "./tcp-out.js";

/** Flows at a time; the one that was silent for longest gives way to a new one. */
export const FLOWS_MAX = 256;
/** A flow without a datagram ends after five minutes (RFC 4787 REQ-5). */
export const IDLE_NS = 300e9;
const SWEEP_NS = 30e9;
/** Datagrams that wait for the host's socket to be ready. */
const WAITING_MAX = 16;
/** Largest payload that fits a frame: devices do not put fragments together. */
const PAYLOAD_MAX = MAX_FRAME_BYTES - 14 - 20 - 8;

/** What it takes to move datagrams of devices. */
export interface UdpOutOptions {
  clock: Clock;
  /** The gateway's own address, where its errors come from. */
  address: number;
  /** Where on the host's network an address and port of the device's network is. */
  target: (address: number, port: number) => { host: string; port: number };
  /** To the device. */
  send: FrameSink;
}

interface Flow {
  socket: Socket;
  usedNs: number;
  /** What waits for the socket; null when it is ready. */
  waiting: Uint8Array[] | null;
  /** The latest frame of the device, for errors about it. */
  last: { frame: Uint8Array; packet: Ipv4View };
}

/**
 * Datagrams of devices to hosts behind the gateway, and the answers back: a connected socket of the host for each pair of
 * address and port, so that answers come from nobody else, and a refusal of the other host is heard.
 */
export class UdpOut {
  private readonly flows = new Map<string, Flow>();
  private sweeping = false;

  constructor(private readonly options: UdpOutOptions) {}

  /** Flows that are remembered. */
  get size(): number {
    return this.flows.size;
  }

  /** Sends the datagram in a frame of a device on. */
  take(given: Uint8Array, packet: Ipv4View, datagram: UdpView): void {
    const { sourceAddress, sourcePort, destinationAddress, destinationPort } = datagram;
    const key = `${sourceAddress}:${sourcePort} ${destinationAddress}:${destinationPort}`;
    const frame = new Uint8Array(given);
    const start = packet.at + 8;
    const payload = frame.subarray(start, start + datagram.payload.length);
    const last = { frame, packet };
    const flow = this.flows.get(key) ?? this.open(key, datagram, last);
    flow.last = last;
    // The order of the table is the order of use.
    flow.usedNs = this.options.clock.nowNs;
    this.flows.delete(key);
    this.flows.set(key, flow);
    if (flow.waiting === null) this.toHost(flow, payload);
    else if (flow.waiting.length < WAITING_MAX) flow.waiting.push(payload);
  }

  close(): void {
    for (const key of [...this.flows.keys()]) this.end(key);
  }

  private open(key: string, datagram: UdpView, last: Flow["last"]): Flow {
    if (this.flows.size >= FLOWS_MAX) this.end(this.flows.keys().next().value as string);
    const socket = createSocket("udp4");
    const flow: Flow = { socket, usedNs: 0, waiting: [], last };
    const macs = backwards(last.frame);
    const { sourceAddress, sourcePort, destinationAddress, destinationPort } = datagram;
    socket.on("message", (payload) => {
      flow.usedNs = this.options.clock.nowNs;
      if (payload.length > PAYLOAD_MAX) return;
      this.options.send(
        buildUdp(macs, {
          sourceAddress: destinationAddress,
          sourcePort: destinationPort,
          destinationAddress: sourceAddress,
          destinationPort: sourcePort,
          payload,
        }),
      );
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.refused(flow, error.code);
      if (flow.waiting !== null) this.end(key);
    });
    socket.on("connect", () => {
      const waiting = flow.waiting ?? [];
      flow.waiting = null;
      for (const payload of waiting) this.toHost(flow, payload);
    });
    const { host, port } = this.options.target(destinationAddress, destinationPort);
    socket.connect(port, host);
    this.sweepLater();
    return flow;
  }

  private toHost(flow: Flow, payload: Uint8Array): void {
    flow.socket.send(payload, (error) => {
      if (error) this.refused(flow, (error as NodeJS.ErrnoException).code);
    });
  }

  private refused(flow: Flow, reason: string | undefined): void {
    const { frame, packet } = flow.last;
    const error =
      reason === "ECONNREFUSED"
        ? { from: packet.destination, type: ICMP_UNREACHABLE, code: UNREACHABLE_PORT }
        : { from: this.options.address, type: ICMP_UNREACHABLE, code: unreachableCode(reason) };
    this.options.send(buildIcmpError(frame, packet, error));
  }

  private end(key: string): void {
    const flow = this.flows.get(key);
    if (!this.flows.delete(key)) return;
    if (flow) closeQuietly(flow.socket);
  }

  private sweepLater(): void {
    if (this.sweeping) return;
    this.sweeping = true;
    this.options.clock.schedule(SWEEP_NS, () => {
      this.sweeping = false;
      const oldestNs = this.options.clock.nowNs - IDLE_NS;
      for (const [key, flow] of this.flows) if (flow.usedNs <= oldestNs) this.end(key);
      if (this.flows.size > 0) this.sweepLater();
    });
  }
}

/** Closes a socket that nobody listens to any more. Node's own listeners stay: one of them closes what is being opened. */
export function closeQuietly(socket: Socket): void {
  for (const event of ["message", "connect", "error"]) socket.removeAllListeners(event);
  socket.on("error", () => undefined);
  socket.close();
}
