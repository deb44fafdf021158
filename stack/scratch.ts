import {
  DHCP,
  DNS_ENTRIES,
  ICMP_ERRORS,
  MDNS,
  TCP,
  TCP_ECN,
  TCP_OPTIONS,
  TCP_URGENT,
} from "./config";
import { TX_TRANSPORT, TX_TRANSPORT_BYTES } from "./link/headers";

/**
 * Working bytes shared by code that needs a few for a moment. Contents are good only until the next call that leaves the
 * file, `ipWrite`, `ipEnd` and the link's stream functions excepted: those never touch them. They stand where the header behind
 * an IP header is made, so that both leave in one write; a request of ARP, which opening a packet may send, takes the first 8.
 */
export const SCRATCH_BYTES: u32 = TX_TRANSPORT_BYTES;
export const SCRATCH: usize = TX_TRANSPORT;

/** Some option of TCP has fields of its own in a segment. */
export const SEGMENT_MORE: bool = TCP_OPTIONS || TCP_URGENT || TCP_ECN;
/** Bytes of what DHCP's message says, of a segment (tcp/segment.ts), or of an ICMP error (icmp/input.ts). */
const SMALL_BYTES: u32 = DHCP || (TCP && SEGMENT_MORE) ? 144 : TCP ? 116 : ICMP_ERRORS ? 32 : 0;
/**
 * The same for a message that is looked at as a whole: one of DNS or multicast DNS, or what one of DHCP says. One at a time: each is read and answered, or
 * written and sent, within one call. A frame brings one of these, or a segment of TCP, whose header and numbers lie here meanwhile, or an
 * ICMP error.
 */
export const MESSAGE_SCRATCH_BYTES: u32 = MDNS ? 1024 : DNS_ENTRIES != 0 ? 512 : SMALL_BYTES;
export const MESSAGE_SCRATCH: usize = memory.data(MESSAGE_SCRATCH_BYTES, 4);
