/** The UDP half of the iperf 2 client: numbered datagrams at a megabit a second, then the end, again and again until the server reports. */
import { log3, log4 } from "as-tcpip/log";
import { EAGAIN, ECONNREFUSED, htonl, ntohl, recv, send } from "as-tcpip/net";
import { clockMs, clockUs } from "as-tcpip/time";
import { pause } from "../common";

const DATAGRAM_BYTES: u32 = 1470;
/** 1,470 bytes each 11,760 microseconds are a megabit a second. */
const INTERVAL_US: u32 = 11_760;
const DATAGRAM: usize = memory.data(1472, 4);
/** Header of a datagram: number, seconds, microseconds, high half of the number; the report stands behind it. */
const HEADER_BYTES: u32 = 16;
const REPORT_BYTES: u32 = 40;
/** How often the end is sent while no report comes, as iperf does. */
const ENDS: u32 = 10;

/** Seconds and microseconds since the test began, from a clock that wraps each 71 minutes. */
function sendNumbered(fd: i32, number: i32, beganUs: u32): i32 {
  const us = clockUs() - beganUs;
  store<u32>(DATAGRAM, htonl(<u32>number));
  store<u32>(DATAGRAM, htonl(us / 1_000_000), 4);
  store<u32>(DATAGRAM, htonl(us % 1_000_000), 8);
  store<u32>(DATAGRAM, number < 0 ? 0xffffffff : 0, 12);
  return send(fd, DATAGRAM, DATAGRAM_BYTES, 0);
}

/** A word of the report. */
function told(index: u32): u32 {
  return ntohl(load<u32>(DATAGRAM + <usize>(HEADER_BYTES + (index << 2))));
}

function tellReport(): void {
  const kilobytes = (told(2) >> 10) | (told(1) << 22);
  const ms = told(3) * 1000 + told(4) / 1000;
  const kilobits = <u32>(((<u64>kilobytes) << 13) / <u64>max<u32>(ms, 1));
  const jitterUs = told(8) * 1_000_000 + told(9);
  log4("info: UDP %u KB in %u ms: %u kbit/s, jitter %u us", kilobytes, ms, kilobits, jitterUs);
  log3("info: %u of %u datagrams lost, %u out of order", told(5), told(7), told(6));
}

/** A test of so many milliseconds on a connected socket whose calls wait a quarter of a second: 0, or a negative errno. */
export function sendDatagrams(fd: i32, ms: u32): i32 {
  const beganUs = clockUs();
  const start = clockMs();
  memory.fill(DATAGRAM, 0, DATAGRAM_BYTES);
  let number: i32 = 0;
  for (let passed: u32 = 0; passed < ms; passed = clockMs() - start) {
    const due = (<u32>number * INTERVAL_US) / 1000;
    if (due > passed) {
      pause(due - passed);
      continue;
    }
    const sent = sendNumbered(fd, number, beganUs);
    // Nobody serves: said by ICMP. A full queue only loses a datagram.
    if (sent == -ECONNREFUSED) return sent;
    number += 1;
  }
  for (let ends: u32 = 0; ends < ENDS; ends++) {
    sendNumbered(fd, -number, beganUs);
    const bytes = recv(fd, DATAGRAM, DATAGRAM_BYTES, 0);
    if (bytes >= <i32>(HEADER_BYTES + REPORT_BYTES)) {
      tellReport();
      return 0;
    }
    if (bytes < 0 && bytes != -EAGAIN) return bytes;
  }
  return -EAGAIN;
}
