import { RAW_RX_BYTES } from "../config";
import { ENOPROTOOPT, EOPNOTSUPP } from "../errors";
import {
  ICMP_FILTER,
  IPPROTO_ICMP,
  IPPROTO_IP,
  IP_HDRINCL,
  IP_TOS,
  IP_TTL,
  SOCK_RAW,
  SOL_RAW,
  SOL_SOCKET,
  SO_BROADCAST,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_TYPE,
} from "../posix";
import { RawFlag, RawSlot, rawHas, rawSetFlag, rawSlot } from "../raw/slots";
import { Socket } from "./table";

/** Options that raw sockets have alone, or keep in their own record. */

/** Answer of `rawGetOption`: it is an option like that of any socket. */
export const GENERAL_OPTION: i32 = i32.MIN_VALUE;

/** ICMP_FILTER and IP_HDRINCL; -ENOPROTOOPT for all else at these levels, 0 for what is only remembered. */
export function rawSetOption(socket: Socket, level: i32, option: i32, value: i32): i32 {
  const slot = rawSlot(<u32>socket.index);
  if (level == SOL_RAW) {
    if (option != ICMP_FILTER) return -ENOPROTOOPT;
    if (slot.protocol != <u8>IPPROTO_ICMP) return -EOPNOTSUPP;
    slot.icmpFilter = <u32>value;
  } else if (level == IPPROTO_IP && option == IP_HDRINCL) {
    rawSetFlag(slot, RawFlag.HEADER_INCLUDED, value != 0);
  } else return GENERAL_OPTION;
  return 0;
}

/** What any socket was told holds for the record of a raw one. */
export function rawNoteOption(socket: Socket, level: i32, option: i32, value: i32): void {
  const slot = rawSlot(<u32>socket.index);
  if (level == IPPROTO_IP && option == IP_TOS) slot.tos = socket.tos;
  else if (level == IPPROTO_IP && option == IP_TTL) slot.ttl = socket.ttl;
  else if (level == SOL_SOCKET && option == SO_BROADCAST)
    rawSetFlag(slot, RawFlag.BROADCAST, value != 0);
}

/** Reads an option, or says that it is none of these: GENERAL_OPTION. */
export function rawGetOption(socket: Socket, level: i32, option: i32): i32 {
  const slot = rawSlot(<u32>socket.index);
  if (level == SOL_RAW) return rawFilter(slot, option);
  if (level == IPPROTO_IP && option == IP_HDRINCL)
    return rawHas(slot, RawFlag.HEADER_INCLUDED) ? 1 : 0;
  if (level != SOL_SOCKET) return GENERAL_OPTION;
  if (option == SO_TYPE) return SOCK_RAW;
  if (option == SO_PROTOCOL) return <i32>slot.protocol;
  return option == SO_RCVBUF ? <i32>RAW_RX_BYTES : GENERAL_OPTION;
}

function rawFilter(slot: RawSlot, option: i32): i32 {
  if (option != ICMP_FILTER) return -ENOPROTOOPT;
  return slot.protocol == <u8>IPPROTO_ICMP ? <i32>slot.icmpFilter : -EOPNOTSUPP;
}
