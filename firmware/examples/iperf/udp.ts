/**
 * The UDP half of the iperf 2 server: each datagram begins with its number and the time at which it was sent; a negative number
 * ends the test and asks for the report. One test at a time.
 */
import { log2, log4 } from "as-tcpip/log";
import { MSG_DONTWAIT, MSG_TRUNC, SockAddrIn, htonl, ntohl, recvfrom, sendto } from "as-tcpip/net";
import { clockMs, clockUs } from "as-tcpip/time";

export const IPERF_PORT: u16 = 5001;

/** Header of a datagram: number, seconds, microseconds, high half of the number. */
const HEADER_BYTES: u32 = 16;
/** The report behind it: flags, bytes (64 bits), seconds, microseconds, lost, out of order, datagrams, jitter (seconds, microseconds). */
const REPORT_BYTES: u32 = 40;
const HEADER_VERSION1: u32 = 0x8000_0000;
/** Datagrams of one turn. */
const SHARE: u32 = 8;

/** A datagram's head, and the answer in the same place. */
const MESSAGE: usize = memory.data(HEADER_BYTES + REPORT_BYTES, 4);
const PEER: usize = memory.data(8, 4);

let peerAddress: u32 = 0;
let peerPort: u16 = 0;
let ended: bool = true;
let startMs: u32 = 0;
let durationMs: u32 = 0;
let bytesSoFar: u64 = 0;
/** Highest number so far. */
let highest: i32 = 0;
let lost: u32 = 0;
let outOfOrder: u32 = 0;
/** RFC 3550 A.8, in sixteenths of a microsecond. */
let jitter: u32 = 0;
let transit: i32 = 0;

/** Takes what has come. */
export function takeDatagrams(fd: i32): void {
  const peer = changetype<SockAddrIn>(PEER);
  for (let i: u32 = 0; i < SHARE; i++) {
    const bytes = recvfrom(fd, MESSAGE, HEADER_BYTES, MSG_DONTWAIT | MSG_TRUNC, peer);
    if (bytes < 0) return;
    if (<u32>bytes < HEADER_BYTES) continue;
    const number = <i32>ntohl(load<u32>(MESSAGE));
    const known = peer.sinAddr == peerAddress && peer.sinPort == peerPort;
    if (number >= 0) {
      if (!known || ended) begin(peer);
      count(number, <u32>bytes);
    } else if (known) {
      if (!ended) end(-number, <u32>bytes);
      // The end comes again until the client has the report.
      report(fd, peer);
    }
  }
}

function begin(peer: SockAddrIn): void {
  peerAddress = peer.sinAddr;
  peerPort = peer.sinPort;
  ended = false;
  startMs = clockMs();
  bytesSoFar = 0;
  highest = -1;
  lost = 0;
  outOfOrder = 0;
  jitter = 0;
}

function count(number: i32, bytes: u32): void {
  bytesSoFar += <u64>bytes;
  // The clocks differ by a constant, and both wrap: only the change of the difference counts.
  const sent = ntohl(load<u32>(MESSAGE, 4)) * 1_000_000 + ntohl(load<u32>(MESSAGE, 8));
  const took = <i32>(clockUs() - sent);
  if (highest >= 0) jitter += <u32>abs<i32>(took - transit) - ((jitter + 8) >>> 4);
  transit = took;
  if (number <= highest) {
    outOfOrder += 1;
    // It was counted as lost.
    if (lost != 0) lost -= 1;
    return;
  }
  lost += <u32>(number - highest) - 1;
  highest = number;
}

function end(number: i32, bytes: u32): void {
  ended = true;
  durationMs = clockMs() - startMs;
  bytesSoFar += <u64>bytes;
  // The last datagram has the number that the next one would have had.
  if (number > highest + 1) lost += <u32>(number - highest) - 1;
  highest = max<i32>(number, highest);
  const kilobits = <u32>((bytesSoFar * 8) / <u64>max<u32>(durationMs, 1));
  log4(
    "info: UDP %u KB in %u ms: %u kbit/s, jitter %u us",
    <u32>(bytesSoFar >> 10),
    durationMs,
    kilobits,
    jitter >>> 4,
  );
  log2("info: %u of %u datagrams lost", lost, <u32>highest);
}

function put(field: u32, value: u32): void {
  store<u32>(MESSAGE + <usize>(HEADER_BYTES + (field << 2)), htonl(value));
}

function report(fd: i32, peer: SockAddrIn): void {
  put(0, HEADER_VERSION1);
  put(1, <u32>(bytesSoFar >> 32));
  put(2, <u32>bytesSoFar);
  put(3, durationMs / 1000);
  put(4, (durationMs % 1000) * 1000);
  put(5, lost);
  put(6, outOfOrder);
  put(7, <u32>highest);
  put(8, (jitter >>> 4) / 1_000_000);
  put(9, (jitter >>> 4) % 1_000_000);
  sendto(fd, MESSAGE, HEADER_BYTES + REPORT_BYTES, MSG_DONTWAIT, peer);
}
