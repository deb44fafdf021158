import { checksumOf } from "cpu";
import { DNS_ENTRIES, INTERFACES } from "../config";
import { EAGAIN, EINPROGRESS } from "../errors";
import {
  DEVICE_ETHERNET,
  Interface,
  iface,
  interfaceAt,
  interfaceNumber,
  isOnLink,
} from "../interface";
import {
  ipEnd,
  ipHeadersWrite,
  ipOpen,
  ipWrite,
  routeSource,
  routeSourceOn,
} from "../ip/ipv4-output";
import { DEFAULT_TTL, IPPROTO_UDP } from "../ip/packet";
import { linkRead } from "../link/device";
import { isDue, now } from "../now";
import { random32 } from "../random";
import { readyWake } from "../readiness";
import { MESSAGE_SCRATCH, MESSAGE_SCRATCH_BYTES } from "../scratch";
import { Counter, count } from "../statistics";
import { TIMER_DNS, timerCancel, timerSet } from "../time/timers";
import { UDP_HEADER_BYTES, datagram } from "../udp/input";
import { udpPortFree } from "../udp/slots";
import { udpHeader } from "../udp/transfer";
import { sumIntact } from "../wire/checksum";
import {
  ADDRESSES_AT,
  DnsEntry,
  EntryState,
  entryAt,
  entryForget,
  entryTake,
  nameOf,
} from "./entries";
import {
  ANSWER_ADDRESSES,
  DNS_BYTES,
  DNS_PORT,
  MDNS_GROUP,
  MDNS_PORT,
  DnsAnswer,
  answerCount,
  answerRead,
  answerTtl,
  questionWrite,
} from "./message";
import { NAME_BYTES_MAX, nameEncode, nameEquals } from "./name";

/**
 * DNS client (RFC 1035, RFC 5452): a small table of names, asked for or known. Nothing waits: `dnsLookup` begins a question or
 * gives the answer, and is called again after news. Each datagram has a fresh random port and identifier; the servers are
 * asked in turn, three times each. Names of the link (`.local`) are asked of everybody on it (RFC 6762 5.1, one-shot queries).
 */

/** Errors of netdb.h, numbers of Linux. */
export const EAI_NONAME: i32 = 2;
export const EAI_AGAIN: i32 = 3;
export const EAI_FAIL: i32 = 4;
export const EAI_NODATA: i32 = 5;
export const EAI_MEMORY: i32 = 10;
/** The answer is not there yet. */
export const EAI_INPROGRESS: i32 = 100;

/** Wait for the stations of the link. */
const LINK_WAIT_MS: u32 = 1000;
const TRIES_PER_SERVER: u32 = 3;
/** Wait for an answer, and a second more in each round. */
const WAIT_MS: u32 = 2000;
/** Nothing could be sent, or there is no server yet. */
const RETRY_MS: u32 = 250;
/** How long a caller without network is kept waiting: so many retries. */
const OFFLINE_RETRIES: u32 = 60;
const TTL_SECONDS_MAX: u32 = 86400;
/** A name is known for so long at least, so that whoever asked hears of it. */
const KNOWN_MS_MIN: u32 = 1000;
/** How long it is known that a name does not exist. */
const NEGATIVE_MS: u32 = 10_000;

/** The message received, or to be sent behind a UDP header. */
const MESSAGE: usize = MESSAGE_SCRATCH;
if (DNS_ENTRIES != 0 && DNS_BYTES > MESSAGE_SCRATCH_BYTES) ERROR("DNS does not fit the scratch");
/** The name that is looked for, until it has an entry: only then there is a message. */
const NAME: usize = MESSAGE;

/** Server number `index`, host order; 0 = there are no more. */
function serverAt(index: u32): u32 {
  const nif = serversInterface();
  if (index == 0) return nif.dns != 0 ? nif.dns : nif.dns2;
  return index == 1 && nif.dns != 0 && nif.dns2 != nif.dns ? nif.dns2 : 0;
}

/** The first interface that has servers and a link, else the first that has servers: those of all know the names of all. */
function serversInterface(): Interface {
  if (INTERFACES == 1) return iface;
  const other = interfaceAt(1);
  if ((other.dns | other.dns2) == 0) return iface;
  return (iface.dns | iface.dns2) != 0 && (iface.up || !other.up) ? iface : other;
}

/** The address of `dotted`, host order. */
let said: u32 = 0;

/** True when `bytes` characters say an address in dotted form. */
function dotted(from: usize, bytes: u32): bool {
  let part: u32 = 256;
  let parts: u32 = 0;
  for (let i: u32 = 0; i <= bytes && i < 16; i++) {
    const character = i < bytes ? <u32>load<u8>(from + i) : 0x2e;
    if (character == 0x2e) {
      if (part > 255) return false;
      said = (said << 8) | part;
      parts += 1;
      part = 256;
    } else {
      const digit = character - 0x30;
      if (digit > 9 || part == 0) return false;
      part = part == 256 ? digit : part * 10 + digit;
      if (part > 255) return false;
    }
  }
  return parts == 4 && bytes < 16;
}

/** True when the last label of NAME, `nameBytes` in wire form, is `label`, of `bytes` with its length. */
function endsIn(nameBytes: u32, label: usize, bytes: u32): bool {
  let at = NAME;
  for (let labels: u32 = 0; labels < NAME_BYTES_MAX; labels++) {
    const length = <u32>load<u8>(at);
    if (at + length + 1 >= NAME + nameBytes - 1) return memory.compare(at, label, bytes) == 0;
    at += length + 1;
  }
  return false;
}

/**
 * Addresses of the name of `bytes` characters at `from`: at most `capacity` of them as words in host order to `to`. Returns how
 * many there are, which may be more, or -EAI_INPROGRESS (asked; call again after news), -EAI_NONAME (no such name), -EAI_NODATA (it has no
 * address), -EAI_AGAIN (no server answers, or the table is full of questions), -EAI_FAIL (the servers cannot find out).
 */
export function dnsLookup(from: usize, bytes: u32, to: usize, capacity: u32): i32 {
  if (dotted(from, bytes)) {
    if (capacity != 0) store<u32>(to, said);
    return 1;
  }
  const nameBytes = nameEncode(from, bytes, NAME, NAME_BYTES_MAX + 1);
  if (nameBytes == 0) return -EAI_NONAME;
  // RFC 6761 6.3: no server's to know.
  const localhost = memory.data<u8>([9, 0x6c, 0x6f, 0x63, 0x61, 0x6c, 0x68, 0x6f, 0x73, 0x74]);
  if (endsIn(nameBytes, localhost, 10)) {
    if (capacity != 0) store<u32>(to, 0x7f000001);
    return 1;
  }
  for (let i: u32 = 0; i < DNS_ENTRIES; i++) {
    const entry = entryAt(i);
    if (entry.state == EntryState.FREE || <u32>entry.nameBytes != nameBytes) continue;
    if (!nameEquals(nameOf(entry), 0, NAME)) continue;
    entry.usedMs = now();
    if (entry.state == EntryState.ASKING) return -EAI_INPROGRESS;
    if (isDue(entry.dueMs)) {
      entryForget(entry);
      break;
    }
    return tell(entry, to, capacity);
  }
  return ask(nameBytes) ? -EAI_INPROGRESS : -EAI_AGAIN;
}

/** What is known of a name. That nobody could be asked is told once. */
function tell(entry: DnsEntry, to: usize, capacity: u32): i32 {
  const error = <i32>entry.error;
  if (error != 0) {
    if (error != EAI_NONAME && error != EAI_NODATA) entryForget(entry);
    return -error;
  }
  const known = min<u32>(<u32>entry.count, capacity);
  memory.copy(to, changetype<usize>(entry) + ADDRESSES_AT, known << 2);
  return <i32>entry.count;
}

/** Begins to ask for NAME; false = there is no room for it, as others are being asked. */
function ask(nameBytes: u32): bool {
  const fresh = entryTake(NAME, nameBytes);
  if (fresh == null) return false;
  fresh.state = <u8>EntryState.ASKING;
  fresh.usedMs = now();
  const local = memory.data<u8>([5, 0x6c, 0x6f, 0x63, 0x61, 0x6c]);
  if (endsIn(nameBytes, local, 6)) fresh.server = MDNS_GROUP;
  query(fresh);
  schedule();
  return true;
}

/** A port that nobody uses (RFC 5452 9.2, RFC 6056). */
function freshPort(): u32 {
  for (let i: u32 = 0; i < 16; i++) {
    const port = 1024 + (((random32() >>> 16) * 64512) >>> 16);
    if (udpPortFree(port)) return port;
  }
  return 0;
}

/** Sends the question to the next server; gives up when all have been asked three times. */
function query(entry: DnsEntry): void {
  const onLink = entry.server == MDNS_GROUP;
  const servers: u32 = !onLink && serverAt(1) != 0 ? 2 : 1;
  const sent = <u32>entry.tries;
  if (sent >= TRIES_PER_SERVER * servers) {
    known(entry, onLink ? EAI_NONAME : entry.error != 0 ? <i32>entry.error : EAI_AGAIN);
    return;
  }
  if (!onLink) entry.server = serverAt(servers == 2 ? sent & 1 : 0);
  entry.id = <u16>random32();
  entry.port = <u16>freshPort();
  const refused = entry.server != 0 ? send(entry) : -EAGAIN;
  if (refused == 0) {
    entry.tries = <u8>(sent + 1);
    const round = servers == 2 ? sent >>> 1 : sent;
    entry.dueMs = now() + (onLink ? LINK_WAIT_MS : WAIT_MS + 1000 * round);
    count(Counter.DNS_OUT);
  } else if (refused == -EAGAIN || refused == -EINPROGRESS || entry.server == 0) {
    entry.dueMs = now() + RETRY_MS;
    // Without a network there is nothing to be had for a while.
    entry.count += 1;
    if (<u32>entry.count >= OFFLINE_RETRIES) known(entry, EAI_AGAIN);
  } else {
    entry.tries = <u8>(sent + 1);
    entry.dueMs = now() + RETRY_MS;
  }
}

/** Sends the question of an entry to its server, one of the link to that of each interface; what `ipBegin` says. */
function send(entry: DnsEntry): i32 {
  const onLink = entry.server == MDNS_GROUP;
  if (INTERFACES == 1) return sendBy(entry, iface, onLink);
  if (!onLink) return sendBy(entry, serversInterface(), false);
  const first = sendBy(entry, iface, true);
  const second = sendBy(entry, interfaceAt(1), true);
  // Whom it has reached may answer.
  return first == 0 ? first : second;
}

/** Our address that a server of an interface is asked from: that interface's where it has a route, as the servers of a network may answer nobody else. */
function sourceBy(nif: Interface, server: u32): u32 {
  const own = routeSourceOn(DEVICE_ETHERNET + interfaceNumber(nif), server);
  return own != 0 || server == MDNS_GROUP ? own : routeSource(server);
}

/** Sends the question of an entry by an interface. */
function sendBy(entry: DnsEntry, nif: Interface, onLink: bool): i32 {
  const source = INTERFACES == 1 ? iface.address : sourceBy(nif, entry.server);
  if (source == 0 || entry.port == 0) return -EAGAIN;
  const bytes = questionWrite(MESSAGE, <u32>entry.id, nameOf(entry), <u32>entry.nameBytes);
  const total = UDP_HEADER_BYTES + bytes;
  const ttl: u32 = onLink ? 255 : DEFAULT_TTL;
  const refused = ipOpen(IPPROTO_UDP, source, entry.server, total, 0, ttl);
  if (refused != 0) return refused;
  const sum = checksumOf(MESSAGE, bytes);
  const to = onLink ? MDNS_PORT : DNS_PORT;
  udpHeader(<u32>entry.port, to, bytes, sum);
  ipHeadersWrite(UDP_HEADER_BYTES);
  ipWrite(MESSAGE, bytes);
  ipEnd();
  return 0;
}

/** The entry has its answer, or will get none. */
function known(entry: DnsEntry, error: i32): void {
  entry.state = <u8>EntryState.KNOWN;
  entry.error = <u8>error;
  entry.port = 0;
  if (error != 0) {
    entry.dueMs = now() + NEGATIVE_MS;
  } else {
    const ttl = min(answerTtl, TTL_SECONDS_MAX);
    entry.dueMs = now() + max(ttl * 1000, KNOWN_MS_MIN);
    entry.count = <u8>answerCount;
    memory.copy(changetype<usize>(entry) + ADDRESSES_AT, ANSWER_ADDRESSES, 4 * answerCount);
  }
  readyWake();
}

/** Arms the timer for the question that is due first, or the answer whose time is over first. */
function schedule(): void {
  let wait: i32 = i32.MAX_VALUE;
  for (let i: u32 = 0; i < DNS_ENTRIES; i++) {
    const entry = entryAt(i);
    if (entry.state != EntryState.FREE) wait = min(wait, <i32>(entry.dueMs - now()));
  }
  if (wait != i32.MAX_VALUE) timerSet(TIMER_DNS, now() + wait);
  else timerCancel(TIMER_DNS);
}

/**
 * TIMER_DNS: nobody has answered in time, or what was known holds no longer. It is forgotten even if nobody asks for it: after half of the
 * clock's range it would look new again.
 */
export function dnsTimer(): void {
  for (let i: u32 = 0; i < DNS_ENTRIES; i++) {
    const entry = entryAt(i);
    if (entry.state == EntryState.FREE || !isDue(entry.dueMs)) continue;
    if (entry.state == EntryState.ASKING) query(entry);
    else entryForget(entry);
  }
  schedule();
}

/** Number of the question that a datagram from `source` may answer, plus one; 0 = none is open there. */
export function dnsListens(source: u32, sourcePort: u32, destinationPort: u32): u32 {
  // RFC 6762 11: only what comes from the link speaks for it.
  const onLink = isOnLink(source);
  for (let i: u32 = 0; i < DNS_ENTRIES; i++) {
    const entry = entryAt(i);
    if (entry.state != EntryState.ASKING || entry.tries == 0) continue;
    if (<u32>entry.port != destinationPort) continue;
    const theirs =
      entry.server == MDNS_GROUP
        ? sourcePort == MDNS_PORT && onLink
        : sourcePort == DNS_PORT && entry.server == source;
    if (theirs) return i + 1;
  }
  return 0;
}

/** Takes the open datagram, which may be the answer to question `number` (plus one). */
export function dnsInput(number: u32): void {
  const bytes = datagram.bytes;
  if (bytes > DNS_BYTES) {
    count(Counter.DNS_BAD);
    return;
  }
  linkRead(MESSAGE, bytes);
  if (datagram.checked && !sumIntact(datagram.sum + checksumOf(MESSAGE, bytes))) {
    count(Counter.UDP_BAD_CHECKSUM);
    return;
  }
  const entry = entryAt(number - 1);
  const answer = answerRead(MESSAGE, bytes, <u32>entry.id, nameOf(entry));
  switch (answer) {
    case DnsAnswer.NOT_OURS:
      count(Counter.DNS_BAD);
      return;
    case DnsAnswer.ADDRESSES:
      known(entry, 0);
      break;
    case DnsAnswer.NO_NAME:
    case DnsAnswer.NO_DATA:
      // On the link only those who have the name answer.
      if (entry.server == MDNS_GROUP) return;
      known(entry, answer == DnsAnswer.NO_NAME ? EAI_NONAME : EAI_NODATA);
      break;
    default:
      // Another server may know.
      entry.error = <u8>EAI_FAIL;
      if (entry.server == MDNS_GROUP) return;
      if (serverAt(1) != 0 && entry.tries == 1) query(entry);
      else known(entry, EAI_FAIL);
      break;
  }
  schedule();
}

/** A server says that it does not listen (ICMP port unreachable, quoting our datagram): the next one is asked at once. */
export function dnsRefused(server: u32, port: u32): void {
  const number = dnsListens(server, DNS_PORT, port);
  if (number == 0) return;
  query(entryAt(number - 1));
  schedule();
}

/** Another network: what was known is forgotten, and open questions are asked anew, of its servers. */
export function dnsNetworkChanged(): void {
  for (let i: u32 = 0; i < DNS_ENTRIES; i++) {
    const entry = entryAt(i);
    if (entry.state == EntryState.KNOWN && entry.error == 0) entryForget(entry);
    if (entry.state != EntryState.ASKING || serversInterface().address == 0) continue;
    entry.tries = 0;
    entry.count = 0;
    query(entry);
  }
  schedule();
}
