import { TCP_CONNECT } from "../config";
import { ECONNREFUSED, EHOSTUNREACH, ENETUNREACH } from "../errors";
import { ICMP_PARAMETER_PROBLEM, ICMP_TIME_EXCEEDED, ICMP_UNREACHABLE } from "../icmp/output";
import { FIRST_SYN_RECORD, TcpState, connectionFind, tcbAt } from "./connection";
import { tcbAbort } from "./lifecycle";
import { TIMESTAMP_BYTES } from "./segment";
import { timestampsUsed } from "./timestamps";

const NET_UNREACHABLE: u32 = 0;
const PROTOCOL_UNREACHABLE: u32 = 2;
const PORT_UNREACHABLE: u32 = 3;
const FRAGMENTATION_NEEDED: u32 = 4;
/** Headers of IP and TCP without options. */
const HEADERS_BYTES: u32 = 40;
/** The smallest MTU that a router is believed (RFC 5927 7.2 advises a floor): every host takes 576 bytes. */
const MTU_MIN: u32 = 576;

/**
 * An ICMP error that quotes a segment of ours (RFC 5927). It counts only when the quoted number is in flight. It ends a
 * connection that is still being opened, if it says that nobody will ever answer; any other is soft: it is told to the
 * application as the reason if the connection times out in the end (RFC 9293 MUST-47, MUST-56). Source quench is ignored
 * (RFC 6633).
 */
export function tcpIcmpError(
  type: u32,
  code: u32,
  info: u32,
  quotedSource: u32,
  quotedDestination: u32,
  quotedSourcePort: u32,
  quotedDestinationPort: u32,
  quotedSequence: u32,
): void {
  const unreachable = type == ICMP_UNREACHABLE;
  if (!unreachable && type != ICMP_TIME_EXCEEDED && type != ICMP_PARAMETER_PROBLEM) return;
  const ends = (quotedDestinationPort << 16) | quotedSourcePort;
  const id = connectionFind(quotedSource, quotedDestination, ends);
  if (id >= FIRST_SYN_RECORD) return;
  const tcb = tcbAt(id);
  if (quotedSequence - tcb.sndUna >= tcb.sndMax - tcb.sndUna) return;
  if (unreachable && code == FRAGMENTATION_NEEDED) {
    const mtu = max<u32>(info & 0xffff, MTU_MIN);
    // Believed only when the segment has not got through by the next timeout (expiry.ts).
    const headers = HEADERS_BYTES + (timestampsUsed(tcb) ? TIMESTAMP_BYTES : 0);
    if (mtu < <u32>tcb.sndMss + headers) tcb.routerMss = <u8>((mtu - headers) >>> 3);
    return;
  }
  const hard = unreachable && (code == PROTOCOL_UNREACHABLE || code == PORT_UNREACHABLE);
  if (TCP_CONNECT && hard && tcb.state == TcpState.SYN_SENT) tcbAbort(tcb, ECONNREFUSED);
  else tcb.softError = <u8>(unreachable && code == NET_UNREACHABLE ? ENETUNREACH : EHOSTUNREACH);
}
