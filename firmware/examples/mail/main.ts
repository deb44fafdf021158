/** Mails a sensor's value each hour by way of the mail server `mail`, or the router's (RFC 5321). */
import { putNumber, putText, writeTo, written } from "as-tcpip/firmware/services/writer";
import { log1, log2 } from "as-tcpip/log";
import { netGateway, netStart, sntpSync, wallClock, wallClockKnown } from "as-tcpip/net";
import { text } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";
import { pause, serverOf } from "../common";
import { putMailDate } from "../date";
import { smtpBegin, smtpEnd, smtpText } from "./client";

const HOUR_MS: u32 = 3_600_000;
/** After a mail that did not go. */
const RETRY_MS: u32 = 300_000;
const MAIL_BYTES: u32 = 256;
const MAIL: usize = memory.data(MAIL_BYTES, 4);

/** In place of a sensor: tenths of a degree that go up and down with the time. */
function sensor(): u32 {
  const minute = (clockMs() / 60_000) % 120;
  return 200 + (minute < 60 ? minute : 120 - minute);
}

function compose(value: u32): void {
  writeTo(MAIL, MAIL_BYTES);
  putText(text("From: Sensor <sensor@example.com>\r\nTo: <owner@example.com>\r\n"));
  if (wallClockKnown()) {
    putText(text("Date: "));
    putMailDate(wallClock());
    putText(text("\r\n"));
  }
  putText(text("Subject: Temperature\r\n\r\nIt is "));
  putNumber(value / 10);
  putText(text("."));
  putNumber(value % 10);
  putText(text(" degrees.\r\n...more in an hour.\n"));
}

/** 0, a code of the server's, or a negative errno. */
function mail(server: u32, value: u32): i32 {
  compose(value);
  const begun = smtpBegin(server, text("sensor@example.com"), text("owner@example.com"));
  if (begun != 0) return begun;
  smtpText(MAIL, written());
  return smtpEnd();
}

export function main(): void {
  if (netStart() < 0) return;
  const server = serverOf(text("mail"));
  for (;;) {
    if (!wallClockKnown()) sntpSync(netGateway());
    const value = sensor();
    const result = mail(server, value);
    if (result == 0) log2("info: mailed %u by way of %i", value, server);
    else if (result > 0) log1("warn: the mail server says %u", <u32>result);
    else log1("warn: no mail (error %d)", <u32>-result);
    pause(result == 0 ? HOUR_MS : RETRY_MS);
  }
}
