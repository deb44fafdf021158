/** The entity tag of the files in a request (RFC 9110 8.8.3). */
import { text } from "board";
import { ASSETS_TAG_BYTES, assetsTag, sameBytes } from "../../net/assets";
import { isText } from "./message";

/**
 * True when an element of If-None-Match is our tag, the weak form of it, or `*` (RFC 9110 13.1.2:
 * weak comparison).
 */
export function entityTagIs(at: usize, bytes: u32): bool {
  if (isText(at, bytes, text("*"))) return true;
  const weak = bytes > 2 && isText(at, 2, text("w/"));
  const from = weak ? at + 2 : at;
  return (
    (weak ? bytes - 2 : bytes) == ASSETS_TAG_BYTES && sameBytes(from, assetsTag(), ASSETS_TAG_BYTES)
  );
}
