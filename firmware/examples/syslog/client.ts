/**
 * Syslog messages by UDP (RFC 5424, RFC 5426). A message is begun, its text is put with the writer (firmware/services/writer.ts),
 * and it is sent:
 *
 *     syslogBegin(SYSLOG_NOTICE, text("DOOR"));
 *     putText(text("- the door is open"));
 *     syslogEnd();
 *
 * The text begins with the structured data, or "-" for none.
 */
import {
  putAddress,
  putBytes,
  putCharacter,
  putNumber,
  putText,
  writeTo,
  written,
} from "as-tcpip/firmware/services/writer";
import {
  AF_INET,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  netAddress,
  send,
  socket,
  wallClock,
  wallClockKnown,
} from "as-tcpip/net";
import {
  SettingsFlag,
  settingsHas,
  settingsHostName,
  settingsHostNameBytes,
} from "as-tcpip/settings";
import { Text, text } from "as-tcpip/text";
import { connectTo } from "../common";
import { putTimestamp } from "../date";

export const SYSLOG_WARNING: u32 = 4;
export const SYSLOG_NOTICE: u32 = 5;
export const SYSLOG_INFO: u32 = 6;

const SYSLOG_PORT: u16 = 514;
/** Facility local0. */
const FACILITY: u32 = 16;
/** Every receiver takes at least 480 bytes (RFC 5424 6.1). */
const MESSAGE_BYTES: u32 = 480;
const MESSAGE: usize = memory.data(MESSAGE_BYTES, 4);

let fd: i32 = -1;

/** Sets the receiver. 0 or a negative errno. */
export function syslogOpen(address: u32): i32 {
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  return fd < 0 ? fd : connectTo(fd, address, SYSLOG_PORT);
}

/** Begins a message; `id` names its kind. */
export function syslogBegin(severity: u32, id: Text): void {
  writeTo(MESSAGE, MESSAGE_BYTES);
  putCharacter(0x3c);
  putNumber(FACILITY * 8 + severity);
  putText(text(">1 "));
  if (wallClockKnown()) putTimestamp(wallClock());
  else putCharacter(0x2d);
  putCharacter(0x20);
  if (settingsHas(SettingsFlag.HOST_NAME)) putBytes(settingsHostName(), settingsHostNameBytes());
  else putAddress(netAddress());
  putText(text(" as-tcpip - "));
  putText(id);
  putCharacter(0x20);
}

/** Sends it. Bytes or a negative errno; -ECONNREFUSED tells that nobody listened to an earlier one. */
export function syslogEnd(): i32 {
  return send(fd, MESSAGE, written(), MSG_DONTWAIT);
}
