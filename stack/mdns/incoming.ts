import { MDNS } from "../config";
import { DNS_HEADER_BYTES, nameEquals, nameSkip } from "../dns/name";
import { MESSAGE_SCRATCH, MESSAGE_SCRATCH_BYTES } from "../scratch";
import {
  CLASS_IN,
  CLASS_TOP,
  Name,
  Rr,
  TYPE_A,
  TYPE_ANY,
  TYPE_PTR,
  TYPE_SRV,
  TYPE_TXT,
  knownTtl,
  nameBuilt,
  putData,
  recordsOwned,
} from "./records";

/** Reads messages of others: what they ask of us, what they know already, what they claim. Every length is checked. */

/** Longest message that is looked at. */
export const IN_BYTES: u32 = MESSAGE_SCRATCH_BYTES;
/** The message. */
export const IN: usize = MESSAGE_SCRATCH;
/** Our data of a record, to compare with. */
const OURS: usize = memory.data(MDNS ? 128 : 4, 4);

export function load16(at: usize): u32 {
  return ((<u32>load<u8>(at)) << 8) | (<u32>load<u8>(at, 1));
}

export function load32(at: usize): u32 {
  return (load16(at) << 16) | load16(at + 2);
}

/** Offset behind the questions; 0 = they are bad. `wanted` has what they ask for, `forOne` that it is to go to the asker alone. */
export let wanted: u32 = 0;
export let forOne: bool = false;

export function questions(bytes: u32): u32 {
  wanted = 0;
  forOne = true;
  let at = DNS_HEADER_BYTES;
  const asked = load16(IN + 4);
  for (let i: u32 = 0; i < asked; i++) {
    const end = nameSkip(IN, bytes, at);
    if (end == 0 || end + 4 > bytes) return 0;
    const type = load16(IN + end);
    const classes = load16(IN + end + 2);
    if ((classes & ~CLASS_TOP) == CLASS_IN) {
      const records = answersTo(bytes, at, type);
      wanted |= records;
      if (records != 0 && (classes & CLASS_TOP) == 0) forOne = false;
    }
    at = end + 4;
  }
  return at;
}

/** Our records that answer a question. */
function answersTo(bytes: u32, at: u32, type: u32): u32 {
  const any = type == TYPE_ANY;
  if (nameEquals(IN, bytes, at, nameBuilt(Name.HOST))) {
    return any || type == TYPE_A ? Rr.A : Rr.NSEC;
  }
  if ((recordsOwned() & Rr.PTR) == 0) return 0;
  if (nameEquals(IN, bytes, at, nameBuilt(Name.INSTANCE))) {
    const service = any || type == TYPE_SRV ? Rr.SRV : 0;
    return service | (any || type == TYPE_TXT ? Rr.TXT : 0);
  }
  if (!any && type != TYPE_PTR) return 0;
  if (nameEquals(IN, bytes, at, nameBuilt(Name.SERVICE))) return Rr.PTR;
  return nameEquals(IN, bytes, at, nameBuilt(Name.TYPES)) ? Rr.TYPES : 0;
}

/** The record that is read: where its type stands, and how long its data is. `recordRead` gives the offset behind it, 0 = bad. */
export let recordAt: u32 = 0;
let dataBytes: u32 = 0;

export function recordRead(bytes: u32, at: u32): u32 {
  recordAt = nameSkip(IN, bytes, at);
  if (recordAt == 0 || recordAt + 10 > bytes) return 0;
  dataBytes = load16(IN + recordAt + 8);
  return dataBytes <= bytes - recordAt - 10 ? recordAt + 10 + dataBytes : 0;
}

/** True when the record that has been read, named at `at`, is of this kind. */
export function isRecord(bytes: u32, at: u32, type: u32, name: Name): bool {
  if (load16(IN + recordAt) != type) return false;
  if ((load16(IN + recordAt + 2) & ~CLASS_TOP) != CLASS_IN) return false;
  return nameEquals(IN, bytes, at, nameBuilt(name));
}

/** The data of the record that has been read against ours: 0 = the same, below 0 = ours comes first (RFC 6762 8.2). */
export function compareData(record: Rr): i32 {
  const ours = <u32>(putData(OURS, record) - OURS);
  const order = memory.compare(OURS, IN + recordAt + 10, min(ours, dataBytes));
  return order != 0 ? order : <i32>ours - <i32>dataBytes;
}

/** The record that has been read is known to the asker (RFC 6762 7.1): it need not be told. */
export function suppress(bytes: u32, at: u32): void {
  const ttl = load32(IN + recordAt + 4);
  if (isRecord(bytes, at, TYPE_A, Name.HOST)) {
    if (ttl >= knownTtl(Rr.A) && compareData(Rr.A) == 0) wanted &= ~Rr.A;
  } else if ((wanted & (Rr.PTR | Rr.TYPES)) != 0 && ttl >= knownTtl(Rr.PTR)) {
    const data = recordAt + 10;
    if (nameSkip(IN, bytes, data) != data + dataBytes) return;
    if (isRecord(bytes, at, TYPE_PTR, Name.SERVICE)) {
      if (nameEquals(IN, bytes, data, nameBuilt(Name.INSTANCE))) wanted &= ~Rr.PTR;
    } else if (isRecord(bytes, at, TYPE_PTR, Name.TYPES)) {
      if (nameEquals(IN, bytes, data, nameBuilt(Name.SERVICE))) wanted &= ~Rr.TYPES;
    }
  }
}
