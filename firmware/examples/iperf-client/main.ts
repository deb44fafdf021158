/**
 * iperf 2 client: sends to `iperf -s` and to `iperf -s -u` of the host `iperf` (settings block), or of the router, for five seconds each, once a
 * minute, and tells the rates; of UDP also what the server says of lost and late datagrams.
 */
import { log1, log2, log3 } from "as-tcpip/log";
import {
  AF_INET,
  MSG_ZEROCOPY,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
  close,
  netStart,
  recv,
  send,
  shutdown,
  socket,
} from "as-tcpip/net";
import { text } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";
import { connectTo, pause, serverOf, setPatience } from "../common";
import { sendDatagrams } from "./udp";

const IPERF_PORT: u16 = 5001;
const TEST_MS: u32 = 5000;
const PERIOD_MS: u32 = 60_000;
/** What is sent, again and again: never written, so it may be sent from where it lies. */
const CHUNK_BYTES: u32 = 2920;
const CHUNK: usize = memory.data(2920, 4);
const ANSWER_BYTES: u32 = 64;
const ANSWER: usize = memory.data(64, 4);
const PATIENCE_MS: u32 = 5000;

/** Kilobits a second. */
function rateOf(bytes: u64, ms: u32): u32 {
  return <u32>((bytes * 8) / <u64>max<u32>(ms, 1));
}

/** Five seconds of text as fast as the peer takes it; until it has all of it counts. */
function byTcp(server: u32): void {
  const fd = socket(AF_INET, SOCK_STREAM, 0);
  setPatience(fd, PATIENCE_MS);
  let result = connectTo(fd, server, IPERF_PORT);
  const start = clockMs();
  let bytes: u64 = 0;
  while (result >= 0 && clockMs() - start < TEST_MS) {
    result = send(fd, CHUNK, CHUNK_BYTES, MSG_ZEROCOPY);
    if (result > 0) bytes += <u64>result;
  }
  if (result >= 0) {
    shutdown(fd, SHUT_WR);
    // The server closes when it has all.
    result = recv(fd, ANSWER, ANSWER_BYTES, 0);
  }
  const ms = clockMs() - start;
  close(fd);
  if (result < 0) log1("warn: TCP test failed (error %d)", <u32>-result);
  else log3("info: TCP %u KB in %u ms: %u kbit/s", <u32>(bytes >> 10), ms, rateOf(bytes, ms));
}

/** Five seconds of datagrams at a megabit a second. */
function byUdp(server: u32): void {
  const fd = socket(AF_INET, SOCK_DGRAM, 0);
  setPatience(fd, 250);
  const failed = connectTo(fd, server, IPERF_PORT);
  const result = failed < 0 ? failed : sendDatagrams(fd, TEST_MS);
  close(fd);
  if (result < 0) log1("warn: UDP test failed (error %d)", <u32>-result);
}

export function main(): void {
  if (netStart() < 0) return;
  const server = serverOf(text("iperf"));
  log2("info: iperf 2 client of %i, port %u", server, <u32>IPERF_PORT);
  for (;;) {
    const start = clockMs();
    byTcp(server);
    byUdp(server);
    const passed = clockMs() - start;
    if (passed < PERIOD_MS) pause(PERIOD_MS - passed);
  }
}
