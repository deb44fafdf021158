import { parseAddress } from "../../net/addresses.js";
import { POLLERR, POLLHUP, POLLOUT, SOCK_STREAM } from "../../net/hosted-stack.js";
import { Lan } from "../../testing/index.js";
import type { BarGroup } from "../chart.js";
import { number, table } from "../table.js";
import { Scripts, type Script } from "../../net/scripts.js";
import { Attacker } from "./attacker.js";

/** What is left of the service while SYNs come from nobody, on the models of both chips, in virtual time. */
export interface FloodCell {
  board: string;
  /** Which way the established transfer goes, seen from the device. */
  direction: "in" | "out";
  syns: number;
  perSecond: number;
  /** How many of them were answered. */
  answered: number;
  /** The transfer, Mbit/s: before, while the SYNs come, and their ratio. */
  transfer: { before: number; during: number; share: number };
  /** Part of the wire that SYNs take in one direction, and their answers in the other. */
  wire: { syns: number; answers: number };
  /** New clients while the SYNs come, each with a request; slowest of them from its first SYN to the end of the page. */
  clients: { begun: number; served: number; slowestMs: number };
  /** Requests on a kept connection, one after the other, a second: before, and from the moment that the SYNs end. */
  requests: { before: number; after: number; share: number };
}

export type FloodResult = FloodCell[];

const BOARDS = ["virtual-w5500", "virtual-enc28j60"] as const;
const WIRE_MBPS: Record<string, number> = { "virtual-w5500": 100, "virtual-enc28j60": 10 };
/** A frame of the shortest length on the wire, bits. */
const SHORT_FRAME_BITS = 84 * 8;
const ROUTER = "192.168.77.1";
const DEVICE = "192.168.77.50/24";
const [HTTP, DISCARD, CHARGEN] = [80, 9, 19];
const SYNS = 100_000;
/** A flood that a line of 10 Mbit/s has room for beside a transfer, and the one of the findings. */
const RATES = [1000, 4200];
const SETTLE_MS = 500;
const BEFORE_MS = 2000;
const REQUESTS = 40;
/** A new client begins each so many milliseconds, and gives up after so many. */
const CLIENT_EACH_MS = 250;
const CLIENT_PATIENCE_MS = 70_000;
const LIMIT_MS = 3_600_000;
const REQUEST = new TextEncoder().encode("GET /style.css HTTP/1.1\r\nHost: device\r\n\r\n");
const LAST_REQUEST = new TextEncoder().encode(
  "GET /style.css HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n",
);
const BLOCK = new Uint8Array(16384);

const three = (value: number): number => Math.round(value * 1000) / 1000;

class Flooded {
  private constructor(
    private readonly lan: Lan,
    private readonly scripts: Scripts,
    private readonly device: number,
    private readonly attacker: Attacker,
    private readonly cell: Pick<FloodCell, "board" | "direction" | "syns" | "perSecond">,
  ) {}

  static async measure(
    cell: Pick<FloodCell, "board" | "direction" | "syns" | "perSecond">,
    seed: number,
  ): Promise<FloodCell> {
    const lan = new Lan({ seed, dhcp: false, limitMs: LIMIT_MS });
    const device = await lan.device({ app: "demo", board: cell.board, address: DEVICE });
    const attacker = new Attacker(lan, device, parseAddress(ROUTER), seed);
    await device.ready();
    const { stack } = await lan.peer();
    // The ports are open then.
    (await device.connect(HTTP)).close();
    const scripts = new Scripts(stack, lan.clock);
    const flooded = new Flooded(lan, scripts, device.addressNumber, attacker, cell);
    const result = await flooded.all();
    lan.close();
    return result;
  }

  private async all(): Promise<FloodCell> {
    const { cell, attacker } = this;
    const before = await this.calm();
    const requestsBefore = await this.keptRequests();
    const transfer = this.transfer();
    await this.lan.sleep(SETTLE_MS);
    const clients = { begun: 0, served: 0, slowestMs: 0 };
    let over = false;
    this.scripts.run(this.newClients(clients, () => over));
    const [startNs, startBytes] = [this.lan.clock.nowNs, transfer.bytes];
    attacker.flood(HTTP, cell.syns, cell.perSecond, () => (over = true));
    await this.lan.until(() => over, "the end of the flood");
    const seconds = (this.lan.clock.nowNs - startNs) / 1e9;
    const during = ((transfer.bytes - startBytes) * 8) / seconds / 1e6;
    const answered = attacker.answers;
    transfer.end();
    const requestsAfter = await this.keptRequests();
    const done = (): boolean => this.open === 0;
    await this.lan.until(done, "the end of the new clients", 2 * CLIENT_PATIENCE_MS);
    const wireBits = seconds * 1e6 * (WIRE_MBPS[cell.board] as number);
    return {
      ...cell,
      answered,
      transfer: { before: three(before), during: three(during), share: three(during / before) },
      wire: {
        syns: three((cell.syns * SHORT_FRAME_BITS) / wireBits),
        answers: three((answered * SHORT_FRAME_BITS) / wireBits),
      },
      clients: { ...clients, slowestMs: Math.round(clients.slowestMs) },
      requests: {
        before: Math.round(requestsBefore),
        after: Math.round(requestsAfter),
        share: three(requestsAfter / requestsBefore),
      },
    };
  }

  /** Rate of the transfer when nothing else happens, Mbit/s. */
  private async calm(): Promise<number> {
    const transfer = this.transfer();
    await this.lan.sleep(SETTLE_MS);
    const start = transfer.bytes;
    await this.lan.sleep(BEFORE_MS);
    const bytes = transfer.bytes - start;
    transfer.end();
    await this.lan.sleep(SETTLE_MS);
    return (bytes * 8) / BEFORE_MS / 1000;
  }

  /** The transfer that is measured: bytes that have been taken by the other side's application or into its ring. */
  private transfer(): { bytes: number; end: () => void } {
    const { scripts, device, cell } = this;
    const { stack } = scripts;
    let fd = -1;
    let ended = false;
    const end = (): void => {
      ended = true;
      stack.abort(fd);
    };
    const state = { bytes: 0, end };
    const script = function* (): Script {
      fd = yield* scripts.connect(device, cell.direction === "in" ? DISCARD : CHARGEN);
      for (;;) {
        const ready = cell.direction === "in" ? POLLOUT : 1;
        yield () => !ended && (stack.events(fd) & (ready | POLLERR | POLLHUP)) !== 0;
        const moved = cell.direction === "in" ? stack.send(fd, BLOCK) : stack.recv(fd, 65536);
        if (moved <= 0) throw new Error(`${cell.board}: the transfer has failed (${moved})`);
        state.bytes += moved;
      }
    };
    scripts.run(script());
    return state;
  }

  /** Requests on one connection, a second, its handshake apart. */
  private async keptRequests(): Promise<number> {
    const { scripts, device, lan } = this;
    let ms = 0;
    const script = function* (): Script {
      const fd = yield* scripts.connect(device, HTTP);
      const startNs = lan.clock.nowNs;
      for (let i = 0; i < REQUESTS; i++) {
        scripts.stack.send(fd, REQUEST);
        yield* page(scripts, fd);
      }
      ms = (lan.clock.nowNs - startNs) / 1e6;
      scripts.stack.closeSocket(fd);
    };
    scripts.run(script());
    await lan.until(() => ms !== 0, "answers on a kept connection");
    return (REQUESTS * 1000) / ms;
  }

  private open = 0;

  private *newClients(clients: FloodCell["clients"], over: () => boolean): Script {
    while (!over()) {
      clients.begun++;
      this.open++;
      this.scripts.run(this.newClient(clients));
      yield* this.scripts.sleep(CLIENT_EACH_MS);
    }
  }

  private *newClient(clients: FloodCell["clients"]): Script {
    const { scripts, lan } = this;
    const { stack } = scripts;
    const startNs = lan.clock.nowNs;
    const late = (): boolean => lan.clock.nowNs - startNs > CLIENT_PATIENCE_MS * 1e6;
    lan.clock.schedule(CLIENT_PATIENCE_MS * 1e6 + 1e6, () => stack.wake());
    const fd = stack.socket(SOCK_STREAM);
    stack.connect(fd, this.device, HTTP);
    yield () => (stack.events(fd) & (POLLOUT | POLLERR | POLLHUP)) !== 0 || late();
    if ((stack.events(fd) & POLLOUT) !== 0 && stack.send(fd, LAST_REQUEST) > 0) {
      let got = 1;
      let bytes = 0;
      while (got > 0 && !late()) {
        yield () => (stack.events(fd) & (1 | POLLERR | POLLHUP)) !== 0 || late();
        got = stack.recv(fd, 65536);
        bytes += Math.max(got, 0);
      }
      if (got === 0 && bytes > 0) {
        clients.served++;
        clients.slowestMs = Math.max(clients.slowestMs, (lan.clock.nowNs - startNs) / 1e6);
      }
    }
    stack.closeSocket(fd);
    this.open--;
  }
}

/** Takes one answer: head and body by its Content-Length. */
function* page(scripts: Scripts, fd: number): Script {
  const { stack } = scripts;
  let text = "";
  const whole = (): boolean => {
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return false;
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
    return text.length >= head + 4 + length;
  };
  while (!whole()) {
    yield () => (stack.events(fd) & (1 | POLLERR | POLLHUP)) !== 0;
    const got = stack.recv(fd, 65536);
    if (got <= 0) throw new Error(`a kept connection has failed (${got})`);
    text += Buffer.from(stack.data(got)).toString("latin1");
  }
}

/** One cell. */
export function floodCell(
  board: string,
  direction: "in" | "out",
  { syns = SYNS, perSecond = RATES[0] as number } = {},
): Promise<FloodCell> {
  return Flooded.measure({ board, direction, syns, perSecond }, 7);
}

/** Measures all cells; `count` SYNs in each. */
export async function measureFlood(
  onStep: (what: string) => void,
  count = SYNS,
): Promise<FloodResult> {
  const result: FloodResult = [];
  for (const perSecond of RATES) {
    for (const board of BOARDS) {
      for (const direction of ["in", "out"] as const) {
        onStep(`${board}, ${direction}, ${count} SYNs, ${perSecond} a second`);
        result.push(await floodCell(board, direction, { syns: count, perSecond }));
      }
    }
  }
  return result;
}

/** The result for people. */
export function printFlood(result: FloodResult): string {
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  const rows = result.map(({ board, direction, perSecond, syns, ...cell }) => [
    `${board}, ${direction}`,
    number(syns),
    number(perSecond),
    percent(cell.answered / syns),
    percent(cell.wire.syns),
    `${cell.transfer.before.toFixed(2)} -> ${cell.transfer.during.toFixed(2)}`,
    percent(cell.transfer.share),
    `${cell.clients.served} of ${cell.clients.begun}`,
    number(cell.clients.slowestMs),
    `${cell.requests.before} -> ${cell.requests.after}`,
  ]);
  const heading = [
    "SYNs from nobody",
    "SYNs",
    "a second",
    "answered",
    "of the wire",
    "transfer, Mbit/s",
    "kept",
    "new clients",
    "slowest, ms",
    "kept requests a second",
  ];
  return table(heading, rows);
}

/** Bars for the chart: the transfer before and while the SYNs come. */
export function chartFlood(result: FloodResult): BarGroup[] {
  return result.map(({ board, direction, perSecond, transfer }) => ({
    label: `${board.replace("virtual-", "")} ${direction}, ${perSecond}/s`,
    bars: [transfer.before, transfer.during],
  }));
}
