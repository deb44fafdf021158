import { chipInterrupt as firstInterrupt, chipInterrupt2 } from "../../virtual/hw";
import { Text, text } from "../../virtual/board";

/** Name of the board, for the boot log. */
export const BOARD_NAME: Text = text("virtual-two");
export * from "../../virtual/board";

/** True while either chip holds its INTn low: the loop must not sleep then. */
export function chipInterrupt(): bool {
  return firstInterrupt() || chipInterrupt2();
}
