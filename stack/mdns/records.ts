import { INTERFACES, MDNS } from "../config";
import { lower } from "../dns/name";
import { LeasedInterface, interfaceAt, interfaceNumber } from "../interface";

/**
 * What we say of ourselves on the link (RFC 6762, RFC 6763), and how it stands in a message. Names are written out, without
 * pointers: a message holds all records with room to spare.
 *
 *     host      label.local              A, NSEC
 *     types     _services._dns-sd._udp.local   PTR to the service
 *     service   _http._tcp.local         PTR to the instance
 *     instance  label._http._tcp.local   SRV, TXT
 */
export const TYPE_A: u32 = 1;
export const TYPE_PTR: u32 = 12;
export const TYPE_TXT: u32 = 16;
export const TYPE_SRV: u32 = 33;
export const TYPE_NSEC: u32 = 47;
export const TYPE_ANY: u32 = 255;
export const CLASS_IN: u32 = 1;
/** The record replaces all that were known under its name and type; in a question: answer to me alone. */
export const CLASS_TOP: u32 = 0x8000;

/** TTL of records with a host name in them, and of the others (RFC 6762 10). */
const TTL_HOST: u32 = 120;
const TTL_OTHER: u32 = 4500;
/** RFC 6762 6.7. */
const TTL_LEGACY: u32 = 10;

export const enum Name {
  HOST = 0,
  SERVICE = 1,
  INSTANCE = 2,
  TYPES = 3,
}

/** Bits of a set of records. */
export const enum Rr {
  A = 1,
  NSEC = 2,
  PTR = 4,
  SRV = 8,
  TXT = 16,
  TYPES = 32,
}
export const RECORDS: u32 = 6;

/** Longest label of a host without its number: what the settings block holds, so that a message holds all records. */
const LABEL_BYTES_MAX: u32 = 32;
const TYPE_BYTES_MAX: u32 = 32;
const BUILT_BYTES: u32 = 64 + TYPE_BYTES_MAX + 8;
const LABEL_BYTES: u32 = 64;
/** Our label behind its length, for each interface. */
const LABELS: usize = memory.data(MDNS ? INTERFACES * LABEL_BYTES : 0, 4);
/** Labels of the service, without an end; length 0 = there is none. */
const SERVICE: usize = memory.data(MDNS ? TYPE_BYTES_MAX : 0, 4);
let serviceBytes: u32 = 0;
let servicePort: u32 = 0;
/** The name built last. */
const BUILT: usize = memory.data(MDNS ? BUILT_BYTES : 0, 4);

/** Number of the interface that is spoken on. */
let speaker: u32 = 0;

/** From now on names, labels and addresses are those of this interface, and messages go by it. */
export function speakOn(nif: LeasedInterface): void {
  if (INTERFACES > 1) speaker = interfaceNumber(nif);
}

/** The interface that is spoken on. */
export function speaking(): LeasedInterface {
  return interfaceAt(INTERFACES == 1 ? 0 : speaker);
}

function ourLabel(): usize {
  return INTERFACES == 1 ? LABELS : LABELS + speaker * LABEL_BYTES;
}

/** Sets the service: its labels in wire form without an end; false = too long. */
export function serviceSet(labels: usize, bytes: u32, port: u32): bool {
  if (bytes > TYPE_BYTES_MAX) return false;
  memory.copy(SERVICE, labels, bytes);
  serviceBytes = bytes;
  servicePort = port;
  return true;
}

/** All records that we have. */
export function recordsOwned(): u32 {
  return serviceBytes != 0 ? Rr.A | Rr.PTR | Rr.SRV | Rr.TXT | Rr.TYPES : Rr.A;
}

/** Makes the label of the host name, dots in it as hyphens, with a number behind it from the second on; false = no name. */
export function labelMake(number: u32): bool {
  const bytes = min(speaking().hostNameBytes, LABEL_BYTES_MAX);
  if (bytes == 0) return false;
  const label = ourLabel();
  for (let i: u32 = 0; i < bytes; i++) {
    const character = load<u8>(speaking().hostName + i);
    store<u8>(label + 1 + i, character == 0x2e ? 0x2d : character);
  }
  let length = bytes;
  if (number > 1) {
    store<u8>(label + 1 + length, 0x2d);
    length += 1;
    let divisor: u32 = 1;
    while (number / divisor >= 10) divisor *= 10;
    for (; divisor != 0; divisor /= 10) {
      store<u8>(label + 1 + length, <u8>(0x30 + ((number / divisor) % 10)));
      length += 1;
    }
  }
  store<u8>(label, <u8>length);
  return true;
}

function put(at: usize, from: usize, bytes: u32): usize {
  memory.copy(at, from, bytes);
  return at + bytes;
}

/** True when the text, of so many bytes, is our host name in this link's domain, capitals or not, with a dot behind it or none. */
export function isHostName(text: usize, bytes: u32): bool {
  const named = ourLabel();
  const label = <u32>load<u8>(named);
  if (bytes == label + 7 && load<u8>(text + <usize>(bytes - 1)) == 0x2e) bytes -= 1;
  if (bytes != label + 6) return false;
  const local = memory.data<u8>([0x2e, 0x6c, 0x6f, 0x63, 0x61, 0x6c]);
  for (let i: u32 = 0; i < bytes; i++) {
    const ours = <u32>load<u8>(i < label ? named + 1 + i : local + <usize>(i - label));
    if (lower(ours) != lower(<u32>load<u8>(text + <usize>i))) return false;
  }
  return true;
}

/** Writes a name; where the next byte goes. */
function putName(at: usize, name: Name): usize {
  if (name == Name.TYPES) {
    const types = memory.data<u8>([
      9, 0x5f, 0x73, 0x65, 0x72, 0x76, 0x69, 0x63, 0x65, 0x73, 7, 0x5f, 0x64, 0x6e, 0x73, 0x2d,
      0x73, 0x64, 4, 0x5f, 0x75, 0x64, 0x70,
    ]);
    at = put(at, types, 23);
  } else {
    if (name != Name.SERVICE) at = put(at, ourLabel(), <u32>load<u8>(ourLabel()) + 1);
    if (name != Name.HOST) at = put(at, SERVICE, serviceBytes);
  }
  const local = memory.data<u8>([5, 0x6c, 0x6f, 0x63, 0x61, 0x6c, 0]);
  return put(at, local, 7);
}

/** A name in wire form, good until the next is built. */
export function nameBuilt(name: Name): usize {
  putName(BUILT, name);
  return BUILT;
}

/** Bytes at odd places too. */
export function put16(at: usize, value: u32): usize {
  store<u8>(at, <u8>(value >>> 8));
  store<u8>(at, <u8>value, 1);
  return at + 2;
}

export function put32(at: usize, value: u32): usize {
  return put16(put16(at, value >>> 16), value & 0xffff);
}

/** Writes the question for all records of a name; where the next byte goes. */
export function putQuestion(at: usize, name: Name): usize {
  at = putName(at, name);
  return put16(put16(at, TYPE_ANY), CLASS_IN | CLASS_TOP);
}

function owner(record: Rr): Name {
  if (record == Rr.A || record == Rr.NSEC) return Name.HOST;
  if (record == Rr.PTR) return Name.SERVICE;
  return record == Rr.TYPES ? Name.TYPES : Name.INSTANCE;
}

function typeOf(record: Rr): u32 {
  if (record == Rr.A) return TYPE_A;
  if (record == Rr.NSEC) return TYPE_NSEC;
  if (record == Rr.SRV) return TYPE_SRV;
  return record == Rr.TXT ? TYPE_TXT : TYPE_PTR;
}

/** Writes the data of a record; where the next byte goes. */
export function putData(at: usize, record: Rr): usize {
  switch (record) {
    case Rr.A:
      return put32(at, speaking().address);
    case Rr.NSEC:
      // RFC 6762 6.1: the name itself, and that A (bit 1 of the first window) is all that there is.
      at = putName(at, Name.HOST);
      store<u8>(at, 0);
      return put16(at + 1, 0x0140);
    case Rr.SRV:
      // Priority and weight 0.
      at = put16(put32(at, 0), servicePort);
      return putName(at, Name.HOST);
    case Rr.TXT:
      // RFC 6763 6.1: one empty string.
      store<u8>(at, 0);
      return at + 1;
    case Rr.TYPES:
      return putName(at, Name.SERVICE);
    default:
      return putName(at, Name.INSTANCE);
  }
}

let leaving: bool = false;

/** Records are written with TTL 0 from now on, or not: whoever knows them forgets them (RFC 6762 10.1). */
export function recordsLeaving(on: bool): void {
  leaving = on;
}

/** Writes a record; `probing` leaves the top bit of its class out, `legacy` also shortens its TTL. Where the next byte goes. */
export function putRecord(at: usize, record: Rr, probing: bool, legacy: bool): usize {
  const shared = record == Rr.PTR || record == Rr.TYPES;
  const top = shared || probing || legacy ? 0 : CLASS_TOP;
  const host = record == Rr.A || record == Rr.NSEC || record == Rr.SRV;
  at = putName(at, owner(record));
  at = put16(put16(at, typeOf(record)), CLASS_IN | top);
  at = put32(at, leaving ? 0 : legacy ? TTL_LEGACY : host ? TTL_HOST : TTL_OTHER);
  const end = putData(at + 2, record);
  put16(at, <u32>(end - at) - 2);
  return end;
}

/** Least TTL with which a known answer need not be told again (RFC 6762 7.1). */
export function knownTtl(record: Rr): u32 {
  return record == Rr.A || record == Rr.SRV ? TTL_HOST >>> 1 : TTL_OTHER >>> 1;
}
