import { based } from "cpu";
import { DNS_ENTRIES } from "../config";
import { ADDRESSES_MAX } from "./message";
import { NAME_BYTES_MAX } from "./name";

/** The table of the DNS client: names that are asked for, or known with their addresses. */

export const enum EntryState {
  FREE = 0,
  ASKING = 1,
  /** Addresses, or that there are none, are known until `dueMs`. */
  KNOWN = 2,
}

@unmanaged
export class DnsEntry {
  state: u8;
  /** Addresses known. */
  count: u8;
  /** EAI_… to be told; 0 = none. */
  error: u8;
  /** Datagrams sent. */
  tries: u8;
  id: u16;
  port: u16;
  /** Server that was asked last. */
  server: u32;
  /** When to ask again, or to forget. */
  dueMs: u32;
  usedMs: u32;
  /** Where its name stands in NAMES, and its length. */
  nameAt: u16;
  nameBytes: u16;
}

/** A record is an entry and its addresses. */
export const ADDRESSES_AT: u32 = offsetof<DnsEntry>();
const ENTRY_BYTES: u32 = ADDRESSES_AT + 4 * ADDRESSES_MAX;
const ENTRIES: usize = memory.data(ENTRY_BYTES * DNS_ENTRIES, 4);
/**
 * The names of all entries in wire form, one behind the other: few are long, so there are 64 bytes for each, and room for the longest.
 */
const NAMES_BYTES: u32 = DNS_ENTRIES > 4 ? DNS_ENTRIES << 6 : NAME_BYTES_MAX + 1;
const NAMES: usize = memory.data(DNS_ENTRIES != 0 ? NAMES_BYTES : 0, 4);
let namesEnd: u32 = 0;

/** An entry by number. */
export function entryAt(index: u32): DnsEntry {
  return changetype<DnsEntry>(based(ENTRIES) + index * ENTRY_BYTES);
}

/** Its name, in wire form. */
export function nameOf(entry: DnsEntry): usize {
  return NAMES + <u32>entry.nameAt;
}

/** Forgets an entry; the names behind its own move up. */
export function entryForget(entry: DnsEntry): void {
  const at = <u32>entry.nameAt;
  const bytes = <u32>entry.nameBytes;
  entry.state = <u8>EntryState.FREE;
  namesEnd -= bytes;
  memory.copy(NAMES + at, NAMES + at + bytes, namesEnd - at);
  for (let i: u32 = 0; i < DNS_ENTRIES; i++) {
    const other = entryAt(i);
    if (<u32>other.nameAt > at) other.nameAt -= <u16>bytes;
  }
}

/**
 * A new entry, all zero, for the name of `nameBytes` at `name`; what was unused longest gives way for it, null = all are being asked.
 */
export function entryTake(name: usize, nameBytes: u32): DnsEntry | null {
  for (let forgotten: u32 = 0; forgotten <= DNS_ENTRIES; forgotten++) {
    let free: DnsEntry | null = null;
    let oldest: DnsEntry | null = null;
    for (let i: u32 = 0; i < DNS_ENTRIES; i++) {
      const entry = entryAt(i);
      if (entry.state == EntryState.FREE) free = entry;
      else if (
        entry.state == EntryState.KNOWN &&
        (oldest == null || <i32>(entry.usedMs - oldest.usedMs) < 0)
      ) {
        oldest = entry;
      }
    }
    if (free != null && namesEnd + nameBytes <= NAMES_BYTES) {
      memory.fill(changetype<usize>(free), 0, ENTRY_BYTES);
      free.nameAt = <u16>namesEnd;
      free.nameBytes = <u16>nameBytes;
      memory.copy(nameOf(free), name, nameBytes);
      namesEnd += nameBytes;
      return free;
    }
    if (oldest == null) return null;
    entryForget(oldest);
  }
  return null;
}
