import { arpInput } from "./arp/input";
import {
  ANSWERS_WAIT,
  DHCP,
  DNS_ENTRIES,
  ICMP,
  ICMP_ERRORS,
  IGMP,
  MDNS,
  RAW_SOCKETS,
  TCP,
  TCP_FAST_PATH,
  UDP,
  UDP_SOCKETS,
} from "./config";
import { dhcpListens } from "./dhcp/client";
import { dhcpInput } from "./dhcp/input";
import { dnsInput, dnsListens, dnsRefused } from "./dns/client";
import { DNS_PORT, MDNS_PORT } from "./dns/message";
import { icmpError, icmpInput } from "./icmp/input";
import { ICMP_UNREACHABLE, UNREACHABLE_PROTOCOL, icmpSendError } from "./icmp/output";
import { IPPROTO_IGMP, igmpInput } from "./ip/igmp";
import { ipv4Input } from "./ip/ipv4-input";
import { ipPlain, ipPlainPacket, ipPlainProtocol, ipPlainSource } from "./ip/ipv4-plain";
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, RxPacket } from "./ip/packet";
import {
  linkCanAnswer,
  linkMayWait,
  linkInterface,
  linkOverflows,
  linkPutBack,
  linkRead,
  linkWireCanAnswer,
} from "./link/device";
import {
  FRAME_DROPPED,
  ethernetInput,
  ethernetPayloadBytes,
  ethernetToMany,
} from "./link/ethernet";
import { RX_NETWORK, TYPE_ARP, TYPE_IPV4 } from "./link/headers";
import { mdnsInput } from "./mdns/responder";
import { rawIcmpError, rawInput } from "./raw/input";
import { now } from "./now";
import { rawTcpOpen, rawUdpOpen } from "./raw/slots";
import { Counter, count, uncount } from "./statistics";
import { cookieMayOwe } from "./tcp/cookie";
import { tcpIcmpError } from "./tcp/icmp";
import { segmentInput, tcpInput } from "./tcp/input";
import { tcpInputFast } from "./tcp/input-fast";
import { segmentForget, segmentOpens } from "./tcp/segment";
import { datagram, udpDeliver, udpIcmpError, udpInput } from "./udp/input";
import { udpInputFast } from "./udp/input-fast";

/**
 * The demultiplexer: the one place that knows which protocol stands above which. Each layer reads its header and says what
 * it found; nobody below calls anybody above.
 */

/**
 * A frame that is answered at once waits until its answer can be sent, and those behind it wait, too. In each quarter of a second so
 * many may, and when that many again have wanted to in the one before, or the chip has lost frames, a single one: the others are taken
 * in all the same, and what cannot be answered is not. So a flood of strangers holds up neither the segments of those who are connected nor what they
 * acknowledge.
 */
const WAITS: u32 = 128;
const WAIT_SHIFT: u32 = 8;
let waitPeriod: u32 = 0;
/** Frames that wanted to wait in this period, and how many of them may. */
let wanted: u32 = 0;
let allowed: u32 = WAITS;
let overflows: u32 = 0;

function mayWait(): bool {
  const period = now() >>> WAIT_SHIFT;
  if (period != waitPeriod) {
    const lost = linkOverflows() != overflows;
    overflows = linkOverflows();
    allowed = lost || (period - waitPeriod == 1 && wanted >= 2 * WAITS) ? 1 : WAITS;
    waitPeriod = period;
    wanted = 0;
  }
  wanted += 1;
  return wanted <= allowed;
}

/** True when the packet in the open frame is one that is answered at once. TCP keeps in mind what it has to say, and of unproven openings some. */
function wantsAnswer(): bool {
  if (ethernetToMany) return false;
  return TCP && load<u8>(RX_NETWORK, 9) == <u8>IPPROTO_TCP
    ? segmentOpens() && !cookieMayOwe()
    : true;
}

/** True when the packet in the open frame, which cannot be answered now, was put back until it can. */
function waitsForAnswer(): bool {
  if (!ANSWERS_WAIT || !wantsAnswer() || !linkMayWait() || !mayWait()) return false;
  frameLater();
  return true;
}

function frameLater(): void {
  uncount(Counter.ETHERNET_IN);
  linkPutBack();
}

/** Takes the open frame to whom it is for. */
export function frameInput(): void {
  const type = ethernetInput();
  if (type == TYPE_IPV4) {
    const packet = TCP_FAST_PATH && !ethernetToMany ? plainOrNot() : anyPacket();
    if (packet != null) packetInput(packet);
  } else if (type == TYPE_ARP) {
    if (!ANSWERS_WAIT || linkCanAnswer() || !linkMayWait()) arpInput(ethernetPayloadBytes());
    else frameLater();
  } else if (type != FRAME_DROPPED) {
    count(Counter.ETHERNET_UNKNOWN_TYPE);
  }
}

/** The packet in the open frame, or null when it is dropped or has been taken: the expected segment of a connection is. */
function plainOrNot(): RxPacket | null {
  const payloadBytes = ipPlain();
  if (payloadBytes != 0) {
    const protocol = ipPlainProtocol();
    if (TCP && protocol == IPPROTO_TCP) {
      // A raw socket sees segments before anybody else does.
      if (RAW_SOCKETS != 0 && rawTcpOpen != 0) segmentForget();
      else if (tcpInputFast(payloadBytes)) return null;
    }
    // It has come from the wire.
    if (!linkWireCanAnswer() && waitsForAnswer()) return null;
    if (UDP_SOCKETS != 0 && protocol == IPPROTO_UDP && (RAW_SOCKETS == 0 || rawUdpOpen == 0)) {
      if (udpInputFast(payloadBytes, MDNS_PORT)) return null;
    }
    const source = ipPlainSource();
    if (source == 0) return null;
    if (TCP && protocol == IPPROTO_TCP && (RAW_SOCKETS == 0 || rawTcpOpen == 0)) {
      segmentInput(RX_NETWORK, source, linkInterface().address, payloadBytes);
      return null;
    }
    return ipPlainPacket(source, payloadBytes);
  }
  return anyPacket();
}

function anyPacket(): RxPacket | null {
  if (TCP) segmentForget();
  if (!linkCanAnswer() && waitsForAnswer()) return null;
  return ipv4Input(ethernetPayloadBytes(), ethernetToMany);
}

function packetInput(packet: RxPacket): void {
  const protocol = <u32>packet.protocol;
  let heard: bool = false;
  if (RAW_SOCKETS != 0) heard = rawInput(packet);
  if (TCP && protocol == IPPROTO_TCP) {
    tcpInput(packet);
  } else if (UDP && protocol == IPPROTO_UDP) {
    if (udpInput(packet)) datagramInput(packet);
  } else if (ICMP && protocol == IPPROTO_ICMP) {
    const transport = icmpInput(packet);
    if (ICMP_ERRORS) errorInput(transport, packet);
  } else if (IGMP && protocol == IPPROTO_IGMP) {
    igmpInput(packet);
  } else if (!heard) {
    count(Counter.IP_UNKNOWN_PROTOCOL);
    if (!ICMP) return;
    linkRead(packet.header + packet.headerBytes, min<u32>(packet.payloadBytes, 8));
    icmpSendError(ICMP_UNREACHABLE, UNREACHABLE_PROTOCOL, packet);
  }
}

/** Ports of the stack itself first, then the sockets. */
function datagramInput(packet: RxPacket): void {
  const nif = linkInterface();
  if (DHCP && dhcpListens(nif, datagram.sourcePort, datagram.destinationPort)) {
    dhcpInput(nif, datagram.bytes, datagram.sum, datagram.checked);
    return;
  }
  if (DNS_ENTRIES != 0) {
    const question = dnsListens(packet.source, datagram.sourcePort, datagram.destinationPort);
    if (question != 0) {
      dnsInput(question);
      return;
    }
  }
  if (MDNS && datagram.destinationPort == MDNS_PORT) {
    mdnsInput(nif, packet.source, packet.destination);
    return;
  }
  udpDeliver(packet);
}

/** An ICMP error for the transport `protocol`. */
function errorInput(protocol: u32, packet: RxPacket): void {
  const at = icmpError;
  if (RAW_SOCKETS != 0) rawIcmpError(protocol, at.type, at.code, at.source, at.destination);
  if (TCP && protocol == IPPROTO_TCP) {
    tcpIcmpError(
      at.type,
      at.code,
      at.info,
      at.source,
      at.destination,
      at.sourcePort,
      at.destinationPort,
      at.sequence,
    );
  } else if (UDP && protocol == IPPROTO_UDP) {
    udpIcmpError(
      at.type,
      at.code,
      at.source,
      at.destination,
      at.sourcePort,
      at.destinationPort,
      at.info,
      packet.source,
    );
    // Last, as it may ask again, and the question is written where the error lies.
    if (DNS_ENTRIES != 0 && at.type == ICMP_UNREACHABLE && at.destinationPort == DNS_PORT) {
      dnsRefused(at.destination, at.sourcePort);
    }
  }
}
