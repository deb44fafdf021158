import { STATISTICS } from "./config";

/**
 * Counters of everything that is dropped, refused or repaired. Each reason has its own number, so that a status page can say
 * why something does not work. They wrap silently.
 */
export const enum Counter {
  ETHERNET_IN = 0,
  ETHERNET_TOO_SHORT,
  ETHERNET_NOT_OURS,
  ETHERNET_UNKNOWN_TYPE,
  ETHERNET_BAD_SOURCE,
  ARP_IN,
  ARP_BAD,
  ARP_CONFLICT,
  ARP_PENDING_DROPPED,
  IP_IN,
  IP_OUT,
  IP_BAD_HEADER,
  IP_BAD_LENGTH,
  IP_BAD_CHECKSUM,
  IP_BAD_SOURCE,
  IP_NOT_OURS,
  IP_FRAGMENT,
  IP_REASSEMBLED,
  IP_REASSEMBLY_FAILED,
  IP_SOURCE_ROUTE,
  IP_UNKNOWN_PROTOCOL,
  IP_NO_ROUTE,
  ICMP_IN,
  ICMP_BAD,
  ICMP_BAD_CHECKSUM,
  ICMP_ECHO,
  ICMP_ERROR_OUT,
  ICMP_RATE_LIMITED,
  UDP_IN,
  UDP_OUT,
  UDP_BAD_LENGTH,
  UDP_BAD_CHECKSUM,
  UDP_NO_PORT,
  UDP_RING_FULL,
  DHCP_BAD,
  DNS_OUT,
  DNS_BAD,
  MDNS_CONFLICT,
  TCP_IN,
  TCP_OUT,
  TCP_BAD_HEADER,
  TCP_BAD_CHECKSUM,
  TCP_NO_CONNECTION,
  TCP_RESET_IN,
  TCP_RESET_OUT,
  TCP_OUT_OF_WINDOW,
  TCP_OUT_OF_ORDER,
  TCP_RANGE_TABLE_FULL,
  TCP_CHALLENGE_ACK,
  TCP_SYN_DROPPED,
  TCP_COOKIE_SENT,
  TCP_ACCEPT_DEFERRED,
  TCP_RETRANSMIT,
  TCP_FAST_RETRANSMIT,
  TCP_TIMEOUT,
  TCP_WINDOW_PROBE,
  TCP_TAIL_PROBE,
  TCP_KEEP_ALIVE,
  TCP_TIME_WAIT_EVICTED,
  LOOPBACK_FULL,
  RAW_RING_FULL,
  COUNT,
}

const COUNTERS: usize = memory.data(STATISTICS ? Counter.COUNT * 4 : 0, 4);

/** Adds one to a counter. */
export function count(counter: Counter): void {
  if (!STATISTICS) return;
  const at = COUNTERS + ((<usize>counter) << 2);
  store<u32>(at, load<u32>(at) + 1);
}

/** Takes back one: what was counted comes again. */
export function uncount(counter: Counter): void {
  if (!STATISTICS) return;
  const at = COUNTERS + ((<usize>counter) << 2);
  store<u32>(at, load<u32>(at) - 1);
}

/** Value of a counter; 0 where there are none. */
export function counterValue(counter: u32): u32 {
  if (!STATISTICS) return 0;
  assert(counter < <u32>Counter.COUNT);
  return load<u32>(COUNTERS + (counter << 2));
}
