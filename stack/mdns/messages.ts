import { checksumOf } from "cpu";
import { EAGAIN } from "../errors";
import { INTERFACES, MDNS } from "../config";
import { MDNS_GROUP, MDNS_PORT } from "../dns/message";
import { DNS_HEADER_BYTES, nameSkip } from "../dns/name";
import { interfaceNumber } from "../interface";
import { ipEnd, ipHeadersWrite, ipOpen, ipWrite } from "../ip/ipv4-output";
import { IPPROTO_UDP } from "../ip/packet";
import { now } from "../now";
import { RateLimit, rateLimitTake } from "../rate-limit";
import { UDP_HEADER_BYTES, datagram } from "../udp/input";
import { udpHeader } from "../udp/transfer";
import { IN, IN_BYTES, load16, wanted } from "./incoming";
import {
  Name,
  RECORDS,
  Rr,
  putQuestion,
  putRecord,
  recordsLeaving,
  recordsOwned,
  speaking,
} from "./records";

/** The messages of the responder, each written whole and sent on the interface that is spoken on. */

/** With the longest names all records have 607 bytes behind the header, one question and what answers it 524. */
const OUT_BYTES: u32 = 640;
const OUT: usize = memory.data(MDNS ? OUT_BYTES : 0, 4);

/** A record that was multicast longer ago than this is multicast to one who asks for himself too (5.4): a quarter of its TTL. */
const FRESH_MS: u32 = 30_000;
/** Answers to one host: bursts of 32, one more each 32 ms. */
const UNICAST_PRICE: u32 = 512;
const UNICAST_BURST: u32 = 32 * UNICAST_PRICE;

/** Where what was told on a link is kept: when each record was multicast there last, and behind it the limit of answers to one host. */
const TOLD_BYTES: u32 = 4 * RECORDS + offsetof<RateLimit>();
const TOLD: usize = memory.data(MDNS ? INTERFACES * TOLD_BYTES : 0, 4);

function told(): usize {
  return INTERFACES == 1 ? TOLD : TOLD + interfaceNumber(speaking()) * TOLD_BYTES;
}

/** When a record, by its number, was multicast last, in the time of `now()`; 0 = never. */
export function toldMs(record: u32): u32 {
  return load<u32>(told() + (record << 2));
}

/** Begins a message with these counts; where its questions go. */
function head(id: u32, flags: u32, questions: u32, answers: u32, authority: u32, more: u32): usize {
  store<u32>(OUT, bswap<u32>((id << 16) | flags));
  store<u32>(OUT, bswap<u32>((questions << 16) | answers), 4);
  store<u32>(OUT, bswap<u32>((authority << 16) | more), 8);
  return OUT + DNS_HEADER_BYTES;
}

/** Sends the message in OUT that ends before `end`; 0, or what `ipBegin` says. */
function transmit(address: u32, port: u32, end: usize): i32 {
  const bytes = <u32>(end - OUT);
  assert(bytes <= OUT_BYTES);
  const source = speaking().address;
  if (source == 0 || speaking().tentative) return -EAGAIN;
  const refused = ipOpen(IPPROTO_UDP, source, address, UDP_HEADER_BYTES + bytes, 0, 255);
  if (refused != 0) return refused;
  udpHeader(MDNS_PORT, port, bytes, checksumOf(OUT, bytes));
  ipHeadersWrite(UDP_HEADER_BYTES);
  ipWrite(OUT, bytes);
  ipEnd();
  return 0;
}

/**
 * Asks whether anybody has our names, and says what we would say of them (RFC 6762 8.1, 8.2); false = there was no room to send.
 */
export function probe(): bool {
  const service = (recordsOwned() & Rr.SRV) != 0;
  const names: u32 = service ? 2 : 1;
  let at = head(0, 0, names, 0, names, 0);
  at = putQuestion(at, Name.HOST);
  if (service) at = putQuestion(at, Name.INSTANCE);
  at = putRecord(at, Rr.A, true, false);
  if (service) at = putRecord(at, Rr.SRV, true, false);
  return transmit(MDNS_GROUP, MDNS_PORT, at) == 0;
}

/** Takes back all records (RFC 6762 10.1); false = there was no room to send. */
export function goodbye(): bool {
  const records = recordsOwned();
  recordsLeaving(true);
  const at = putRecords(head(0, 0x8400, 0, <u32>popcnt(records), 0, 0), records, false);
  recordsLeaving(false);
  return transmit(MDNS_GROUP, MDNS_PORT, at) == 0;
}

/** What goes with an answer so that nobody has to ask for it next (RFC 6763 12). */
function additional(answers: u32): u32 {
  let more: u32 = 0;
  if ((answers & Rr.PTR) != 0) more |= Rr.SRV | Rr.TXT | Rr.A;
  if ((answers & Rr.SRV) != 0) more |= Rr.A;
  return more & ~answers;
}

/** Writes the records of a set; where the next byte goes. */
function putRecords(at: usize, records: u32, legacy: bool): usize {
  for (let i: u32 = 0; i < RECORDS; i++) {
    const record = 1 << i;
    if ((records & record) != 0) at = putRecord(at, record, false, legacy);
  }
  return at;
}

/** Multicasts those of `records` that have not been within `againMs`; false = there was no room to send. */
export function multicast(records: u32, againMs: u32): bool {
  const lasts = told();
  let again: u32 = 0;
  for (let i: u32 = 0; i < RECORDS; i++) {
    const last = load<u32>(lasts + (i << 2));
    if (last != 0 && now() - last < againMs) again |= 1 << i;
  }
  records &= ~again;
  if (records == 0) return true;
  const more = additional(records) & ~again;
  let at = head(0, 0x8400, 0, <u32>popcnt(records), 0, <u32>popcnt(more));
  at = putRecords(putRecords(at, records, false), more, false);
  if (transmit(MDNS_GROUP, MDNS_PORT, at) != 0) return false;
  for (let i: u32 = 0; i < RECORDS; i++) {
    // 0 would say that it never was.
    if (((records | more) & (1 << i)) != 0) store<u32>(lasts + (i << 2), max<u32>(now(), 1));
  }
  return true;
}

/** True when one of the records was not multicast for a while. */
export function stale(records: u32): bool {
  for (let i: u32 = 0; i < RECORDS; i++) {
    const last = toldMs(i);
    if ((records & (1 << i)) != 0 && (last == 0 || now() - last > FRESH_MS)) return true;
  }
  return false;
}

/** To the asker alone. One who does not speak multicast DNS gets his question and identifier back (RFC 6762 6.7). */
export function unicast(source: u32, legacy: bool): void {
  const limit = changetype<RateLimit>(told() + 4 * RECORDS);
  if (!rateLimitTake(limit, UNICAST_BURST, UNICAST_PRICE)) return;
  const question = legacy
    ? nameSkip(IN, min(datagram.bytes, IN_BYTES), DNS_HEADER_BYTES) + 4 - DNS_HEADER_BYTES
    : 0;
  const more = additional(wanted);
  const id = legacy ? load16(IN) : 0;
  const answers = <u32>popcnt(wanted);
  let at = head(id, 0x8400, legacy ? 1 : 0, answers, 0, <u32>popcnt(more));
  memory.copy(at, IN + DNS_HEADER_BYTES, question);
  at += question;
  at = putRecords(putRecords(at, wanted, legacy), more, legacy);
  transmit(source, datagram.sourcePort, at);
}
