/** What a path names: a route of the application, or a file of the image. */
import { HTTP_KEEP_BYTES } from "../../../stack/config";
import { assetFind } from "../../net/assets";
import { Client } from "../client";
import { Resource, isRoute } from "./message";
import { Kept, keepBegin, keepBytes, keptClear, keptWhole } from "./kept";
import { routeFind, routeRest } from "./routes";

/**
 * Finds what the path in the client's buffer names. A path is compared as a whole, so there is nothing to climb out of.
 * False when what is to be kept of it finds no room.
 */
export function resourceFind(c: Client): bool {
  const bytes = <u32>c.bufferBytes;
  c.resource = routeFind(c.buffer, bytes);
  if (c.resource == <i16>Resource.NONE) c.resource = <i16>assetFind(c.buffer, bytes);
  if (HTTP_KEEP_BYTES == 0) return true;
  if (!isRoute(c)) {
    // A file has no use for a query, however long.
    keptClear(c);
    return true;
  }
  const rest = routeRest(c, bytes);
  if (rest == 0) return keptWhole(c);
  keepBegin(c, Kept.REST);
  return keepBytes(c, c.buffer + <usize>(bytes - rest), rest);
}
