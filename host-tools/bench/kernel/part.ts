import { HostedStack, hostedFirmware } from "../../net/hosted-stack.js";
import { formatAddress } from "../../net/addresses.js";
import { TroubledLink, type Troubles } from "../../simulate/link.js";
import { RealClock } from "../../sim/world-clock.js";
import { table } from "../table.js";
import { Scripts, type Script } from "../../net/scripts.js";
import { hashOf, payload, type Told } from "./end.js";
import { KernelHost, whyNot } from "./namespace.js";

/** A transfer: whether all came as it was sent, and Mbit/s by the time of the receiver. */
export interface Transfer {
  intact: boolean;
  mbps: number;
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
  rows: KernelRow[];
}

const BUFFER_BYTES = 8192;
const OURS = 0x0a4f_0002;
const OUR_MAC = 0x0200_0000_4f02;
const [LEFT, RIGHT] = ["10.79.0.1/24", "10.79.0.2/24"];
const PORT = 9;
/** Both have their addresses by then; a transfer that takes longer than this is given up. */
const SETTLE_MS = 1500;
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

/** Ends what two ends and the relay between them need. */
interface Setup {
  close(): void;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function judge(sent: string, bytes: number, told: Told): Transfer {
  const mbps = Math.round((told.bytes * 8) / told.seconds / 1e4) / 100;
  return { intact: told.hash === sent && told.bytes === bytes, mbps };
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

/** The relay: what `left` and `right` send, through the troubles to the other. */
function relay(
  clock: RealClock,
  troubles: Troubles,
  toLeft: (frame: Uint8Array) => void,
  toRight: (frame: Uint8Array) => void,
): [TroubledLink, TroubledLink] {
  const whole = { delayMs: DELAY_MS, ...troubles };
  return [
    new TroubledLink(clock, 0, whole, 2 * SEED, toRight, toLeft),
    new TroubledLink(clock, 1, whole, 2 * SEED + 1, toLeft, toRight),
  ];
}

/** Between the kernel and us. */
async function withUs(
  troubles: Troubles,
  work: (kernel: KernelHost, scripts: Scripts) => Promise<Transfer>,
): Promise<Transfer> {
  const clock = new RealClock();
  const firmware = await hostedFirmware({ TCP_RX_BYTES: BUFFER_BYTES, TCP_TX_BYTES: BUFFER_BYTES });
  const kernel = await KernelHost.create("asbenchl", LEFT as string, clock, (frame) =>
    links[0].send(frame),
  );
  const stack: HostedStack = new HostedStack(firmware, {
    clock,
    mac: OUR_MAC,
    address: OURS,
    mask: 0xffff_ff00,
    seed: SEED,
    send: (frame) => links[1].send(frame),
  });
  const links = relay(
    clock,
    troubles,
    (frame) => kernel.receive(frame),
    (frame) => stack.receive(frame),
  );
  try {
    await sleep(SETTLE_MS);
    return await work(kernel, new Scripts(stack, clock));
  } finally {
    stack.close();
    end(kernel, clock);
  }
}

function end(host: Setup, clock: RealClock): void {
  host.close();
  clock.stop();
}

function measureIn(troubles: Troubles, bytes: number): Promise<Transfer> {
  return withUs(troubles, async (kernel, scripts) => {
    const { stack } = scripts;
    const listener = stack.socket(1);
    stack.bind(listener, 0, PORT);
    stack.listen(listener, 1);
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
          resolve({ bytes: count, hash: hashOf(Buffer.concat(got)), seconds });
        })(),
      );
    });
    void kernel.send(formatAddress(OURS), PORT, bytes);
    return judge(hashOf(payload(bytes)), bytes, await inTime(told));
  });
}

function measureOut(troubles: Troubles, bytes: number): Promise<Transfer> {
  return withUs(troubles, async (kernel, scripts) => {
    const { stack } = scripts;
    const data = payload(bytes);
    const { told } = await kernel.take(PORT);
    scripts.run(
      (function* (): Script {
        const fd = yield* scripts.connect(0x0a4f_0001, PORT);
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
  });
}

async function measureKernels(troubles: Troubles, bytes: number): Promise<Transfer> {
  const clock = new RealClock();
  const left = await KernelHost.create("asbenchl", LEFT as string, clock, (frame) =>
    links[0].send(frame),
  );
  const right = await KernelHost.create("asbenchr", RIGHT as string, clock, (frame) =>
    links[1].send(frame),
  );
  const links = relay(
    clock,
    troubles,
    (frame) => left.receive(frame),
    (frame) => right.receive(frame),
  );
  try {
    await sleep(SETTLE_MS);
    const { told } = await right.take(PORT);
    void left.send(right.address, PORT, bytes);
    return judge(hashOf(payload(bytes)), bytes, await inTime(told));
  } finally {
    left.close();
    end(right, clock);
  }
}

/** Measures all rows, or those with these names; `most` bounds the bytes of a transfer. */
export async function measureKernel(
  onStep: (what: string) => void,
  most = Infinity,
  names = RELAYS.map(({ relay: name }) => name),
): Promise<KernelResult> {
  const skipped = whyNot();
  if (skipped !== undefined) return { skipped, bufferBytes: BUFFER_BYTES, rows: [] };
  const rows: KernelRow[] = [];
  for (const { relay: name, troubles, bytes: all } of RELAYS) {
    if (!names.includes(name)) continue;
    onStep(name);
    const bytes = Math.min(all, most);
    rows.push({
      relay: name,
      bytes,
      in: await measureIn(troubles, bytes),
      out: await measureOut(troubles, bytes),
      kernels: await measureKernels(troubles, bytes),
    });
  }
  return { bufferBytes: BUFFER_BYTES, rows };
}

/** The result for people. */
export function printKernel({ skipped, rows }: KernelResult): string {
  if (skipped !== undefined) return `not measured: ${skipped}`;
  const cell = ({ intact, mbps }: Transfer): string => (intact ? mbps.toFixed(2) : "NOT INTACT");
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
    `Real time, buffers of ${BUFFER_BYTES} bytes at all ends, ${DELAY_MS} ms each way where no delay is named, the same seed for all.`,
  ].join("\n\n");
}
