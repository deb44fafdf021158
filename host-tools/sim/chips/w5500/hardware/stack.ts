import { PROTOCOL_TCP } from "../../../../net/packets.js";
import { MacRaw } from "../macraw-socket.js";
import type { Protocol } from "../protocol.js";
import { Common, IR_CONFLICT, MR_PB } from "../registers.js";
import { answers, hardwareReply, isConflict } from "../responder.js";
import { Datagrams } from "./datagrams.js";
import { HardwareNetwork, type Arrival, type NetworkHost } from "./network.js";
import { TcpSocket } from "./tcp.js";
import { buildSegment, parseSegment, resetFor, RST } from "./tcp-segment.js";

/** What goes out without a socket has the values of Sn_FRAG and Sn_TTL after reset. */
const DONT_FRAGMENT = 0x4000;
const TTL = 128;

/** What is open as what; socket 0 first. */
type Sockets = readonly { protocol: Protocol | undefined }[];

/** The chip's own TCP/IP: what it answers by itself, and which socket a frame belongs to. */
export class HardwareStack {
  readonly network: HardwareNetwork;

  constructor(private readonly host: NetworkHost) {
    this.network = new HardwareNetwork(host);
  }

  /**
   * A frame has come. True when it was for one of the open hardware sockets: the host stack behind a socket in MACRAW mode does not see it.
   */
  input(frame: Uint8Array, sockets: Sockets): boolean {
    this.respond(frame);
    const raw = sockets[0]?.protocol instanceof MacRaw;
    if (raw && sockets.every(({ protocol }, n) => n === 0 || !protocol)) return false;
    const arrival = this.network.input(frame);
    if (!arrival) return false;
    if (arrival.protocol === PROTOCOL_TCP && !arrival.broadcast && !arrival.multicast) {
      return this.segmentInput(arrival, sockets, raw);
    }
    return sockets.some(({ protocol }) => protocol instanceof Datagrams && protocol.input(arrival));
  }

  /** ARP and ping, if SIPR is set, whatever is open. */
  private respond(frame: Uint8Array): void {
    const { common } = this.host;
    const identity = {
      mac: common.subarray(Common.SHAR, Common.SHAR + 6),
      ip: common.subarray(Common.SIPR, Common.SIPR + 4),
    };
    if (!answers(identity)) return;
    if (isConflict(frame, identity)) this.host.interrupt(IR_CONFLICT);
    const blocked = ((common[Common.MR] as number) & MR_PB) !== 0;
    const reply = hardwareReply(frame, identity, blocked);
    if (reply) this.host.send(reply, () => undefined);
  }

  private segmentInput(arrival: Arrival, sockets: Sockets, raw: boolean): boolean {
    const segment = parseSegment(arrival);
    if (!segment) return false;
    let best: TcpSocket | undefined;
    let fit = 0;
    for (const { protocol } of sockets) {
      if (!(protocol instanceof TcpSocket)) continue;
      const match = protocol.match(arrival, segment);
      if (match > fit) [best, fit] = [protocol, match];
    }
    if (best) best.input(arrival, segment);
    // Nobody listens there. A host stack behind socket 0 may know better.
    else if (!raw && (segment.bits & RST) === 0) {
      const to = {
        destination: arrival.source,
        protocol: PROTOCOL_TCP,
        tos: 0,
        ttl: TTL,
        flags: DONT_FRAGMENT,
      };
      const reset = buildSegment(this.network.address, arrival.source, resetFor(segment));
      this.network.send(to, arrival.mac, reset, () => undefined);
    }
    return best !== undefined;
  }
}
