import { checksumOf } from "cpu";
import { MDNS } from "../config";
import { DNS_HEADER_BYTES, nameEquals, nameOrder, nameSkip } from "../dns/name";
import { linkRead } from "../link/device";
import { MESSAGE_SCRATCH, MESSAGE_SCRATCH_BYTES, SCRATCH, SCRATCH_BYTES } from "../scratch";
import { Counter, count } from "../statistics";
import { datagram } from "../udp/input";
import { sumAdd, sumIntact } from "../wire/checksum";
import {
  CLASS_IN,
  CLASS_TOP,
  Name,
  Rr,
  TYPE_A,
  TYPE_ANY,
  TYPE_NSEC,
  TYPE_PTR,
  TYPE_SRV,
  TYPE_TXT,
  knownTtl,
  nameBuilt,
  putData,
  recordsOwned,
} from "./records";

/** Reads messages of others: what they ask of us, what they know already, what they claim. Every length is checked. */

/** As much of a message is looked at. */
export const IN_BYTES: u32 = MESSAGE_SCRATCH_BYTES;
/** The message. */
export const IN: usize = MESSAGE_SCRATCH;
/** Our data of a record, to compare with. */
const OURS: usize = memory.data(MDNS ? 128 : 0, 4);

/** Bytes of the message behind those: it may be as long as a packet (RFC 6762 17), and what is asked stands at its beginning. */
export let beyond: u32 = 0;

/** Takes the open datagram as the message: the bytes of it that are looked at, 0 = it is none. */
export function messageTake(): u32 {
  const bytes = min(datagram.bytes, IN_BYTES);
  if (bytes < DNS_HEADER_BYTES) return 0;
  linkRead(IN, bytes);
  beyond = datagram.bytes - bytes;
  let sum = datagram.sum + checksumOf(IN, bytes);
  for (let left = beyond; left != 0;) {
    const part = min(left, SCRATCH_BYTES);
    linkRead(SCRATCH, part);
    sum = sumAdd(sum, SCRATCH, part, 0);
    left -= part;
  }
  if (!datagram.checked || sumIntact(sum)) return bytes;
  count(Counter.UDP_BAD_CHECKSUM);
  return 0;
}

export function load16(at: usize): u32 {
  return ((<u32>load<u8>(at)) << 8) | (<u32>load<u8>(at, 1));
}

export function load32(at: usize): u32 {
  return (load16(at) << 16) | load16(at + 2);
}

/** What the questions ask for, and that it is to go to the asker alone. */
export let wanted: u32 = 0;
export let forOne: bool = false;

/** Reads the questions, of which `most` are answered: the offset behind them, 0 = they are bad. */
export function questions(bytes: u32, most: u32): u32 {
  wanted = 0;
  forOne = true;
  let at = DNS_HEADER_BYTES;
  const asked = load16(IN + 4);
  for (let i: u32 = 0; i < asked; i++) {
    const end = nameSkip(IN, bytes, at);
    if (end == 0 || end + 4 > bytes) return 0;
    const type = load16(IN + end);
    const classes = load16(IN + end + 2);
    if ((classes & ~CLASS_TOP) == CLASS_IN && i < most) {
      const records = answersTo(at, type);
      wanted |= records;
      if (records != 0 && (classes & CLASS_TOP) == 0) forOne = false;
    }
    at = end + 4;
  }
  return at;
}

/** The records of `others` are looked for in the known answers that follow: they were asked for by an earlier message. */
export function wantedBefore(others: u32): void {
  wanted = others;
}

/** Our records that answer a question. */
function answersTo(at: u32, type: u32): u32 {
  const any = type == TYPE_ANY;
  if (nameEquals(IN, at, nameBuilt(Name.HOST))) {
    return any || type == TYPE_A ? Rr.A : Rr.NSEC;
  }
  if ((recordsOwned() & Rr.PTR) == 0) return 0;
  if (nameEquals(IN, at, nameBuilt(Name.INSTANCE))) {
    const service = any || type == TYPE_SRV ? Rr.SRV : 0;
    return service | (any || type == TYPE_TXT ? Rr.TXT : 0);
  }
  if (!any && type != TYPE_PTR) return 0;
  if (nameEquals(IN, at, nameBuilt(Name.SERVICE))) return Rr.PTR;
  return nameEquals(IN, at, nameBuilt(Name.TYPES)) ? Rr.TYPES : 0;
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

/** Ours of the record that has been read, named at `at`: of its name and type, which is a unique one. 0 = we have none. */
function uniqueOf(at: u32): u32 {
  const type = load16(IN + recordAt);
  if (type == TYPE_A) return isOf(at, Name.HOST) ? Rr.A : 0;
  const record: u32 = type == TYPE_SRV ? Rr.SRV : type == TYPE_TXT ? Rr.TXT : 0;
  return (recordsOwned() & record) != 0 && isOf(at, Name.INSTANCE) ? record : 0;
}

/** True when the record that has been read, named at `at`, has this name. */
function isOf(at: u32, name: Name): bool {
  if ((load16(IN + recordAt + 2) & ~CLASS_TOP) != CLASS_IN) return false;
  return nameEquals(IN, at, nameBuilt(name));
}

/** Our data of a record against that of the one that has been read: 0 = the same, below 0 = ours comes first (RFC 6762 8.2). */
function compareData(bytes: u32, record: Rr): i32 {
  const data = recordAt + 10;
  const ours = <u32>(putData(OURS, record) - OURS);
  // Behind priority, weight and port stands a name, which may have pointers.
  if (record == Rr.SRV && dataBytes > 6 && nameSkip(IN, bytes, data + 6) == data + dataBytes) {
    const numbers = memory.compare(OURS, IN + data, 6);
    return numbers != 0 ? numbers : nameOrder(IN, data + 6, OURS + 6);
  }
  const order = memory.compare(OURS, IN + data, min(ours, dataBytes));
  return order != 0 ? order : <i32>ours - <i32>dataBytes;
}

/** True when the data of the record that has been read says what ours does. A target's letters may be small or capital ones. */
function isSame(bytes: u32, record: Rr): bool {
  const data = recordAt + 10;
  if (record != Rr.SRV || dataBytes < 7) return compareData(bytes, record) == 0;
  putData(OURS, record);
  if (nameSkip(IN, bytes, data + 6) != data + dataBytes) return false;
  return memory.compare(OURS, IN + data, 6) == 0 && nameEquals(IN, data + 6, OURS + 6);
}

/**
 * True when the record that has been read, named at `at`, is another one's claim to a name of ours: other data than ours, and while we
 * ask for the name (`probing`) any type that we do not have (RFC 6762 8.1, 9). A goodbye claims nothing.
 */
export function isClaim(bytes: u32, at: u32, probing: bool): bool {
  if (load32(IN + recordAt + 4) == 0) return false;
  const ours = uniqueOf(at);
  if (ours != 0) return !isSame(bytes, ours);
  if (!probing || load16(IN + recordAt) == TYPE_NSEC) return false;
  if (isOf(at, Name.HOST)) return true;
  return (recordsOwned() & Rr.SRV) != 0 && isOf(at, Name.INSTANCE);
}

/** Names, as bits, of which a record that another one asks for comes before ours, and behind it. */
let before: u32 = 0;
let behind: u32 = 0;

export function weighBegin(): void {
  before = 0;
  behind = 0;
}

/**
 * Weighs the record that has been read, named at `at`, which another one wants to say of a name that we both ask for, against ours, of
 * which there is one for each name (RFC 6762 8.2): by type, then by data.
 */
export function weigh(bytes: u32, at: u32): void {
  const host = isOf(at, Name.HOST);
  if (!host && ((recordsOwned() & Rr.SRV) == 0 || !isOf(at, Name.INSTANCE))) return;
  const record = host ? Rr.A : Rr.SRV;
  let order = <i32>(host ? TYPE_A : TYPE_SRV) - <i32>load16(IN + recordAt);
  if (order == 0) order = compareData(bytes, record);
  if (order > 0) before |= record;
  if (order < 0) behind |= record;
}

/** True when one of the names is the other one's: its lowest record comes behind ours. */
export function weighLost(): bool {
  return (behind & ~before) != 0;
}

/** Ours that the record that has been read, named at `at`, is a copy of; 0 = of none. */
function copyOf(bytes: u32, at: u32): u32 {
  const unique = uniqueOf(at);
  if (unique != 0) return isSame(bytes, unique) ? unique : 0;
  if (load16(IN + recordAt) != TYPE_PTR || (recordsOwned() & Rr.PTR) == 0) return 0;
  const data = recordAt + 10;
  if (nameSkip(IN, bytes, data) != data + dataBytes) return 0;
  if (isOf(at, Name.SERVICE)) {
    return nameEquals(IN, data, nameBuilt(Name.INSTANCE)) ? Rr.PTR : 0;
  }
  if (!isOf(at, Name.TYPES)) return 0;
  return nameEquals(IN, data, nameBuilt(Name.SERVICE)) ? Rr.TYPES : 0;
}

/** The record that has been read is known to the asker (RFC 6762 7.1): it need not be told. */
export function suppress(bytes: u32, at: u32): void {
  const copy = copyOf(bytes, at);
  if (copy != 0 && load32(IN + recordAt + 4) >= knownTtl(copy)) wanted &= ~copy;
}

/** Ours that the record that has been read gives less than half its time, or takes back (RFC 6762 6.6); 0 = none. */
export function fadedOf(bytes: u32, at: u32): u32 {
  const copy = copyOf(bytes, at);
  return copy != 0 && load32(IN + recordAt + 4) < knownTtl(copy) ? copy : 0;
}
