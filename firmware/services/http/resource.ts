/** What a path names: a file of the image, or a document that is made when it is asked for. */
import { text } from "board";
import { assetFind } from "../../net/assets";
import { Resource, isText } from "./message";

/**
 * Number of the asset, or a value of `Resource`. A path is compared as a whole, so there is nothing
 * to climb out of.
 */
export function resourceFind(path: usize, bytes: u32): i16 {
  if (isText(path, bytes, text("/api/status"))) return <i16>Resource.STATUS;
  return <i16>assetFind(path, bytes);
}
