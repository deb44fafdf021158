/**
 * A handler that answers with the status of the device: JSON that is made while it is sent, a few fields at a time, so that it
 * may be as long as the tables are. Each field is true at the moment it is made.
 */
import { text } from "board";
import {
  eventBegin,
  eventEnd,
  httpAnswer,
  httpEvents,
  httpMore,
  httpRoom,
  httpWait,
} from "../http/answer";
import { httpState, httpStep, setHttpState } from "../http/call";
import { FIELD_BYTES, fieldsDone, putField } from "./fields";

/** Writes the next piece of the answer. */
export function statusAnswer(): void {
  if (httpStep() == 0) httpAnswer(200, text("application/json"));
  if (statusFields()) httpMore();
}

/** A handler that sends the status as an event every `periodMs` milliseconds (server-sent events). */
export function statusEvents(periodMs: u32): void {
  if (httpStep() == 0 && !httpEvents()) return;
  if (httpState() == 0) eventBegin();
  if (statusFields()) return httpMore();
  eventEnd();
  httpWait(periodMs);
}

/** Writes fields while there is room for them; true when there are more. */
function statusFields(): bool {
  while (!fieldsDone()) {
    if (httpRoom() < FIELD_BYTES) return true;
    putField();
  }
  setHttpState(0);
  return false;
}
