/** Members of the status document: a name and a value. */
import { Text, text } from "board";
import {
  jsonBool,
  jsonClose,
  jsonKey,
  jsonNumber,
  jsonObject,
  jsonObjectEnd,
  jsonOpen,
  jsonText,
} from "../http/json-out";
import { putAddress, putMac } from "../writer";

/** A member that is a number. */
export function putCount(name: Text, value: u32): void {
  jsonKey(name);
  jsonNumber(value);
}

/** A member that is a text. */
export function putWords(name: Text, value: Text): void {
  jsonKey(name);
  jsonText(value);
}

/** A member that is an address, host order. */
export function putAddressField(name: Text, address: u32): void {
  jsonKey(name);
  jsonOpen();
  putAddress(address);
  jsonClose();
}

/** Member `link`: what `netLink` tells. */
export function putLink(link: u32): void {
  jsonKey(text("link"));
  jsonObject();
  jsonKey(text("up"));
  jsonBool((link & 1) != 0);
  putCount(text("mbit"), (link & 2) != 0 ? 100 : 10);
  putWords(text("duplex"), (link & 4) != 0 ? text("full") : text("half"));
  jsonObjectEnd();
}

/** Member `mac`: 6 bytes in wire order. */
export function putMacField(mac: usize): void {
  jsonKey(text("mac"));
  jsonOpen();
  putMac(mac);
  jsonClose();
}

/** Member `dhcp`: the lease in seconds as it was given, 2^32 - 1 = for ever; 0 and no server where there is none. */
export function putLease(server: u32, seconds: u32): void {
  jsonKey(text("dhcp"));
  jsonObject();
  putAddressField(text("server"), server);
  putCount(text("lease"), seconds);
  jsonObjectEnd();
}
