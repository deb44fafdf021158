import type { Clock } from "../sim/types.js";
import { isGroupMac, macAt, type Mac } from "./addresses.js";
import { ETHERNET_HEADER_BYTES } from "./packets.js";

/**
 * Takes frames (without FCS). The bytes are only lent for the call: whoever keeps a frame copies it, with
 * `new Uint8Array(frame)` (the `slice` of a Node Buffer would share the memory).
 */
export type FrameSink = (frame: Uint8Array) => void;

/** One socket of the switch. */
export interface SwitchPort {
  readonly name: string;
  /** The station has sent this frame. */
  send: FrameSink;
  /** Takes the cable out: the port's addresses are forgotten and nothing more comes. */
  detach(): void;
}

interface Entry {
  port: Port;
  seenNs: number;
}

class Port implements SwitchPort {
  attached = true;

  constructor(
    private readonly owner: EthernetSwitch,
    readonly name: string,
    readonly deliver: FrameSink,
  ) {}

  readonly send: FrameSink = (frame) => {
    if (this.attached) this.owner.forward(this, frame);
  };

  detach(): void {
    this.attached = false;
    this.owner.remove(this);
  }
}

/** Longest frame without its FCS, with room for a VLAN tag. */
const FRAME_BYTES_MAX = 1518;
/** Addresses are forgotten after this time without a frame from them (IEEE 802.1Q 8.8.3: 300 s). */
const AGEING_NS = 300e9;
const EXPIRE_NS = 1e9;
/** Addresses remembered; beyond it, frames to new ones are flooded. */
const TABLE_MAX = 4096;

/**
 * A learning Ethernet switch: a frame goes to the port where its destination was seen last, and to all others when it
 * was not seen or is a group address. Forwarding takes no time and loses nothing; delay, rate and loss belong to the
 * links (`link.ts`).
 */
export class EthernetSwitch {
  private readonly ports = new Set<Port>();
  private readonly table = new Map<Mac, Entry>();
  /** Frames dropped because of a length that no frame has, or because they came from a group address. */
  malformed = 0;
  /** All other frames that stations have sent. */
  frames = 0;
  private expiredNs = -Infinity;

  constructor(private readonly clock: Clock) {}

  /** Adds a station; `deliver` gets the frames that are for it. */
  attach(name: string, deliver: FrameSink): SwitchPort {
    const port = new Port(this, name, deliver);
    this.ports.add(port);
    return port;
  }

  /** The port of an address, as far as it is known. */
  lookup(mac: Mac): SwitchPort | undefined {
    const entry = this.table.get(mac);
    if (entry === undefined || this.clock.nowNs - entry.seenNs > AGEING_NS) return undefined;
    return entry.port;
  }

  /** For ports only. */
  forward(from: Port, frame: Uint8Array): void {
    const whole = frame.length >= ETHERNET_HEADER_BYTES && frame.length <= FRAME_BYTES_MAX;
    const source = whole ? macAt(frame, 6) : undefined;
    if (source === undefined || isGroupMac(source)) {
      this.malformed++;
      return;
    }
    this.frames++;
    this.learn(source, from);
    const destination = macAt(frame, 0);
    const known = isGroupMac(destination) ? undefined : this.lookup(destination);
    if (known === undefined) {
      for (const port of this.ports) if (port !== from) port.deliver(frame);
    } else if (known !== from) {
      (known as Port).deliver(frame);
    }
  }

  /** For ports only. */
  remove(port: Port): void {
    this.ports.delete(port);
    for (const [mac, entry] of this.table) if (entry.port === port) this.table.delete(mac);
  }

  private learn(mac: Mac, port: Port): void {
    const entry = this.table.get(mac);
    if (entry !== undefined) {
      entry.seenNs = this.clock.nowNs;
      entry.port = port;
      return;
    }
    if (this.table.size >= TABLE_MAX) this.expire();
    // Full of live ones: a flood of new addresses does not push out those that are known.
    if (this.table.size >= TABLE_MAX) return;
    this.table.set(mac, { port, seenNs: this.clock.nowNs });
  }

  /** Forgets what has aged; at most once a second, or each frame of a flood would walk the whole table. */
  private expire(): void {
    if (this.clock.nowNs - this.expiredNs < EXPIRE_NS) return;
    this.expiredNs = this.clock.nowNs;
    for (const [mac, entry] of this.table) {
      if (this.clock.nowNs - entry.seenNs > AGEING_NS) this.table.delete(mac);
    }
  }
}
