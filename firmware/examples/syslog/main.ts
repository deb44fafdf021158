/** Syslog client (RFC 5424): tells the host `log`, or the router, that it has started, and each minute how it is. */
import { putCharacter, putNumber, putText } from "as-tcpip/firmware/services/writer";
import { log1 } from "as-tcpip/log";
import { netGateway, netStart, sntpSync } from "as-tcpip/net";
import { poolName, poolSize, poolUsed, uptimeSeconds } from "as-tcpip/netstat";
import { text } from "as-tcpip/text";
import { pause, serverOf } from "../common";
import {
  SYSLOG_INFO,
  SYSLOG_NOTICE,
  SYSLOG_WARNING,
  syslogBegin,
  syslogEnd,
  syslogOpen,
} from "./client";

const PERIOD_MS: u32 = 60_000;
/** Tables that are told, of `as-tcpip/netstat`. */
const TOLD: u32 = 2;

/** [stack@32473 uptime="60" sockets="1"]; 32473 is the number for examples (RFC 5612). */
function putState(): void {
  putText(text('[stack@32473 uptime="'));
  putNumber(uptimeSeconds());
  for (let pool: u32 = 0; pool < TOLD; pool++) {
    putText(text('" '));
    putText(poolName(pool));
    putText(text('="'));
    putNumber(poolUsed(pool));
  }
  putText(text('"] '));
}

function tell(): void {
  const full = poolUsed(0) == poolSize(0);
  syslogBegin(full ? SYSLOG_WARNING : SYSLOG_INFO, text("STATE"));
  putState();
  putText(full ? text("no socket is free") : text("all is well"));
  const sent = syslogEnd();
  if (sent < 0) log1("warn: syslog message not sent (error %d)", <u32>-sent);
}

export function main(): void {
  if (netStart() < 0) return;
  const server = serverOf(text("log"));
  log1("info: syslog to %i", server);
  // Without the time messages go without it.
  sntpSync(netGateway());
  syslogOpen(server);
  syslogBegin(SYSLOG_NOTICE, text("START"));
  putCharacter(0x2d);
  putText(text(" started"));
  syslogEnd();
  for (;;) {
    pause(PERIOD_MS);
    tell();
  }
}
