import { HostedStack, hostedFirmware } from "../../net/hosted-stack.js";
import { formatAddress } from "../../net/addresses.js";
import { TroubledLink, type Troubles } from "../../simulate/link.js";
import { RealClock } from "../../sim/world-clock.js";
import { table } from "../table.js";
import { Scripts, type Script } from "../../net/scripts.js";
import { hashOf, payload, type Told } from "./end.js";
import { KernelHost, whyNot } from "./namespace.js";

/** The transfers of a cell: whether all came as they were sent, Mbit/s by the time of the receiver, and the standard error of these. */
export interface Transfer {
  intact: boolean;
  /** Mean of all seeds. */
  mbps: number;
  /** 0 with one seed. */
  error: number;
}

/** A row: what the relay did, and three transfers over it. */
export interface KernelRow {
  relay: string;
  bytes: number;
  /** From the kernel to us, from us to the kernel, and from kernel to kernel. */
  in: Transfer;
  out: Transfer;
  kernels: Transfer;
}

export interface KernelResult {
  /** Why nothing was measured. */
  skipped?: string;
  bufferBytes: number;
  /** Seeds, each a transfer in each cell. */
  seeds: number;
  rows: KernelRow[];
}

const BUFFER_BYTES = 8192;
const OURS = 0x0a4f_0002;
const OUR_MAC = 0x0200_0000_4f02;
const [LEFT, RIGHT] = ["10.79.0.1/24", "10.79.0.2/24"];
const PORT = 9;
/** Both have their addresses by then; a transfer that takes longer than this is given up. */
const SETTLE_MS = 1500;
const PAUSE_MS = 250;
const PATIENCE_MS = 60_000;
const SEED = 11;
/** Round trip of the relay where nothing else is said: the two hosts' own time is small against it. */
const DELAY_MS = 1;

/** What the relay does, and how much goes over it. */
const RELAYS: { relay: string; troubles: Troubles; bytes: number }[] = [
  { relay: "no loss", troubles: {}, bytes: 4 << 20 },
  { relay: "loss 1 %", troubles: { lossPercent: 1 }, bytes: 2 << 20 },
  { relay: "loss 3 %", troubles: { lossPercent: 3 }, bytes: 1 << 20 },
  { relay: "loss 10 %", troubles: { lossPercent: 10 }, bytes: 256 << 10 },
  { relay: "bursts 0.5 %, 5 ms", troubles: { burst: { percent: 0.5, ms: 5 } }, bytes: 1 << 20 },
  { relay: "reordering 5 %", troubles: { reorderPercent: 5 }, bytes: 1 << 20 },
  { relay: "delay 20 ms", troubles: { delayMs: 20 }, bytes: 512 << 10 },
  { relay: "delay 20 ms, loss 1 %", troubles: { delayMs: 20, lossPercent: 1 }, bytes: 512 << 10 },
];

/** One transfer, by the receiver. */
interface Run {
  intact: boolean;
  mbps: number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function judge(sent: string, bytes: number, told: Told): Run {
  return {
    intact: told.hash === sent && told.bytes === bytes,
    mbps: (told.bytes * 8) / told.seconds / 1e6,
  };
}

/** Mean and standard error. */
function cellOf(runs: readonly Run[]): Transfer {
  const mean = runs.reduce((sum, { mbps }) => sum + mbps, 0) / runs.length;
  const squares = runs.reduce((sum, { mbps }) => sum + (mbps - mean) ** 2, 0);
  const error = runs.length > 1 ? Math.sqrt(squares / (runs.length - 1) / runs.length) : 0;
  const round = (value: number): number => Math.round(value * 100) / 100;
  return { intact: runs.every(({ intact }) => intact), mbps: round(mean), error: round(error) };
}

async function inTime(told: Promise<Told>): Promise<Told> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Told>((resolve) => {
    timer = setTimeout(() => resolve({ bytes: 0, hash: "", seconds: Infinity }), PATIENCE_MS);
  });
  const first = await Promise.race([told, late]);
  clearTimeout(timer);
  return first;
}

type Take = (frame: Uint8Array) => void;

/** The relay: what `left` and `right` send, through the troubles to the other. */
class Relay {
  private links: [TroubledLink, TroubledLink];

  constructor(
    private readonly clock: RealClock,
    private readonly troubles: Troubles,
    private readonly toLeft: Take,
    private readonly toRight: Take,
  ) {
    this.links = this.join(0);
  }

  readonly fromLeft: Take = (frame) => this.links[0].send(frame);
  readonly fromRight: Take = (frame) => this.links[1].send(frame);

  /** A new link for a run, with a seed of its own. */
  renew(run: number): void {
    this.links = this.join(run);
  }

  private join(run: number): [TroubledLink, TroubledLink] {
    const whole = { delayMs: DELAY_MS, ...this.troubles };
    const seed = 2 * (SEED + run);
    return [
      new TroubledLink(this.clock, 0, whole, seed, this.toRight, this.toLeft),
      new TroubledLink(this.clock, 1, whole, seed + 1, this.toLeft, this.toRight),
    ];
  }
}

/** Two ends and the relay between them. */
interface Bed {
  relay: Relay;
  close(): void;
}

/** The kernel and us. */
interface OurBed extends Bed {
  kernel: KernelHost;
  scripts: Scripts;
  listener: number;
}

async function ourBed(troubles: Troubles): Promise<OurBed> {
  const clock = new RealClock();
  const firmware = await hostedFirmware({ TCP_RX_BYTES: BUFFER_BYTES, TCP_TX_BYTES: BUFFER_BYTES });
  const kernel = await KernelHost.create("asbenchk", LEFT as string, clock, (frame) =>
    relay.fromLeft(frame),
  );
  const stack: HostedStack = new HostedStack(firmware, {
    clock,
    mac: OUR_MAC,
    address: OURS,
    mask: 0xffff_ff00,
    seed: SEED,
    send: (frame) => relay.fromRight(frame),
  });
  const relay = new Relay(
    clock,
    troubles,
    (frame) => kernel.receive(frame),
    (frame) => stack.receive(frame),
  );
  const scripts = new Scripts(stack, clock);
  const listener = stack.socket(1);
  stack.bind(listener, 0, PORT);
  stack.listen(listener, 1);
  const close = (): void => {
    stack.close();
    kernel.close();
    clock.stop();
  };
  return { relay, kernel, scripts, listener, close };
}

interface KernelBed extends Bed {
  left: KernelHost;
  right: KernelHost;
}

async function kernelBed(troubles: Troubles): Promise<KernelBed> {
  const clock = new RealClock();
  const left = await KernelHost.create("asbenchl", LEFT as string, clock, (frame) =>
    relay.fromLeft(frame),
  );
  const right = await KernelHost.create("asbenchr", RIGHT as string, clock, (frame) =>
    relay.fromRight(frame),
  );
  const relay = new Relay(
    clock,
    troubles,
    (frame) => left.receive(frame),
    (frame) => right.receive(frame),
  );
  const close = (): void => {
    left.close();
    right.close();
    clock.stop();
  };
  return { relay, left, right, close };
}

async function kernelToUs({ kernel, scripts, listener }: OurBed, bytes: number): Promise<Run> {
  const { stack } = scripts;
  const got: Buffer[] = [];
  const told = new Promise<Told>((resolve) => {
    scripts.run(
      (function* (): Script {
        let fd = -1;
        yield () => (fd = stack.accept(listener)) >= 0;
        let begun = 0;
        let count = 0;
        yield* scripts.drain(fd, (more) => {
          begun ||= performance.now();
          got.push(Buffer.from(stack.data(more)));
          count += more;
        });
        const seconds = (performance.now() - begun) / 1000;
        stack.closeSocket(fd);
        resolve({ bytes: count, hash: hashOf(Buffer.concat(got)), seconds });
      })(),
    );
  });
  void kernel.send(formatAddress(OURS), PORT, bytes);
  return judge(hashOf(payload(bytes)), bytes, await inTime(told));
}

async function usToKernel({ kernel, scripts }: OurBed, bytes: number, port: number): Promise<Run> {
  const { stack } = scripts;
  const data = payload(bytes);
  const { told } = await kernel.take(port);
  scripts.run(
    (function* (): Script {
      const fd = yield* scripts.connect(0x0a4f_0001, port);
      for (let at = 0; at < bytes;) {
        yield () => (stack.events(fd) & 0xc) !== 0;
        const sent = stack.send(fd, data.subarray(at));
        if (sent < 0) return;
        at += sent;
      }
      stack.closeSocket(fd);
    })(),
  );
  return judge(hashOf(data), bytes, await inTime(told));
}

async function betweenKernels(
  { left, right }: KernelBed,
  bytes: number,
  port: number,
): Promise<Run> {
  const { told } = await right.take(port);
  void left.send(right.address, port, bytes);
  return judge(hashOf(payload(bytes)), bytes, await inTime(told));
}

/** The cells of a row, seed by seed: what else the computer does meanwhile weighs on all alike. */
async function measureRow(
  troubles: Troubles,
  seeds: number,
  bytes: number,
): Promise<Pick<KernelRow, "in" | "out" | "kernels">> {
  const ours = await ourBed(troubles);
  const kernels = await kernelBed(troubles);
  const cells: [Run[], Run[], Run[]] = [[], [], []];
  try {
    await sleep(SETTLE_MS);
    for (let run = 0; run < seeds; run++) {
      const port = PORT + run;
      for (const [cell, { relay }, transfer] of [
        [0, ours, () => kernelToUs(ours, bytes)],
        [1, ours, () => usToKernel(ours, bytes, port)],
        [2, kernels, () => betweenKernels(kernels, bytes, port)],
      ] as const) {
        relay.renew(run);
        cells[cell].push(await transfer());
        // Both ends close, over the link that they have used.
        await sleep(PAUSE_MS);
      }
    }
  } finally {
    ours.close();
    kernels.close();
  }
  return { in: cellOf(cells[0]), out: cellOf(cells[1]), kernels: cellOf(cells[2]) };
}

/** What is measured where nothing else is said. */
const NAMES = RELAYS.map(({ relay }) => relay);

/** Measures all rows, or those with these names, with so many seeds; `most` bounds the bytes of a transfer. */
export async function measureKernel(
  onStep: (what: string) => void,
  { seeds = 1, most = Infinity, names = NAMES } = {},
): Promise<KernelResult> {
  const skipped = whyNot();
  if (skipped !== undefined) return { skipped, bufferBytes: BUFFER_BYTES, seeds, rows: [] };
  const rows: KernelRow[] = [];
  for (const { relay: name, troubles, bytes: all } of RELAYS) {
    if (!names.includes(name)) continue;
    onStep(name);
    const bytes = Math.min(all, most);
    rows.push({
      relay: name,
      bytes,
      ...(await measureRow(troubles, seeds, bytes)),
    });
  }
  return { bufferBytes: BUFFER_BYTES, seeds, rows };
}

/** The result for people. */
export function printKernel({ skipped, seeds, rows }: KernelResult): string {
  if (skipped !== undefined) return `not measured: ${skipped}`;
  const cell = ({ intact, mbps, error }: Transfer): string =>
    intact ? `${mbps.toFixed(2)}${seeds > 1 ? ` ± ${error.toFixed(2)}` : ""}` : "NOT INTACT";
  return [
    table(
      ["Mbit/s through the relay", "KB", "kernel to us", "us to kernel", "kernel to kernel"],
      rows.map((row) => [
        row.relay,
        String(row.bytes >> 10),
        cell(row.in),
        cell(row.out),
        cell(row.kernels),
      ]),
    ),
    `Real time, buffers of ${BUFFER_BYTES} bytes at all ends, ${DELAY_MS} ms each way where no delay is named; ${seeds} seed${seeds > 1 ? "s" : ""} a cell, the same in all.`,
  ].join("\n\n");
}
