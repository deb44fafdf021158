/** Texts, asked for in each way that a program may (test/build/literals.test.ts): what an image for a device has of them. */
import { Text, log1, text, textAddress, textBytes } from "board";
import { textPart } from "../../../hal/text";
import { HTTP_WEBSOCKET } from "../../../stack/config";

const GLOBAL: Text = text("a global constant");
const PART: Text = textPart(text("only a part of this"), 5, 6);
const NAMES: usize = memory.data<u32>([text("a word of data"), text("another word of data")]);
let chosen: Text = text("the first value of a variable");

function said(t: Text = text("a default")): u32 {
  return textBytes(t) + load<u8>(textAddress(t));
}

function left(): Text {
  return text("nobody calls this");
}

export function main(): void {
  if (HTTP_WEBSOCKET) said(text("the option is off"));
  if (load<u8>(0) != 0) chosen = text("another value");
  log1("info: %u", said() + said(GLOBAL) + said(PART) + said(chosen) + said(load<u32>(NAMES)));
  log1("info: %u", load<u8>(textAddress(text("an address"))) + textBytes(text("as long as this")));
  if (HTTP_WEBSOCKET) log1("info: %u", left());
}
