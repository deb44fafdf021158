/**
 * Fields of the status document, one after the other. Where it is, is the state of its request: the field, and the row in a table
 * above it.
 */
import { Text, text } from "board";
import { INTERFACES, SOCKETS } from "../../../stack/config";
import {
  Counter,
  NicCounter,
  POOLS,
  counterValue,
  dhcpLeaseSeconds,
  dhcpServer,
  iface,
  interfaceMac,
  nicCounter,
  nicLink,
  nicVersion,
  poolName,
  poolSize,
  poolUsed,
  socketInBytes,
  socketIsDatagram,
  socketIsOpen,
  socketLocalAddress,
  socketLocalPort,
  socketOutBytes,
  socketPeerAddress,
  socketPeerPort,
  socketStateName,
  uptimeSeconds,
} from "../../net/netstat";
import { httpState, setHttpState } from "../http/call";
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
import { putAddress, putCharacter, putNumber } from "../writer";
import { putCounterName, putNicCounterName } from "./counter-names";
import { networkNext, putNetworkField } from "./networks";
import { putAddressField, putCount, putLease, putLink, putMacField, putWords } from "./values";

/** Bytes that one field takes at most. */
export const FIELD_BYTES: u32 = 80;

/** The fields, in the order of the document; those of tables come once for each row. */
const enum Field {
  UPTIME,
  BOARD,
  APP,
  CHIP,
  LINK,
  MAC,
  HOST_NAME,
  ADDRESS,
  MASK,
  GATEWAY,
  DNS,
  DHCP,
  SOCKET_STATE,
  SOCKET_LOCAL,
  SOCKET_REMOTE,
  SOCKET_QUEUES,
  POOL,
  COUNTER,
  NIC_COUNTER,
  END,
  NETWORK,
}

/** Where in the state the row begins. */
const ROW_SHIFT: u32 = 8;

/** True when the last field has been written. */
export function fieldsDone(): bool {
  return httpState() == <u32>Field.END;
}

/** Writes the field that is due and chooses the next one. */
export function putField(): void {
  const field = httpState() & 0xff;
  const row = httpState() >>> ROW_SHIFT;
  if (field < <u32>Field.SOCKET_STATE) {
    putInterfaceField(field);
    goTo(INTERFACES > 1 && field == <u32>Field.DHCP ? <u32>Field.NETWORK : field + 1, 0);
  } else if (INTERFACES > 1 && field == <u32>Field.NETWORK) putNetwork(field, row);
  else if (field <= <u32>Field.SOCKET_QUEUES) putSocketField(field, row);
  else if (field == <u32>Field.POOL) putPool(row);
  else putCounter(field, row);
}

function goTo(field: u32, row: u32): void {
  setHttpState(field | (row << ROW_SHIFT));
}

function putInterfaceField(field: u32): void {
  switch (field) {
    case <u32>Field.UPTIME:
      jsonObject();
      return putCount(text("uptime"), uptimeSeconds());
    case <u32>Field.BOARD:
      return putWords(text("board"), text("{board}"));
    case <u32>Field.APP:
      return putWords(text("app"), text("{app}"));
    case <u32>Field.CHIP:
      putWords(text("chip"), text("{chip}"));
      return putCount(text("chipVersion"), nicVersion());
    case <u32>Field.LINK:
      return putLink(nicLink());
    case <u32>Field.MAC:
      return putMacField(interfaceMac(iface));
    case <u32>Field.HOST_NAME:
      return putHostName();
    case <u32>Field.ADDRESS:
      return putAddressField(text("address"), iface.address);
    case <u32>Field.MASK:
      return putAddressField(text("mask"), iface.mask);
    case <u32>Field.GATEWAY:
      return putAddressField(text("gateway"), iface.gateway);
    case <u32>Field.DNS:
      return putAddressField(text("dns"), iface.dns);
    default:
      putLease(dhcpServer(), dhcpLeaseSeconds());
      if (INTERFACES == 1) socketsBegin();
  }
}

/** A name comes from a settings block: what could end the string early is not written. */
function putHostName(): void {
  jsonKey(text("hostName"));
  jsonOpen();
  for (let i: u32 = 0, n = min(iface.hostNameBytes, 32); i < n; i++) {
    const character = load<u8>(iface.hostName + <usize>i);
    if (character > 0x20 && character < 0x7f && character != 0x22 && character != 0x5c)
      putCharacter(character);
  }
  jsonClose();
}

function socketsBegin(): void {
  jsonKey(text("sockets"));
  jsonArray();
}

/** All interfaces, where there are two: each with what the document says of the first. */
function putNetwork(field: u32, row: u32): void {
  const next = networkNext(row);
  putNetworkField(row);
  if (next != 0) return goTo(field, next);
  socketsBegin();
  goTo(<u32>Field.SOCKET_STATE, 0);
}

/**
 * A socket may end between two of its fields; what is then written of it is empty, and still JSON.
 */
function putSocketField(field: u32, row: u32): void {
  switch (field) {
    case <u32>Field.SOCKET_STATE:
      while (row < SOCKETS && !socketIsOpen(row)) row++;
      if (row == SOCKETS) {
        jsonArrayEnd();
        jsonKey(text("pools"));
        jsonObject();
        return goTo(<u32>Field.POOL, 0);
      }
      jsonObject();
      putWords(text("type"), socketIsDatagram(row) ? text("udp") : text("tcp"));
      putWords(text("state"), socketStateName(row));
      break;
    case <u32>Field.SOCKET_LOCAL:
      putEndpoint(text("local"), socketLocalAddress(row), socketLocalPort(row));
      break;
    case <u32>Field.SOCKET_REMOTE:
      putEndpoint(text("remote"), socketPeerAddress(row), socketPeerPort(row));
      break;
    default:
      putCount(text("in"), socketInBytes(row));
      putCount(text("out"), socketOutBytes(row));
      jsonObjectEnd();
      return goTo(<u32>Field.SOCKET_STATE, row + 1);
  }
  goTo(field + 1, row);
}

function putEndpoint(name: Text, address: u32, port: u32): void {
  jsonKey(name);
  jsonOpen();
  if (address == 0) putCharacter(0x2a);
  else putAddress(address);
  putCharacter(0x3a);
  if (port == 0) putCharacter(0x2a);
  else putNumber(port);
  jsonClose();
}

function putPool(row: u32): void {
  jsonKey(poolName(row));
  jsonObject();
  putCount(text("used"), poolUsed(row));
  putCount(text("size"), poolSize(row));
  jsonObjectEnd();
  if (row + 1 < POOLS) return goTo(<u32>Field.POOL, row + 1);
  jsonObjectEnd();
  jsonKey(text("counters"));
  jsonObject();
  goTo(<u32>Field.COUNTER, 0);
}

function putCounter(field: u32, row: u32): void {
  const stack = field == <u32>Field.COUNTER;
  if (stack) putCounterName(row);
  else putNicCounterName(row);
  jsonNumber(stack ? counterValue(row) : nicCounter(row));
  if (row + 1 < <u32>(stack ? Counter.COUNT : NicCounter.COUNT)) return goTo(field, row + 1);
  jsonObjectEnd();
  if (stack) {
    jsonKey(text("nic"));
    jsonObject();
  } else {
    jsonObjectEnd();
    putCharacter(0x0a);
  }
  goTo(field + 1, 0);
}
