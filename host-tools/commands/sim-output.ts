import pc from "picocolors";
import type { Board } from "../build/boards.js";
import { formatLogLine, jsonLogLine } from "../log/print.js";
import { formatAddress } from "../net/addresses.js";
import type { Forward } from "../net/net-options.js";
import type { RunResult } from "../sim/world-device.js";
import type { WorldEvents } from "../sim/world-threads.js";

/** What well-known ports of the device are for, in the words of someone who wants to try them. */
const SERVICES: Record<string, (hostPort: number) => string> = {
  "tcp 80": (port) => `web page    http://127.0.0.1:${port}/`,
  "tcp 8080": (port) => `HTTP echo   http://127.0.0.1:${port}/`,
  "tcp 7": (port) => `TCP echo    127.0.0.1:${port}`,
  "udp 7": (port) => `UDP echo    127.0.0.1:${port}`,
};

/** What a simulation prints: lines for people, or JSON objects for scripts. */
export class SimOutput {
  /** Nobody reads the output any more. */
  onClosed: () => void = () => undefined;
  readonly json: boolean;
  private readonly gateway: number;
  /** The way to end the simulation has been told. */
  private told = false;

  constructor(options: { json: boolean; subnet: { address: number } }) {
    this.json = options.json;
    this.gateway = options.subnet.address;
    process.stdout.on("error", () => this.onClosed());
  }

  /** What will run; it may have to be compiled first. */
  begin(board: Board, app: string, device?: string): void {
    const who = device === undefined ? "" : `${pc.cyan(device)}: `;
    if (this.json) this.object({ event: "start", device, board: board.name, app });
    else this.line(`${who}${pc.bold(`${app} on ${board.name}`)} ${pc.dim(`(${board.title})`)}`);
  }

  /** What a world reports while it runs. */
  events(name?: string): WorldEvents {
    const format = this.json ? jsonLogLine : formatLogLine;
    const who = name === undefined ? "" : `${pc.cyan(name)}: `;
    return {
      onLog: (line) => this.line(format(line, name)),
      onLed: (lit) => {
        if (this.json) this.object({ event: "led", device: name, lit });
        else this.line(`  ${who}LED ${lit ? pc.green("on") : pc.dim("off")}`);
      },
    };
  }

  /** The same of several devices in one thread. */
  eventsOfAll(): WorldEvents {
    return {
      onLog: (line, device) => this.events(device).onLog?.(line),
      onLed: (lit, device) => this.events(device).onLed?.(lit),
    };
  }

  /** The device has its address, and these ports of the host lead to it. */
  ready(address: number, forwards: readonly Forward[], name?: string): void {
    const device = formatAddress(address);
    if (this.json) {
      this.object({
        event: "ready",
        device: name,
        address: device,
        gateway: formatAddress(this.gateway),
        forwards,
      });
      return;
    }
    if (this.told && forwards.length === 0) return;
    this.line("");
    for (const forward of forwards) this.forward(address, forward, name);
    // Once is enough, of however many devices.
    if (!this.told) this.line(`  ${pc.dim("Ctrl-C ends the simulation.")}`);
    this.told = true;
    this.line("");
  }

  /** The device listens on a port that one of the host leads to. */
  forward(address: number, { protocol, hostPort, devicePort }: Forward, name?: string): void {
    const service = SERVICES[`${protocol} ${devicePort}`];
    const text = service?.(hostPort) ?? `${protocol.toUpperCase()}         127.0.0.1:${hostPort}`;
    const to = `-> ${name ?? formatAddress(address)} port ${devicePort}`;
    this.line(`  ${pc.green(text)}  ${pc.dim(to)}`);
  }

  /** Something worth knowing about the network. */
  note(text: string): void {
    if (this.json) this.object({ event: "note", text });
    else this.line(`  ${pc.dim(text)}`);
  }

  /** The run has ended; `frames` went over the network. */
  ended(result: RunResult, frames: number | undefined, device?: string): void {
    if (!this.json) return;
    const seconds = Number.isNaN(result.simulatedMs)
      ? null
      : Math.round(result.simulatedMs * 1000) / 1e6;
    const { reason } = result;
    this.object({ event: "end", device, reason, time: seconds, frames });
  }

  private object(value: object): void {
    this.line(JSON.stringify(value));
  }

  private line(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}
