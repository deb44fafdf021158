import { RecordNumber } from "options";
import { NO_RECORD, TCP_SYN_RECORDS, TCP_TCBS } from "../config";
import { ANSWERS, Connection, Tcb, connectionAt, synRecordAt } from "./connection";

/**
 * Connections that have something to send, first come first served, and the answers that `cookie.ts` owes. Input only enters them here; `turn.ts` lets them send once
 * all received frames of a turn are done.
 */
const END: u32 = NO_RECORD;
/** Number plus one, as the links have it. */
let head: u32 = END;
let tail: u32 = END;

/** Enters a SYN record by its connection number; harmless when it is in already. */
export function pendingAddRecord(id: u32): void {
  enter(synRecordAt(id), id);
}

/** Enters a TCB; harmless when it is in already. */
export function pendingAdd(tcb: Tcb): void {
  enter(tcb, <u32>tcb.id);
}

function enter(connection: Connection, id: u32): void {
  if (connection.nextPending != 0) return;
  connection.nextPending = <RecordNumber>END;
  if (head == END) head = id + 1;
  else connectionAt(tail).nextPending = <RecordNumber>(id + 1);
  tail = id;
}

/** Enters the answers that are owed, before all others: they are short, and have slots of their own in a chip that is long being written to. */
export function pendingAddAnswers(): void {
  const answers = connectionAt(ANSWERS);
  if (answers.nextPending != 0) return;
  answers.nextPending = <RecordNumber>head;
  if (head == END) tail = ANSWERS;
  head = ANSWERS + 1;
}

/** Takes a record with its number out, because it is about to be freed. */
export function pendingRemove(gone: Connection, id: u32): void {
  if (gone.nextPending != 0) takeOut(gone, id);
}

function takeOut(gone: Connection, id: u32): void {
  let before: u32 = END;
  let at = head - 1;
  for (let steps: u32 = 0; at != id && steps <= TCP_TCBS + TCP_SYN_RECORDS; steps++) {
    before = at;
    at = <u32>connectionAt(at).nextPending - 1;
  }
  const next = <u32>gone.nextPending;
  gone.nextPending = 0;
  if (before == END) head = next;
  else connectionAt(before).nextPending = <RecordNumber>next;
  if (tail == id) tail = before;
}

/** True when a connection waits for its turn to send. */
export function pendingAny(): bool {
  return head != END;
}

/** Number of the connection whose turn it is; there is one. */
export function pendingFirst(): u32 {
  return head - 1;
}

/** Takes the first one, which is `connection`, out of the list. */
export function pendingTake(connection: Connection): void {
  head = <u32>connection.nextPending;
  connection.nextPending = 0;
}
