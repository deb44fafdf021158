/**
 * JSON (RFC 8259), written while it is sent: each call adds one thing to the piece, with the comma before it where one is due.
 * What came last tells that, so no nesting is remembered and a document may be as long as it likes. The caller closes what it
 * opens.
 */
import { Text, text, textAddress, textBytes } from "board";
import { lastCharacter, putCharacter, putHex, putNumber, putText } from "../writer";

/** The comma before the next thing, where one is due. */
function comma(): void {
  switch (lastCharacter()) {
    case 0:
    case 0x0a: // the end of a head, or of a line
    case 0x20: // "data: " of an event
    case 0x3a: // : [ {
    case 0x5b:
    case 0x7b:
      return;
    default:
      putCharacter(0x2c);
  }
}

export function jsonObject(): void {
  comma();
  putCharacter(0x7b);
}

export function jsonObjectEnd(): void {
  putCharacter(0x7d);
}

export function jsonArray(): void {
  comma();
  putCharacter(0x5b);
}

export function jsonArrayEnd(): void {
  putCharacter(0x5d);
}

/** The name of a member; its value comes next. */
export function jsonKey(name: Text): void {
  jsonText(name);
  putCharacter(0x3a);
}

/** The same, from bytes in memory. */
export function jsonKeyBytes(name: usize, bytes: u32): void {
  jsonBytes(name, bytes);
  putCharacter(0x3a);
}

export function jsonText(value: Text): void {
  jsonBytes(textAddress(value), textBytes(value));
}

/** A string of UTF-8; what JSON does not allow in one is escaped. A byte takes up to six. */
export function jsonBytes(from: usize, bytes: u32): void {
  jsonOpen();
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = <u32>load<u8>(from + <usize>i);
    if (byte < 0x20) {
      putText(text("\\u"));
      putHex(byte, 4);
      continue;
    }
    if (byte == 0x22 || byte == 0x5c) putCharacter(0x5c);
    putCharacter(byte);
  }
  jsonClose();
}

/** Opens and closes a string whose characters the caller writes: an address, a name. */
export function jsonOpen(): void {
  comma();
  putCharacter(0x22);
}

export function jsonClose(): void {
  putCharacter(0x22);
}

export function jsonNumber(value: u32): void {
  comma();
  putNumber(value);
}

export function jsonInteger(value: i32): void {
  comma();
  if (value < 0) putCharacter(0x2d);
  putNumber(<u32>(value < 0 ? -value : value));
}

export function jsonBool(value: bool): void {
  comma();
  putText(value ? text("true") : text("false"));
}

export function jsonNull(): void {
  comma();
  putText(text("null"));
}
