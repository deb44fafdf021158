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
import type { VirtualWorld } from "./world-virtual.js";

/** How often a line that waits looks again, simulated. */
const LOOK_NS = 1e6;
/** Longest wait for what a line needs before it can begin: the device's address, room to send. */
const NEEDS_MS = 30_000;

type Expect = Extract<ScriptAction, { verb: "expect" }>;

/** Runs a script beside the device, in virtual time, and ends the world with it. */
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
  private lit = false;
  /** What has come and no line has asked for. */
  private readonly heard = { log: "", udp: "", tcp: "" };
  private readonly frames: FrameSink;

  constructor(
    private readonly steps: readonly ScriptStep[],
    private readonly world: VirtualWorld,
  ) {
    this.frames = world.lan.ethernet.attach("script", () => undefined).send;
    this.await();
  }

  /** Takes a line of the device's log. */
  log(text: string): void {
    this.heard.log += `${text}\n`;
  }

  /** The status LED was switched. */
  led(lit: boolean): void {
    this.lit = lit;
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
    const { action } = this.steps[this.next] as ScriptStep;
    this.receive();
    const waitMs = (this.nowNs - this.sinceNs) / 1e6;
    if (this.perform(action)) {
      if (action.verb === "end") return this.finish();
      this.next++;
      return this.await();
    }
    if (this.failure !== undefined) return;
    const limitMs = action.verb === "expect" ? action.withinMs : NEEDS_MS;
    if (waitMs >= limitMs) return this.fail(this.missing(action, limitMs));
    this.world.clock.schedule(LOOK_NS, () => this.look());
  }

  /** Does what the line says; false: not yet. */
  private perform(action: ScriptAction): boolean {
    const { machine } = this.world.device;
    switch (action.verb) {
      case "press":
        machine.pins?.press(true);
        this.world.clock.schedule(action.ms * 1e6, () => machine.pins?.press(false));
        return true;
      case "pin":
        machine.pins?.drive(action.pin, action.high);
        return true;
      case "cable":
        machine.chip.setLink(action.plugged);
        return true;
      case "frame":
        this.frames(action.data);
        return true;
      case "udp":
        return this.sendUdp(action.port, action.data);
      case "connect":
        return this.connect(action.port);
      case "send":
        return this.send(action.data);
      case "close":
        if (this.tcpFd >= 0) this.stack.closeSocket(this.tcpFd);
        this.tcpFd = -1;
        return true;
      case "expect":
        return this.expect(action);
      case "end":
        return true;
    }
  }

  private expect(action: Expect): boolean {
    if (action.what === "led") return this.lit === action.lit;
    const wanted = Buffer.from(action.data).toString("latin1");
    const at = this.heard[action.what].indexOf(wanted);
    if (at < 0) return false;
    this.heard[action.what] = this.heard[action.what].slice(at + wanted.length);
    return true;
  }

  private sendUdp(port: number, data: Uint8Array): boolean {
    const { address } = this.world;
    if (address === 0) return false;
    if (this.udpFd < 0) {
      this.udpFd = this.stack.socket(SOCK_DGRAM);
      this.stack.bind(this.udpFd, 0, 0);
    }
    return this.stack.sendTo(this.udpFd, data, address, port) >= 0;
  }

  /** Connects; as long as the device refuses, it may only not be ready yet. */
  private connect(port: number): boolean {
    const { address } = this.world;
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

  private missing(action: ScriptAction, limitMs: number): string {
    const within = `within ${limitMs / 1000} simulated seconds`;
    switch (action.verb) {
      case "expect": {
        if (action.what === "led") return `the LED is not ${action.lit ? "on" : "off"} ${within}`;
        const text = JSON.stringify(Buffer.from(action.data).toString());
        return `${text} did not come (${action.what}) ${within}`;
      }
      case "connect":
        return this.world.address === 0
          ? `the device has no address ${within}`
          : `the device takes no connection to port ${action.port} ${within}`;
      default:
        return this.world.address === 0
          ? `the device has no address ${within}`
          : `there is no room to send ${within}`;
    }
  }
}
