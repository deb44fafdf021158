import { Text, text } from "../../virtual/board";

/** Name of the board, for the boot log. */
export const BOARD_NAME: Text = text("virtual-enc28j60");
export * from "../../virtual/board";
