import { iface } from "../interface";
import { DEVICE_NIC, linkRead, linkTxBegin, linkTxEnd, linkWrite } from "../link/device";
import { ETHERNET_BYTES, TX_ETHERNET, TYPE_IPV4, ethernetHeader } from "../link/headers";
import { isDue, now } from "../now";
import { random32 } from "../random";
import { SCRATCH, SCRATCH_BYTES } from "../scratch";
import { Counter, count } from "../statistics";
import { TIMER_IGMP, timerArmed, timerSet } from "../time/timers";
import { Be } from "../wire/bytes";
import { sumAdd, sumField, sumFold } from "../wire/checksum";
import { RxPacket } from "./packet";

/**
 * Membership of one group by IGMP version 2 (RFC 2236), so that switches that look at it let its packets through. A report when
 * the group is joined, another some seconds later, and one for each query of a router, after a random wait.
 */
export const IPPROTO_IGMP: u32 = 2;
export const ALL_HOSTS: u32 = 0xe0000001;

const MEMBERSHIP_QUERY: u32 = 0x11;
const MEMBERSHIP_REPORT: u32 = 0x16;
const IGMP_BYTES: u32 = 8;
/** IP header with the router alert option (RFC 2113). */
const HEADER_BYTES: u32 = 24;
const ROUTER_ALERT: u32 = 0x94040000;
/** RFC 2236 8.10: the report is repeated within 10 s. */
const UNSOLICITED_MS: u32 = 10_000;
/** No room to send: the next try. */
const RETRY_MS: u32 = 20;

/** 0 = none. */
let group: u32 = 0;
let dueMs: u32 = 0;
let reportsLeft: u32 = 0;

/** Joins a group; in place of one that was joined before. */
export function igmpJoin(address: u32): void {
  group = address;
  reportsLeft = 2;
  dueMs = now();
  timerSet(TIMER_IGMP, dueMs);
}

/** True for a group address whose packets we take. */
export function igmpMember(address: u32): bool {
  return group != 0 && (address == group || address == ALL_HOSTS);
}

/** TIMER_IGMP: a report is due. */
export function igmpTimer(): void {
  if (group == 0 || iface.address == 0 || iface.tentative || reportsLeft == 0) return;
  if (!report()) {
    timerSet(TIMER_IGMP, now() + RETRY_MS);
    return;
  }
  reportsLeft -= 1;
  if (reportsLeft == 0) return;
  dueMs = now() + 1000 + (((random32() & 0xffff) * (UNSOLICITED_MS - 1000)) >>> 16);
  timerSet(TIMER_IGMP, dueMs);
}

/** Takes an IGMP message: a query makes a report due (RFC 2236 3); all else is for routers. */
export function igmpInput(packet: RxPacket): void {
  const bytes = packet.payloadBytes;
  if (bytes < IGMP_BYTES || bytes > SCRATCH_BYTES) return;
  linkRead(SCRATCH, bytes);
  if (sumFold(sumAdd(0, SCRATCH, bytes, 0)) != 0xffff) {
    count(Counter.IP_BAD_CHECKSUM);
    return;
  }
  const asked = Be.load32(SCRATCH + 4);
  if (load<u8>(SCRATCH) != <u8>MEMBERSHIP_QUERY || (asked != 0 && asked != group)) return;
  // Tenths of a second; 0 is a router of version 1, which allows 10 s.
  const tenths = <u32>load<u8>(SCRATCH, 1);
  const limitMs: u32 = tenths != 0 ? tenths * 100 : 10_000;
  const due = now() + (((random32() & 0xffff) * limitMs) >>> 16);
  // A report that is due earlier answers this query too.
  if (timerArmed(TIMER_IGMP) && !isDue(dueMs) && <i32>(dueMs - due) <= 0) return;
  reportsLeft = 1;
  dueMs = due;
  timerSet(TIMER_IGMP, due);
}

function report(): bool {
  if (!linkTxBegin(DEVICE_NIC, ETHERNET_BYTES + HEADER_BYTES + IGMP_BYTES)) return false;
  Be.store16(TX_ETHERNET, 0x0100);
  store<u32>(TX_ETHERNET, bswap<u32>(0x5e000000 | (group & 0x7fffff)), 2);
  ethernetHeader(TYPE_IPV4);
  linkWrite(TX_ETHERNET, ETHERNET_BYTES);
  Be.store32(SCRATCH, 0x46c00000 | (HEADER_BYTES + IGMP_BYTES));
  store<u32>(SCRATCH, 0x00400000, 4);
  Be.store32(SCRATCH + 8, (1 << 24) | (IPPROTO_IGMP << 16));
  Be.store32(SCRATCH + 12, iface.address);
  Be.store32(SCRATCH + 16, group);
  Be.store32(SCRATCH + 20, ROUTER_ALERT);
  store<u16>(SCRATCH, sumField(sumAdd(0, SCRATCH, HEADER_BYTES, 0)), 10);
  Be.store32(SCRATCH + 24, MEMBERSHIP_REPORT << 24);
  Be.store32(SCRATCH + 28, group);
  store<u16>(SCRATCH, sumField(sumAdd(0, SCRATCH + 24, IGMP_BYTES, 0)), 26);
  linkWrite(SCRATCH, HEADER_BYTES + IGMP_BYTES);
  linkTxEnd();
  count(Counter.IP_OUT);
  return true;
}
