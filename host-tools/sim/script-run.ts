import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SOCK_DGRAM,
  SOCK_STREAM,
  type HostedStack,
} from "../net/hosted-stack.js";
import type { FrameSink } from "../net/switch.js";
import type { ScriptAction, ScriptStep } from "./script-parse.js";
import { RELEASED_MS, type Pins } from "./pins.js";
import type { ChipModel } from "./types.js";
import type { VirtualClock } from "./virtual-clock.js";
import type { VirtualLan } from "./world-lan.js";

/** How often a line that waits looks again, simulated. */
const LOOK_NS = 1e6;
/** Longest wait for what a line needs before it can begin: the device's address, room to send. */
const NEEDS_MS = 30_000;

type Expect = Extract<ScriptAction, { verb: "expect" }>;

/** A device that a line of a script is about. */
export interface ScriptTarget {
  /** The address that it uses; 0 while it has none. */
  readonly address: number;
  readonly chip: ChipModel;
  /** The emulated RP2040 offers none. */
  readonly pins?: Pins | undefined;
}

/** A world that a script is run in. */
export interface ScriptWorld {
  readonly clock: VirtualClock;
  readonly lan: VirtualLan;
  /** The device of this name; undefined is the only one. */
  target(name: string | undefined): ScriptTarget;
  stop(): void;
}

/** Runs a script beside the devices, in virtual time, and ends the world with it. */
export class ScriptRun {
  /** The line that was not fulfilled, and how. */
  failure: string | undefined;
  /** The last line is done. */
  done = false;
  private next = 0;
  /** Since when the line is due; the next one can be relative to its end. */
  private sinceNs = 0;
  private begun = false;
  private udpFd = -1;
  private tcpFd = -1;
  private readonly lit = new Set<string | undefined>();
  /** What has come and no line has asked for. */
  private readonly heard = { udp: "", tcp: "" };
  /** The same of the log of each device, and under no name of all. */
  private readonly logs = new Map<string | undefined, string>();
  private readonly frames: FrameSink;

  /** When the button of a device may be pressed again. */
  private readonly letGo = new Map<string | undefined, number>();

  constructor(
    private readonly steps: readonly ScriptStep[],
    private readonly world: ScriptWorld,
  ) {
    this.frames = world.lan.ethernet.attach("script", () => undefined).send;
    this.await();
  }

  /** Takes a line of a device's log. */
  log(text: string, device?: string): void {
    for (const name of new Set([undefined, device])) {
      this.logs.set(name, `${this.logs.get(name) ?? ""}${text}\n`);
    }
  }

  /** The status LED of a device was switched. */
  led(lit: boolean, device?: string): void {
    if (lit) this.lit.add(device);
    else this.lit.delete(device);
  }

  /** What is to be said of a run that another limit has ended. */
  get unfinished(): string | undefined {
    const step = this.steps[this.next];
    return this.done || this.failure || !step ? undefined : `${step.at} was not reached`;
  }

  private get nowNs(): number {
    return this.world.clock.nowNs;
  }

  private get stack(): HostedStack {
    const { gateway } = this.world.lan;
    if (!gateway) throw new Error("a script needs the gateway's stack");
    return gateway;
  }

  /** Waits for the time of the next line. */
  private await(): void {
    const step = this.steps[this.next];
    if (!step) return this.finish();
    const { ms, relative } = step.time;
    this.sinceNs = Math.max(this.nowNs, ms * 1e6 + (relative ? this.nowNs : 0));
    this.begun = false;
    this.world.clock.schedule(this.sinceNs - this.nowNs, () => this.look());
  }

  private finish(): void {
    this.done = true;
    this.world.stop();
  }

  private fail(text: string): void {
    this.failure = `${this.steps[this.next]?.at}: ${text}`;
    this.world.stop();
  }

  /** Is the line done? If not, time may pass. */
  private look(): void {
    const { action, device } = this.steps[this.next] as ScriptStep;
    this.receive();
    const waitMs = (this.nowNs - this.sinceNs) / 1e6;
    if (this.perform(action, device)) {
      if (action.verb === "end") return this.finish();
      this.next++;
      return this.await();
    }
    if (this.failure !== undefined) return;
    const limitMs =
      action.verb === "expect" ? action.withinMs : action.verb === "press" ? Infinity : NEEDS_MS;
    if (waitMs >= limitMs) return this.fail(this.missing(action, device, limitMs));
    this.world.clock.schedule(LOOK_NS, () => this.look());
  }

  /** Does what the line says; false: not yet. */
  private perform(action: ScriptAction, device: string | undefined): boolean {
    const { world } = this;
    switch (action.verb) {
      case "press": {
        const { pins } = world.target(device);
        if (this.nowNs < (this.letGo.get(device) ?? 0)) return false;
        this.letGo.set(device, this.nowNs + (action.ms + RELEASED_MS) * 1e6);
        pins?.press(true);
        world.clock.schedule(action.ms * 1e6, () => pins?.press(false));
        return true;
      }
      case "pin":
        world.target(device).pins?.drive(action.pin, action.high);
        return true;
      case "cable":
        world.target(device).chip.setLink(action.plugged);
        return true;
      case "frame":
        this.frames(action.data);
        return true;
      case "udp":
        return this.sendUdp(world.target(device), action.port, action.data);
      case "connect":
        return this.connect(world.target(device), action.port);
      case "send":
        return this.send(action.data);
      case "close":
        if (this.tcpFd >= 0) this.stack.closeSocket(this.tcpFd);
        this.tcpFd = -1;
        return true;
      case "expect":
        return this.expect(action, device);
      case "end":
        return true;
    }
  }

  private expect(action: Expect, device: string | undefined): boolean {
    if (action.what === "led") return this.lit.has(device) === action.lit;
    const { what } = action;
    const heard = what === "log" ? (this.logs.get(device) ?? "") : this.heard[what];
    const wanted = Buffer.from(action.data).toString(what === "log" ? "utf8" : "latin1");
    const at = heard.indexOf(wanted);
    if (at < 0) return false;
    const rest = heard.slice(at + wanted.length);
    if (what === "log") this.logs.set(device, rest);
    else this.heard[what] = rest;
    return true;
  }

  private sendUdp({ address }: ScriptTarget, port: number, data: Uint8Array): boolean {
    if (address === 0) return false;
    if (this.udpFd < 0) {
      this.udpFd = this.stack.socket(SOCK_DGRAM);
      this.stack.bind(this.udpFd, 0, 0);
    }
    return this.stack.sendTo(this.udpFd, data, address, port) >= 0;
  }

  /** Connects; as long as the device refuses, it may only not be ready yet. */
  private connect({ address }: ScriptTarget, port: number): boolean {
    if (address === 0) return false;
    if (!this.begun) {
      if (this.tcpFd >= 0) this.stack.closeSocket(this.tcpFd);
      this.tcpFd = this.stack.socket(SOCK_STREAM);
      this.stack.connect(this.tcpFd, address, port);
      this.heard.tcp = "";
      this.begun = true;
    }
    const events = this.stack.events(this.tcpFd);
    if (events & (POLLERR | POLLHUP)) this.begun = false;
    return this.begun && (events & POLLOUT) !== 0;
  }

  private send(data: Uint8Array): boolean {
    if (this.tcpFd < 0) {
      this.fail("there is no connection; begin with connect PORT");
      return false;
    }
    if ((this.stack.events(this.tcpFd) & POLLOUT) === 0) return false;
    const sent = this.stack.send(this.tcpFd, data);
    if (sent === data.length) return true;
    this.fail(`the connection takes ${Math.max(sent, 0)} of ${data.length} bytes`);
    return false;
  }

  private receive(): void {
    if (this.udpFd >= 0 && this.stack.events(this.udpFd) & POLLIN) {
      const got = this.stack.recvFrom(this.udpFd);
      if (got > 0) this.heard.udp += this.taken(got);
    }
    if (this.tcpFd >= 0 && this.stack.events(this.tcpFd) & POLLIN) {
      const got = this.stack.recv(this.tcpFd);
      if (got > 0) this.heard.tcp += this.taken(got);
    }
  }

  private taken(bytes: number): string {
    return Buffer.from(this.stack.data(bytes)).toString("latin1");
  }

  private missing(action: ScriptAction, device: string | undefined, limitMs: number): string {
    const within = `within ${limitMs / 1000} simulated seconds`;
    const who = device === undefined ? "the device" : `the device ${device}`;
    const full = `there is no room to send ${within}`;
    const addressless = (): boolean => this.world.target(device).address === 0;
    switch (action.verb) {
      case "expect": {
        if (action.what === "led") {
          const whose = device === undefined ? "the LED" : `the LED of ${device}`;
          return `${whose} is not ${action.lit ? "on" : "off"} ${within}`;
        }
        const text = JSON.stringify(Buffer.from(action.data).toString());
        return `${text} did not come (${action.what}) ${within}`;
      }
      case "connect":
        return addressless()
          ? `${who} has no address ${within}`
          : `${who} takes no connection to port ${action.port} ${within}`;
      case "udp":
        return addressless() ? `${who} has no address ${within}` : full;
      default:
        return full;
    }
  }
}
