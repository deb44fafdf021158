import { hostedFirmware } from "../../net/hosted-stack.js";
import { ADDRESSES, Pair } from "../../simulate/pair.js";
import type { BarGroup } from "../chart.js";
import { table } from "../table.js";
import { PEER, type Row } from "./recorded.js";

/**
 * A transfer over a link that loses frames at random in both directions, with a round trip of 100 ms: the cells of smoltcp's
 * `tests/netsim.rs`, in the same way. Time runs from the opening of the connection to the last byte read.
 *
 * smoltcp's figures are of its default features, which have no congestion control (`AnyController::new`): the peer's window alone
 * bounds what is in flight. Beside them stands the stack without it, too (TCP_CONGESTION_CONTROL 0), and as it comes, with it.
 */
export interface NetsimResult {
  roundTripMs: number;
  bytes: number;
  lossPercent: number[];
  /** Bytes a second by size of the buffers: without congestion control as smoltcp's, and with it (`controlled`). */
  rows: (Row & { smoltcp: number[]; controlled: number[]; ofIdealPercent: number })[];
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
  { bytes = BYTES, control = true } = {},
): Promise<number> {
  const firmware = await hostedFirmware({
    TCP_RX_BYTES: buffer,
    TCP_TX_BYTES: buffer,
    TCP_CONGESTION_CONTROL: control ? 1 : 0,
  });
  const pair = new Pair({ firmware, seed: 1, troubles: { delayMs: ROUND_TRIP_MS / 2 } });
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
    const controlled: number[] = [];
    for (const loss of LOSS_PERCENT) {
      bytesPerSecond.push(await transfer(buffer, loss, { control: false }));
      controlled.push(await transfer(buffer, loss));
    }
    const ideal = (buffer * 1000) / ROUND_TRIP_MS;
    const ofIdealPercent = Math.round((1000 * (controlled[0] as number)) / ideal) / 10;
    rows.push({ buffer, bytesPerSecond, smoltcp, controlled, ofIdealPercent });
  }
  return { roundTripMs: ROUND_TRIP_MS, bytes: BYTES, lossPercent: LOSS_PERCENT, rows };
}

/** The result for people. */
export function printNetsim({ roundTripMs, bytes, lossPercent, rows }: NetsimResult): string {
  const cells: string[][] = [];
  for (const { buffer, bytesPerSecond, smoltcp, controlled, ofIdealPercent } of rows) {
    const times = (row: number[]): string[] =>
      row.map((ours, i) => (ours / (smoltcp[i] as number)).toFixed(2));
    cells.push([`${buffer}`, "smoltcp (recorded)", ...smoltcp.map(String), ""]);
    cells.push(["", "ours without control", ...bytesPerSecond.map(String), ""]);
    cells.push(["", "ratio", ...times(bytesPerSecond), ""]);
    cells.push(["", "ours as shipped, CUBIC", ...controlled.map(String), `${ofIdealPercent} %`]);
    cells.push(["", "ratio", ...times(controlled), ""]);
  }
  const heading = [
    "buffer",
    "B/s at a loss of",
    ...lossPercent.map((loss) => `${loss} %`),
    "ideal",
  ];
  return `${bytes >> 20} MiB, round trip ${roundTripMs} ms, loss in both directions; smoltcp's figures are without congestion control\n${table(heading, cells)}`;
}

/** Bars for the chart: ours without and with congestion control beside smoltcp's, one group a cell with loss. */
export function chartNetsim({ lossPercent, rows }: NetsimResult): BarGroup[] {
  return rows.flatMap((row) =>
    lossPercent.slice(1).map((loss, i) => ({
      label: `${row.buffer >> 10} KB, ${loss} %`,
      bars: [row.bytesPerSecond, row.controlled, row.smoltcp].map(
        (cells) => cells[i + 1] as number,
      ),
    })),
  );
}
