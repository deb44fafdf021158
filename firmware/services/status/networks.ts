/** The interfaces in the status document, where there is more than one: `"interfaces": [ … ]`, made a few members at a time. */
import { text } from "board";
import {
  NETWORKS,
  NicCounter,
  networkAddress,
  networkCounter,
  networkDns,
  networkGateway,
  networkLeaseSeconds,
  networkLeaseServer,
  networkLink,
  networkMac,
  networkMask,
} from "../../net/netstat";
import {
  jsonArray,
  jsonArrayEnd,
  jsonClose,
  jsonKey,
  jsonNumber,
  jsonObject,
  jsonObjectEnd,
  jsonOpen,
} from "../http/json-out";
import { putNumber, putText } from "../writer";
import { putNicCounterName } from "./counter-names";
import { putAddressField, putLease, putLink, putMacField } from "./values";

/** Parts of an interface: those of `putPart`, then each counter of its chip. */
const PARTS: u32 = 5;
const ALL_PARTS: u32 = PARTS + NicCounter.COUNT;

/** The row behind this one of the table; 0 = there is none. */
export function networkNext(row: u32): u32 {
  return row + 1 < NETWORKS * ALL_PARTS ? row + 1 : 0;
}

/** Writes a row of the table, the first with its beginning, the last with its end. */
export function putNetworkField(row: u32): void {
  const number = row / ALL_PARTS;
  const part = row % ALL_PARTS;
  if (row == 0) {
    jsonKey(text("interfaces"));
    jsonArray();
  }
  if (part < PARTS) putPart(number, part);
  else {
    putNicCounterName(part - PARTS);
    jsonNumber(networkCounter(number, part - PARTS));
  }
  if (part + 1 == ALL_PARTS) {
    jsonObjectEnd();
    jsonObjectEnd();
  }
  if (networkNext(row) == 0) jsonArrayEnd();
}

function putPart(number: u32, part: u32): void {
  switch (part) {
    case 0:
      jsonObject();
      jsonKey(text("name"));
      jsonOpen();
      putText(text("eth"));
      putNumber(number);
      jsonClose();
      return;
    case 1:
      return putLink(networkLink(number));
    case 2:
      putMacField(networkMac(number));
      return putAddressField(text("address"), networkAddress(number));
    case 3:
      putAddressField(text("mask"), networkMask(number));
      putAddressField(text("gateway"), networkGateway(number));
      return putAddressField(text("dns"), networkDns(number));
    default:
      putLease(networkLeaseServer(number), networkLeaseSeconds(number));
      jsonKey(text("nic"));
      jsonObject();
  }
}
