/** Constant texts: `text("…")` names bytes in flash (UTF-8); address and length as `send()` wants them. */
export { Text, text, textAddress, textBytes } from "board";
