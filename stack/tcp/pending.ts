import { RecordNumber } from "options";
import { NO_RECORD, TCP_SYN_RECORDS, TCP_TCBS } from "../config";
import { connectionAt } from "./connection";

/**
 * Connections that have something to send, first come first served. Input only enters them here; `turn.ts` lets them send once
 * all received frames of a turn are done.
 */
const END: u32 = NO_RECORD;
let head: u32 = END;
let tail: u32 = END;

/** Enters a TCB or SYN record by its connection number; harmless when it is in already. */
export function pendingAdd(id: u32): void {
  const connection = connectionAt(id);
  if (connection.nextPending != 0) return;
  connection.nextPending = <RecordNumber>END;
  if (head == END) head = id;
  else connectionAt(tail).nextPending = <RecordNumber>(id + 1);
  tail = id;
}

/** Takes a record out, because it is about to be freed. */
export function pendingRemove(id: u32): void {
  const gone = connectionAt(id);
  if (gone.nextPending == 0) return;
  let before: u32 = END;
  let at = head;
  for (let steps: u32 = 0; at != id && steps < TCP_TCBS + TCP_SYN_RECORDS; steps++) {
    before = at;
    at = <u32>connectionAt(at).nextPending - 1;
  }
  const next = <u32>gone.nextPending;
  gone.nextPending = 0;
  if (before == END) head = next == END ? END : next - 1;
  else connectionAt(before).nextPending = <RecordNumber>next;
  if (tail == id) tail = before;
}

/** True when a connection waits for its turn to send. */
export function pendingAny(): bool {
  return head != END;
}

/** The connection whose turn it is, taken out of the list; there is one. */
export function pendingTake(): u32 {
  const id = head;
  const connection = connectionAt(id);
  const next = <u32>connection.nextPending;
  connection.nextPending = 0;
  head = next == END ? END : next - 1;
  if (head == END) tail = END;
  return id;
}
