import { hostedFirmware } from "../../net/hosted-stack.js";
import { ADDRESSES, Pair } from "../../simulate/pair.js";
import { table } from "../table.js";
import { PEER, type Row } from "./recorded.js";

/**
 * A transfer over a link that loses frames at random in both directions, with a round trip of 100 ms: the cells of smoltcp's
 * `tests/netsim.rs`, in the same way. Time runs from the opening of the connection to the last byte read.
 */
export interface NetsimResult {
  roundTripMs: number;
  bytes: number;
  lossPercent: number[];
  /** Bytes a second by size of the buffers. */
  rows: (Row & { smoltcp: number[]; ofIdealPercent: number })[];
}

const ROUND_TRIP_MS = 100;
const BYTES = 10 << 20;
const LOSS_PERCENT = [0, 0.1, 1, 2, 5, 10, 20, 30];
const PORT = 1234;
/** Both have their addresses by then. */
const SETTLE_MS = 5000;
/** The numbers of Linux. */
const IPPROTO_TCP = 6;
const TCP_USER_TIMEOUT = 18;
const PATIENCE_MS = 3_600_000;
/** The slowest cell must end some time: bytes a second. */
const SLOWEST = 20;

/** One cell: bytes a second. */
export async function transfer(
  buffer: number,
  lossPercent: number,
  bytes = BYTES,
  seed = 1,
): Promise<number> {
  const firmware = await hostedFirmware({ TCP_RX_BYTES: buffer, TCP_TX_BYTES: buffer });
  const pair = new Pair({ firmware, seed, troubles: { delayMs: ROUND_TRIP_MS / 2 } });
  pair.until(() => false, SETTLE_MS);
  for (const link of pair.links) link.troubles = { ...link.troubles, lossPercent };
  const [client, server] = pair.stacks;
  const listener = server.socket(1);
  server.bind(listener, 0, PORT);
  server.listen(listener, 1);
  const start = pair.nowMs;
  const fd = client.socket(1);
  // With 30 % lost each way twelve tries in a row fail now and then: as smoltcp, the sender gives up only after this time.
  client.setOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, PATIENCE_MS);
  client.connect(fd, ADDRESSES[1], PORT);
  const block = new Uint8Array(32768);
  client.onProgress = () => {
    while (client.send(fd, block) > 0);
  };
  let accepted = -1;
  let received = 0;
  server.onProgress = () => {
    if (accepted < 0) accepted = server.accept(listener);
    if (accepted < 0) return;
    for (let got = server.recv(accepted); got > 0; got = server.recv(accepted)) received += got;
  };
  const done = pair.until(() => received >= bytes, (bytes / SLOWEST) * 1000);
  pair.close();
  if (!done)
    throw new Error(`${received} of ${bytes} bytes have come: ${buffer}, ${lossPercent} %`);
  return Math.round((received / (pair.nowMs - start)) * 1000);
}

/** Measures all cells. */
export async function measureNetsim(onStep: (what: string) => void): Promise<NetsimResult> {
  const rows: NetsimResult["rows"] = [];
  for (const { buffer, bytesPerSecond: smoltcp } of PEER) {
    onStep(`buffers of ${buffer} bytes`);
    const bytesPerSecond: number[] = [];
    for (const loss of LOSS_PERCENT) bytesPerSecond.push(await transfer(buffer, loss));
    const ideal = (buffer * 1000) / ROUND_TRIP_MS;
    const ofIdealPercent = Math.round((1000 * (bytesPerSecond[0] as number)) / ideal) / 10;
    rows.push({ buffer, bytesPerSecond, smoltcp, ofIdealPercent });
  }
  return { roundTripMs: ROUND_TRIP_MS, bytes: BYTES, lossPercent: LOSS_PERCENT, rows };
}

/** The result for people. */
export function printNetsim({ roundTripMs, bytes, lossPercent, rows }: NetsimResult): string {
  const cells: string[][] = [];
  for (const { buffer, bytesPerSecond, smoltcp, ofIdealPercent } of rows) {
    cells.push([`${buffer}`, "as-tcpip", ...bytesPerSecond.map(String), `${ofIdealPercent} %`]);
    cells.push(["", "smoltcp (recorded)", ...smoltcp.map(String), ""]);
    const times = bytesPerSecond.map((ours, i) => (ours / (smoltcp[i] as number)).toFixed(2));
    cells.push(["", "ratio", ...times, ""]);
  }
  const heading = [
    "buffer",
    "B/s at a loss of",
    ...lossPercent.map((loss) => `${loss} %`),
    "ideal",
  ];
  return `${bytes >> 20} MiB, round trip ${roundTripMs} ms, loss in both directions\n${table(heading, cells)}`;
}
