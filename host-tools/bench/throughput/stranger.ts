import type { EthernetSwitch, SwitchPort } from "../../net/switch.js";
import type { VirtualClock } from "../../sim/virtual-clock.js";
import { parseFrame, type Parsed } from "../../testing/wire-parse.js";
import { BROADCAST_MAC } from "../../testing/wire.js";
import { Peer } from "../../testing/wire-peer.js";

/** What a stranger sends, so many a second. */
export type Load = "none" | "pings" | "broadcasts";

const PING_BYTES = 56;
/** What makes the shortest frame: 60 bytes without FCS. */
const SHORT_PING_BYTES = 18;
const BROADCAST = 0xffff_ffff;

/** A station beside the peer: it floods, or pings. It says where its address is when it is asked, so that it is answered, too. */
export class Stranger {
  /** Takes the replies to its pings. */
  onReply: () => void = () => undefined;
  private stopped = false;
  private readonly port: SwitchPort;
  private readonly frames: Peer;

  constructor(
    ethernet: EthernetSwitch,
    private readonly clock: VirtualClock,
    mac: string,
    address: number,
    device: { mac: string; address: number },
  ) {
    this.frames = new Peer(mac, address, device.mac, device.address);
    this.port = ethernet.attach(`stranger ${mac}`, (frame) => {
      this.look(parseFrame(new Uint8Array(frame)), address);
    });
  }

  /** Sends pings or broadcasts from now on. */
  flood(load: Load, perSecond: number): void {
    if (load === "none") return;
    const frame =
      load === "pings" ? this.frames.echo(new Uint8Array(SHORT_PING_BYTES)) : this.broadcast();
    const next = (): void => {
      if (this.stopped) return;
      this.port.send(frame);
      this.clock.schedule(1e9 / perSecond, next);
    };
    next();
  }

  /** Ends the flood. */
  stop(): void {
    this.stopped = true;
  }

  /** One ping as `ping` sends it. */
  ping(): void {
    this.port.send(this.frames.echo(new Uint8Array(PING_BYTES)));
  }

  /** A datagram to a port where nobody listens. */
  private broadcast(): Uint8Array {
    return this.frames.udp(
      { sourcePort: 4000, destinationPort: 4001 },
      new Uint8Array(SHORT_PING_BYTES),
      { ethernet: { destination: BROADCAST_MAC }, ip: { destination: BROADCAST } },
    );
  }

  private look({ arp, icmp }: Parsed, address: number): void {
    if (icmp?.type === 0) this.onReply();
    if (arp?.operation !== 1 || arp.targetAddress !== address) return;
    this.clock.schedule(0, () => this.port.send(this.frames.arpReply()));
  }
}
