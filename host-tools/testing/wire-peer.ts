/**
 * A forged host on the wire: fills in the addresses of both ends, so that a wire test says only what matters to it.
 */
import {
  BROADCAST_MAC,
  ETHERTYPE,
  PROTOCOL,
  arpPacket,
  ethernetFrame,
  icmpMessage,
  ipv4Packet,
  tcpSegment,
  udpDatagram,
  type ArpFields,
  type EthernetFields,
  type IcmpFields,
  type Ipv4Fields,
  type TcpFields,
  type UdpFields,
} from "./wire.js";

/** Fields of the layers below that a test wants different. */
export interface Below {
  ethernet?: Partial<EthernetFields>;
  ip?: Partial<Ipv4Fields>;
}

type Without<T> = Omit<T, "source" | "destination">;

/** Builds the frames of one station for another, with lengths and checksums filled in. */
export class Peer {
  constructor(
    /** This host. */
    readonly mac: string,
    readonly address: number,
    /** The stack under test. */
    readonly stackMac: string,
    readonly stackAddress: number,
  ) {}

  /** The same host under another address (and MAC). */
  as(address: number, mac: string = this.mac): Peer {
    return new Peer(mac, address, this.stackMac, this.stackAddress);
  }

  frame(payload: Uint8Array, fields: Partial<EthernetFields> = {}): Uint8Array {
    return ethernetFrame({ destination: this.stackMac, source: this.mac, ...fields }, payload);
  }

  arp(
    fields: Partial<ArpFields> & { operation: number },
    ethernet: Partial<EthernetFields> = {},
  ): Uint8Array {
    const packet = arpPacket({
      senderMac: this.mac,
      senderAddress: this.address,
      targetAddress: this.stackAddress,
      ...fields,
    });
    const destination = fields.operation === 1 ? BROADCAST_MAC : this.stackMac;
    return this.frame(packet, { type: ETHERTYPE.ARP, destination, ...ethernet });
  }

  /** Who has the stack's address? */
  arpRequest(fields: Partial<ArpFields> = {}): Uint8Array {
    return this.arp({ operation: 1, ...fields });
  }

  /** This host is at its MAC, told to the stack alone. */
  arpReply(fields: Partial<ArpFields> = {}): Uint8Array {
    return this.arp({ operation: 2, targetMac: this.stackMac, ...fields });
  }

  ip(protocol: number, payload: Uint8Array, below: Below = {}): Uint8Array {
    const packet = ipv4Packet(
      { source: this.address, destination: this.stackAddress, protocol, ...below.ip },
      payload,
    );
    return this.frame(packet, below.ethernet);
  }

  icmp(fields: IcmpFields, data: Uint8Array = new Uint8Array(0), below: Below = {}): Uint8Array {
    return this.ip(PROTOCOL.ICMP, icmpMessage(fields, data), below);
  }

  /** Echo request. */
  echo(data: Uint8Array, identifier = 0x1234, sequence = 1, below: Below = {}): Uint8Array {
    return this.icmp({ type: 8, rest: identifier * 0x10000 + sequence }, data, below);
  }

  udp(fields: Without<UdpFields>, data: Uint8Array, below: Below = {}): Uint8Array {
    const ends = this.#ends(below);
    return this.ip(PROTOCOL.UDP, udpDatagram({ ...ends, ...fields }, data), below);
  }

  tcp(
    fields: Without<TcpFields>,
    data: Uint8Array = new Uint8Array(0),
    below: Below = {},
  ): Uint8Array {
    const ends = this.#ends(below);
    return this.ip(PROTOCOL.TCP, tcpSegment({ ...ends, ...fields }, data), below);
  }

  #ends(below: Below): { source: number; destination: number } {
    return {
      source: below.ip?.source ?? this.address,
      destination: below.ip?.destination ?? this.stackAddress,
    };
  }
}
