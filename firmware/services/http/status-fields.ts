/**
 * Fields of the status document, one after the other: `Client.piece` says which, `Client.row` where
 * in a table.
 */
import { Text, text } from "board";
import { nicCounter, nicLink, nicVersion } from "nic";
import { NicCounter } from "../../../drivers/nic-counters";
import { SOCKETS } from "../../../stack/config";
import { dhcpLeaseSeconds, dhcpServer } from "../../../stack/dhcp/client";
import { iface, interfaceMac } from "../../../stack/interface";
import { SocketKind, socketAt } from "../../../stack/socket/table";
import { Counter, counterValue } from "../../../stack/statistics";
import {
  POOLS,
  poolName,
  poolSize,
  poolUsed,
  socketInBytes,
  socketLocalAddress,
  socketLocalPort,
  socketOutBytes,
  socketPeerAddress,
  socketPeerPort,
  socketStateName,
  uptimeSeconds,
} from "../../net/netstat";
import { Client } from "../client";
import { putAddress, putCharacter, putMac, putNumber, putText } from "../writer";
import { putCounterName, putNicCounterName } from "./counter-names";
import { Flag, has } from "./message";

/** Bytes that one field takes at most. */
export const FIELD_BYTES: u32 = 52;

/** The fields, in the order of the document; those of tables come once for each row. */
const enum Field {
  UPTIME = 1,
  BOARD,
  CHIP,
  LINK,
  MAC,
  HOST_NAME,
  ADDRESS,
  MASK,
  GATEWAY,
  DNS,
  DHCP,
  SOCKETS_OPEN,
  SOCKET_STATE,
  SOCKET_LOCAL,
  SOCKET_REMOTE,
  SOCKET_QUEUES,
  SOCKETS_CLOSE,
  POOL,
  COUNTER,
  NIC_COUNTER,
  END,
}

/** Value of `Client.piece` behind the last field. */
export const FIELDS_END: u16 = <u16>Field.END;

/** Writes the field that is due and chooses the next one. */
export function putField(c: Client): void {
  if (c.piece < <u16>Field.SOCKETS_OPEN) {
    putInterfaceField(c.piece);
    c.piece++;
  } else if (c.piece <= <u16>Field.SOCKETS_CLOSE) putSocketField(c);
  else if (c.piece == <u16>Field.POOL) putPool(c);
  else putCounter(c);
}

function putInterfaceField(field: u32): void {
  switch (field) {
    case <u32>Field.UPTIME:
      putText(text('{"uptime":'));
      return putNumber(uptimeSeconds());
    case <u32>Field.BOARD:
      return putText(text(',"board":"{board}","app":"{app}"'));
    case <u32>Field.CHIP:
      putText(text(',"chip":"{chip}","chipVersion":'));
      return putNumber(nicVersion());
    case <u32>Field.LINK:
      return putLink(nicLink());
    case <u32>Field.MAC:
      putText(text(',"mac":"'));
      putMac(interfaceMac());
      return putCharacter(0x22);
    case <u32>Field.HOST_NAME:
      return putHostName();
    case <u32>Field.ADDRESS:
      return putAddressField(text(',"address":"'), iface.address);
    case <u32>Field.MASK:
      return putAddressField(text(',"mask":"'), iface.mask);
    case <u32>Field.GATEWAY:
      return putAddressField(text(',"gateway":"'), iface.gateway);
    case <u32>Field.DNS:
      return putAddressField(text(',"dns":"'), iface.dns);
    default:
      return putLease();
  }
}

function putAddressField(name: Text, address: u32): void {
  putText(name);
  putAddress(address);
  putCharacter(0x22);
}

function putLink(link: u32): void {
  putText((link & 1) != 0 ? text(',"link":{"up":true,') : text(',"link":{"up":false,'));
  putText((link & 2) != 0 ? text('"mbit":100,') : text('"mbit":10,'));
  putText((link & 4) != 0 ? text('"duplex":"full"}') : text('"duplex":"half"}'));
}

/** A name comes from a settings block: what could end the string early is not written. */
function putHostName(): void {
  putText(text(',"hostName":"'));
  for (let i: u32 = 0, n = min(iface.hostNameBytes, 32); i < n; i++) {
    const character = load<u8>(iface.hostName + <usize>i);
    if (character > 0x20 && character < 0x7f && character != 0x22 && character != 0x5c)
      putCharacter(character);
  }
  putCharacter(0x22);
}

/**
 * The lease in seconds as it was given, 2^32 - 1 = for ever; 0 and no server where there is none.
 */
function putLease(): void {
  putText(text(',"dhcp":{"server":"'));
  putAddress(dhcpServer());
  putText(text('","lease":'));
  putNumber(dhcpLeaseSeconds());
  putCharacter(0x7d);
}

/**
 * A socket may end between two of its fields; what is then written of it is empty, and still JSON.
 */
function putSocketField(c: Client): void {
  switch (c.piece) {
    case <u16>Field.SOCKETS_OPEN:
      putText(text(',"sockets":['));
      c.row = 0;
      c.flags &= ~(<u32>Flag.LISTED);
      break;
    case <u16>Field.SOCKET_STATE:
      if (!findSocket(c)) {
        c.piece = <u16>Field.SOCKETS_CLOSE;
        return;
      }
      if (has(c, Flag.LISTED)) putCharacter(0x2c);
      c.flags |= Flag.LISTED;
      putSocketState(c.row);
      break;
    case <u16>Field.SOCKET_LOCAL:
      putText(text('"local":"'));
      putEndpoint(socketLocalAddress(c.row), socketLocalPort(c.row));
      break;
    case <u16>Field.SOCKET_REMOTE:
      putText(text('"remote":"'));
      putEndpoint(socketPeerAddress(c.row), socketPeerPort(c.row));
      break;
    case <u16>Field.SOCKET_QUEUES:
      putText(text('"in":'));
      putNumber(socketInBytes(c.row));
      putText(text(',"out":'));
      putNumber(socketOutBytes(c.row));
      putCharacter(0x7d);
      c.row++;
      c.piece = <u16>Field.SOCKET_STATE;
      return;
    default:
      putText(text('],"pools":{'));
      c.row = 0;
  }
  c.piece++;
}

/** Moves the row to the next open socket; false when there is none. */
function findSocket(c: Client): bool {
  while (c.row < <u16>SOCKETS) {
    if (socketAt(c.row).kind != <u8>SocketKind.FREE) return true;
    c.row++;
  }
  return false;
}

function putSocketState(index: u32): void {
  const datagrams = socketAt(index).kind == <u8>SocketKind.DATAGRAM;
  putText(datagrams ? text('{"type":"udp","state":"') : text('{"type":"tcp","state":"'));
  putText(socketStateName(index));
  putText(text('",'));
}

function putEndpoint(address: u32, port: u32): void {
  if (address == 0) putCharacter(0x2a);
  else putAddress(address);
  putCharacter(0x3a);
  if (port == 0) putCharacter(0x2a);
  else putNumber(port);
  putText(text('",'));
}

/** A name that begins a member of an object, with the comma before all but the first. */
function openMember(row: u32): void {
  if (row != 0) putCharacter(0x2c);
  putCharacter(0x22);
}

function putPool(c: Client): void {
  openMember(c.row);
  putText(poolName(c.row));
  putText(text('":{"used":'));
  putNumber(poolUsed(c.row));
  putText(text(',"size":'));
  putNumber(poolSize(c.row));
  putCharacter(0x7d);
  if (++c.row < <u16>POOLS) return;
  c.row = 0;
  c.piece = <u16>Field.COUNTER;
}

function putCounter(c: Client): void {
  const stack = c.piece == <u16>Field.COUNTER;
  if (c.row == 0) putText(stack ? text('},"counters":{') : text('},"nic":{'));
  openMember(c.row);
  if (stack) putCounterName(c.row);
  else putNicCounterName(c.row);
  putText(text('":'));
  putNumber(stack ? counterValue(c.row) : nicCounter(c.row));
  if (++c.row < <u16>(stack ? Counter.COUNT : NicCounter.COUNT)) return;
  c.row = 0;
  c.piece++;
  if (!stack) putText(text("}}\n"));
}
