import { Text, text } from "../../virtual/board";

/** Name of the board, for the boot log. */
export const BOARD_NAME: Text = text("virtual-w5500");
export * from "../../virtual/board";
