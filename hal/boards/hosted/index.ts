import { Text, text } from "../../text";

/** A hosted stack has no board: the host gives it time, seed and frames through the exports of its application. */
export const BOARD_NAME: Text = text("hosted");
