import { DNS_ENTRIES } from "../config";
import { Be } from "../wire/bytes";
import { DNS_HEADER_BYTES, nameEquals, nameSkip, namesEqual } from "./name";

/**
 * DNS messages (RFC 1035 4.1).
 *
 *      0    2       4         6         8           10           12
 *     | id | flags | queries | answers | authority | additional | question: name, type, class | records ..
 *     record: name, type, class, ttl 4, length 2, data
 */
export const DNS_PORT: u32 = 53;
/** Multicast DNS (RFC 6762). */
export const MDNS_PORT: u32 = 5353;
export const MDNS_GROUP: u32 = 0xe00000fb;
/** Longest message without EDNS. */
export const DNS_BYTES: u32 = 512;

export const TYPE_A: u32 = 1;
const TYPE_CNAME: u32 = 5;
export const CLASS_IN: u32 = 1;

const FLAG_RESPONSE: u32 = 0x8000;
const FLAGS_OPCODE: u32 = 0x7800;
const FLAG_TRUNCATED: u32 = 0x0200;
const FLAG_RECURSE: u32 = 0x0100;
const RCODE: u32 = 15;
const RCODE_NO_NAME: u32 = 3;

/** Fixed part of a record, behind its name. */
const RECORD_BYTES: u32 = 10;
/** Aliases followed; a longer chain is a loop. */
const ALIASES_MAX: u32 = 8;
/** Addresses of one name that are kept. */
export const ADDRESSES_MAX: u32 = 4;

/** What a reply says. */
export const enum DnsAnswer {
  /** Not a reply to our question: as if it had not come. */
  NOT_OURS = 0,
  ADDRESSES,
  /** There is no such name. */
  NO_NAME,
  /** The name has no address. */
  NO_DATA,
  /** The server could not find out, or what it sent makes no sense. */
  FAILED,
}

/** Offset of the name that the records are read for: the question's, then that of each alias. */
let soughtAt: u32 = 0;
/** Addresses of the last reply, host order. */
export const ANSWER_ADDRESSES: usize = memory.data(DNS_ENTRIES != 0 ? 4 * ADDRESSES_MAX : 0, 4);
export let answerCount: u32 = 0;
/** How long they hold, seconds. */
export let answerTtl: u32 = 0;

/** Writes the question for the addresses of `name` to `to`; the bytes of the message. */
export function questionWrite(to: usize, id: u32, name: usize, nameBytes: u32): u32 {
  memory.fill(to, 0, DNS_HEADER_BYTES);
  Be.store16(to, id);
  Be.store16(to + 2, FLAG_RECURSE);
  Be.store16(to + 4, 1);
  const at = to + DNS_HEADER_BYTES;
  memory.copy(at, name, nameBytes);
  // A name can end at an odd place.
  store<u8>(at + nameBytes, 0);
  store<u8>(at + nameBytes, <u8>TYPE_A, 1);
  store<u8>(at + nameBytes, 0, 2);
  store<u8>(at + nameBytes, <u8>CLASS_IN, 3);
  return DNS_HEADER_BYTES + nameBytes + 4;
}

function load16(at: usize): u32 {
  return ((<u32>load<u8>(at)) << 8) | (<u32>load<u8>(at, 1));
}

function load32(at: usize): u32 {
  return (load16(at) << 16) | load16(at + 2);
}

/** Reads a message that may be the reply to our question for `name` under `id` (RFC 5452 9.1, RFC 9267). */
export function answerRead(message: usize, bytes: u32, id: u32, name: usize): DnsAnswer {
  if (bytes < DNS_HEADER_BYTES || load16(message) != id) return DnsAnswer.NOT_OURS;
  const flags = load16(message + 2);
  if ((flags & (FLAG_RESPONSE | FLAGS_OPCODE)) != FLAG_RESPONSE || load16(message + 4) != 1) {
    return DnsAnswer.NOT_OURS;
  }
  const asked = nameSkip(message, bytes, DNS_HEADER_BYTES);
  if (
    asked == 0 ||
    asked + 4 > bytes ||
    load16(message + asked) != TYPE_A ||
    load16(message + asked + 2) != CLASS_IN ||
    !nameEquals(message, DNS_HEADER_BYTES, name)
  ) {
    return DnsAnswer.NOT_OURS;
  }
  const rcode = flags & RCODE;
  if (rcode == RCODE_NO_NAME) return DnsAnswer.NO_NAME;
  if (rcode != 0 || (flags & FLAG_TRUNCATED) != 0) return DnsAnswer.FAILED;
  soughtAt = DNS_HEADER_BYTES;
  answerCount = 0;
  answerTtl = 0x7fffffff;
  const records = load16(message + 6);
  for (let aliases: u32 = 0; aliases <= ALIASES_MAX; aliases++) {
    const step = sought(message, bytes, asked + 4, records);
    if (step != Step.ALIAS) {
      if (step == Step.BAD) return DnsAnswer.FAILED;
      return answerCount != 0 ? DnsAnswer.ADDRESSES : DnsAnswer.NO_DATA;
    }
  }
  return DnsAnswer.FAILED;
}

const enum Step {
  DONE = 0,
  /** Another name is sought now. */
  ALIAS = 1,
  BAD = 2,
}

/** Reads the records from `at` on for those of the name sought: all its addresses, or the name that it is an alias of. */
function sought(message: usize, bytes: u32, at: u32, records: u32): Step {
  let alias: u32 = 0;
  for (let i: u32 = 0; i < records; i++) {
    const fixed = nameSkip(message, bytes, at);
    if (fixed == 0 || fixed + RECORD_BYTES > bytes) return Step.BAD;
    const record = message + fixed;
    const dataAt = fixed + RECORD_BYTES;
    const dataBytes = load16(record + 8);
    if (dataBytes > bytes - dataAt) return Step.BAD;
    if (load16(record + 2) == CLASS_IN && namesEqual(message, at, message, soughtAt)) {
      const type = load16(record);
      if (type == TYPE_A) {
        if (dataBytes != 4) return Step.BAD;
        address(load32(record + RECORD_BYTES), load32(record + 4));
      } else if (type == TYPE_CNAME) {
        if (nameSkip(message, bytes, dataAt) != dataAt + dataBytes) return Step.BAD;
        alias = dataAt;
        holdsFor(load32(record + 4));
      }
    }
    at = dataAt + dataBytes;
  }
  if (alias == 0 || answerCount != 0) return Step.DONE;
  soughtAt = alias;
  return Step.ALIAS;
}

function address(value: u32, ttl: u32): void {
  if (answerCount < ADDRESSES_MAX) {
    store<u32>(ANSWER_ADDRESSES + (answerCount << 2), value);
    answerCount += 1;
  }
  holdsFor(ttl);
}

/** RFC 2181 8: with the top bit set it counts as 0. */
function holdsFor(ttl: u32): void {
  answerTtl = min(answerTtl, ttl >>> 31 != 0 ? 0 : ttl);
}
