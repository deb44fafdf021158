/**
 * Lists of words in one text, each ended by a line feed. Where a text of its own for each would do, the list saves a constant, a comparison and
 * a branch a word: half of the flash that they take.
 */
import { Text, textAddress, textBytes, textPart } from "../../hal/text";

const LF: u32 = 0x0a;

/** The line that begins `begin` bytes behind the first of a list, without its end. */
export function lineAt(list: Text, begin: u32): Text {
  const at = textAddress(list);
  let end = begin;
  while (end < textBytes(list) && load<u8>(at + <usize>end) != LF) end++;
  return textPart(list, begin, end - begin);
}

/** Line number `index` of a list, without its end; behind the last one an empty text. */
export function lineOf(list: Text, index: u32): Text {
  let begin: u32 = 0;
  for (; index != 0 && begin < textBytes(list); index--)
    begin += textBytes(lineAt(list, begin)) + 1;
  return lineAt(list, begin);
}
