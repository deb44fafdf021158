import { INTERFACES, MDNS, MULTICAST_GROUPS } from "../config";
import { Interface, interfaceAt } from "../interface";
import { linkRead, linkTxBegin, linkTxEnd, linkWrite } from "../link/device";
import { ETHERNET_BYTES, TX_ETHERNET, TYPE_IPV4, ethernetHeader } from "../link/headers";
import { isDue, now } from "../now";
import { random32 } from "../random";
import { SCRATCH, SCRATCH_BYTES } from "../scratch";
import { Counter, count } from "../statistics";
import { TIMER_IGMP, timerSet } from "../time/timers";
import { Be } from "../wire/bytes";
import { sumAdd, sumField, sumIntact } from "../wire/checksum";
import { RxPacket } from "./packet";

/**
 * Membership of groups by IGMP version 2 (RFC 2236), so that switches that look at it let their packets through. A report when
 * a group is joined, another some seconds later, one for each query of a router, after a random wait, and a word when it is left. A
 * group is joined on all interfaces.
 */
export const IPPROTO_IGMP: u32 = 2;
const ALL_HOSTS: u32 = 0xe0000001;

const MEMBERSHIP_QUERY: u32 = 0x11;
const MEMBERSHIP_REPORT_1: u32 = 0x12;
const MEMBERSHIP_REPORT: u32 = 0x16;
const MEMBERSHIP_LEAVE: u32 = 0x17;
const ALL_ROUTERS: u32 = 0xe0000002;
const IGMP_BYTES: u32 = 8;
/** IP header with the router alert option (RFC 2113). */
const HEADER_BYTES: u32 = 24;
const ROUTER_ALERT: u32 = 0x94040000;
/** RFC 2236 8.10: the report is repeated within 10 s. */
const UNSOLICITED_MS: u32 = 10_000;
/** RFC 2236 8.11: so long after a query of version 1 its router is thought to be there. */
const OLD_ROUTER_MS: u32 = 400_000;
/** A query of version 3 is at least this long (RFC 3376 7.1). */
const QUERY_3_BYTES: u32 = 12;
/** No room to send: the next try. */
const RETRY_MS: u32 = 20;

/** A group that we are a member of. */
@unmanaged
class Group {
  /** 0 = none. */
  address: u32;
  /** When the next report is due, if any is left. */
  dueMs: u32;
  /** Sockets that have joined; KEPT for the stack itself. */
  users: u16;
  reportsLeft: u16;
}

/** A router of version 1 has asked, and when that was last. */
let oldRouter: bool = false;
let oldRouterMs: u32 = 0;

/** True while a router of version 1 is there: it knows reports of its own version, and nobody who leaves (RFC 2236 4). */
function oldRouterThere(): bool {
  if (oldRouter && isDue(oldRouterMs + OLD_ROUTER_MS)) oldRouter = false;
  return oldRouter;
}

/** One more than sockets may join: multicast DNS has its own. */
const GROUPS: u32 = MULTICAST_GROUPS + (MDNS ? 1 : 0);
const KEPT: u16 = 0x8000;
const NO_GROUP: u32 = 0xff;

function groupAt(index: u32): Group {
  const TABLE: usize = memory.data(GROUPS * offsetof<Group>(), 4);
  return changetype<Group>(TABLE + index * offsetof<Group>());
}

/** Place of a group in the table; address 0: a free place. NO_GROUP = none. */
function find(address: u32): u32 {
  for (let index: u32 = 0; index < GROUPS; index++) {
    if (groupAt(index).address == address) return index;
  }
  return NO_GROUP;
}

function enter(address: u32): u32 {
  let index = find(address);
  if (index != NO_GROUP) return index;
  index = find(0);
  if (index == NO_GROUP) return index;
  groupAt(index).address = address;
  groupAt(index).users = 0;
  announce(groupAt(index));
  return index;
}

/** Two reports, the first one now. */
function announce(group: Group): void {
  group.reportsLeft = 2;
  group.dueMs = now();
  schedule();
}

function schedule(): void {
  let wait: i32 = i32.MAX_VALUE;
  for (let index: u32 = 0; index < GROUPS; index++) {
    const group = groupAt(index);
    if (group.address != 0 && group.reportsLeft != 0)
      wait = min<i32>(wait, max<i32>(<i32>(group.dueMs - now()), 0));
  }
  if (wait != i32.MAX_VALUE) timerSet(TIMER_IGMP, now() + wait);
}

/** The stack itself is a member; reports it anew. */
export function igmpKeep(address: u32): void {
  const index = enter(address);
  if (index == NO_GROUP) return;
  groupAt(index).users |= KEPT;
  announce(groupAt(index));
}

/** A socket joins a group: its place, below MULTICAST_GROUPS + 1; NO_GROUP when the table is full. */
export function igmpJoin(address: u32): u32 {
  const index = enter(address);
  if (index != NO_GROUP) groupAt(index).users += 1;
  return index;
}

/** A socket leaves the group at this place; of the last one the routers are told (RFC 2236 3). */
export function igmpLeave(index: u32): void {
  const group = groupAt(index);
  group.users -= 1;
  if (group.users != 0) return;
  if (!oldRouterThere()) tell(MEMBERSHIP_LEAVE, ALL_ROUTERS, group.address);
  group.address = 0;
}

/** Address of the group at a place. */
export function igmpAddress(index: u32): u32 {
  return groupAt(index).address;
}

/** Our address, or the network, may be another one: reports all groups anew. */
export function igmpRestart(): void {
  for (let index: u32 = 0; index < GROUPS; index++) {
    if (groupAt(index).address != 0) announce(groupAt(index));
  }
}

/** True for a group address whose packets we take. */
export function igmpMember(address: u32): bool {
  if (address >>> 28 != 14) return false;
  for (let index: u32 = 0; index < GROUPS; index++) {
    const group = groupAt(index).address;
    if (group != 0 && (address == group || address == ALL_HOSTS)) return true;
  }
  return false;
}

/** TIMER_IGMP: a report is due. */
export function igmpTimer(): void {
  if (!canSpeak(interfaceAt(0)) && (INTERFACES == 1 || !canSpeak(interfaceAt(1)))) return;
  for (let index: u32 = 0; index < GROUPS; index++) {
    const group = groupAt(index);
    if (group.address == 0 || group.reportsLeft == 0 || !isDue(group.dueMs)) continue;
    const type = oldRouterThere() ? MEMBERSHIP_REPORT_1 : MEMBERSHIP_REPORT;
    if (!tell(type, group.address, group.address)) {
      group.dueMs = now() + RETRY_MS;
      continue;
    }
    group.reportsLeft -= 1;
    const wait = 1000 + (((random32() & 0xffff) * (UNSOLICITED_MS - 1000)) >>> 16);
    if (group.reportsLeft != 0) group.dueMs = now() + wait;
  }
  schedule();
}

/** Takes an IGMP message: a query makes a report due, another member's report stands for ours (RFC 2236 3). */
export function igmpInput(packet: RxPacket): void {
  const bytes = packet.payloadBytes;
  if (bytes < IGMP_BYTES || bytes > SCRATCH_BYTES) return;
  linkRead(SCRATCH, bytes);
  if (!sumIntact(sumAdd(0, SCRATCH, bytes, 0))) {
    count(Counter.IP_BAD_CHECKSUM);
    return;
  }
  const asked = Be.load32(SCRATCH + 4);
  const type = <u32>load<u8>(SCRATCH);
  if (type == MEMBERSHIP_QUERY) queried(asked, answerTenths(bytes));
  // With two interfaces it stands for one network only.
  else if (INTERFACES == 1 && (type == MEMBERSHIP_REPORT || type == MEMBERSHIP_REPORT_1)) {
    const index = asked != 0 ? find(asked) : NO_GROUP;
    if (index != NO_GROUP) groupAt(index).reportsLeft = 0;
  }
}

/** Tenths of a second in which the query in the scratch bytes wants to be answered: 31,744 at most. */
function answerTenths(bytes: u32): u32 {
  const tenths = <u32>load<u8>(SCRATCH, 1);
  if (bytes >= QUERY_3_BYTES) {
    // RFC 3376 4.1.1: from 128 on three bits of exponent and four of mantissa.
    return tenths < 128 ? tenths : ((tenths & 15) | 16) << (((tenths >>> 4) & 7) + 3);
  }
  if (tenths != 0) return tenths;
  oldRouter = true;
  oldRouterMs = now();
  return UNSOLICITED_MS / 100;
}

/** A query about a group, or all (0). */
function queried(asked: u32, tenths: u32): void {
  for (let index: u32 = 0; index < GROUPS; index++) {
    const group = groupAt(index);
    if (group.address == 0 || (asked != 0 && asked != group.address)) continue;
    const due = now() + (((((random32() & 0xffff) * tenths) >>> 6) * 100) >>> 10);
    // A report that is due earlier answers this query too.
    const earlier = !isDue(group.dueMs) && <i32>(group.dueMs - due) <= 0;
    if (group.reportsLeft != 0 && earlier) continue;
    group.reportsLeft = 1;
    group.dueMs = due;
  }
  schedule();
}

function canSpeak(nif: Interface): bool {
  return nif.address != 0 && !nif.tentative;
}

/** A message about `group` to `destination` on each interface that has an address; false = no room to send. */
function tell(type: u32, destination: u32, group: u32): bool {
  let told = true;
  for (let number: u32 = 0; number < INTERFACES; number++) {
    const nif = interfaceAt(number);
    if (canSpeak(nif) && !send(nif, number, type, destination, group)) told = false;
  }
  return told;
}

function send(nif: Interface, device: u32, type: u32, destination: u32, group: u32): bool {
  if (!linkTxBegin(device, ETHERNET_BYTES + HEADER_BYTES + IGMP_BYTES)) return false;
  Be.store16(TX_ETHERNET, 0x0100);
  store<u32>(TX_ETHERNET, bswap<u32>(0x5e000000 | (destination & 0x7fffff)), 2);
  ethernetHeader(nif, TYPE_IPV4);
  linkWrite(TX_ETHERNET, ETHERNET_BYTES);
  Be.store32(SCRATCH, 0x46c00000 | (HEADER_BYTES + IGMP_BYTES));
  store<u32>(SCRATCH, 0x00400000, 4);
  Be.store32(SCRATCH + 8, (1 << 24) | (IPPROTO_IGMP << 16));
  Be.store32(SCRATCH + 12, nif.address);
  Be.store32(SCRATCH + 16, destination);
  Be.store32(SCRATCH + 20, ROUTER_ALERT);
  store<u16>(SCRATCH, sumField(sumAdd(0, SCRATCH, HEADER_BYTES, 0)), 10);
  Be.store32(SCRATCH + 24, type << 24);
  Be.store32(SCRATCH + 28, group);
  store<u16>(SCRATCH, sumField(sumAdd(0, SCRATCH + 24, IGMP_BYTES, 0)), 26);
  linkWrite(SCRATCH, HEADER_BYTES + IGMP_BYTES);
  linkTxEnd();
  count(Counter.IP_OUT);
  return true;
}
