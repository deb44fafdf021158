/**
 * A handler that answers with the status of the device: JSON that is made while it is sent, a few fields at a time, so that it
 * may be as long as the tables are. Each field is true at the moment it is made.
 */
import { text } from "board";
import { httpAnswer, httpMore, httpRoom } from "../http/answer";
import { httpStep, setHttpState } from "../http/call";
import { FIELD_BYTES, fieldsDone, putField } from "./fields";

/** Writes the next piece of the answer. */
export function statusAnswer(): void {
  if (httpStep() == 0) httpAnswer(200, text("application/json"));
  if (statusFields()) httpMore();
}

/** Writes fields while there is room for them; true when there are more. */
export function statusFields(): bool {
  while (!fieldsDone()) {
    if (httpRoom() < FIELD_BYTES) return true;
    putField();
  }
  setHttpState(0);
  return false;
}
