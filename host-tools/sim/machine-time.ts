import { StopSimulation, type MachineTime, type StopReason } from "./machine.js";
import { VirtualClock } from "./virtual-clock.js";

/** Simulated time may go on this long before the world is looked at again. */
const CHECK_NS = 50_000;

/**
 * Virtual time: the simulation runs as fast as it can, and sleeping jumps to the next event. Everything lives in one
 * thread, so one seed gives one run.
 */
export class VirtualTime implements MachineTime {
  private reason: StopReason | undefined;

  /** `stopWanted` is asked now and then: the wish of another thread. */
  constructor(
    readonly clock = new VirtualClock(),
    private readonly stopWanted: () => boolean = () => false,
  ) {}

  /** Ends the run at the next opportunity. */
  stop(reason: StopReason): void {
    this.reason ??= reason;
  }

  busy(): void {
    if (this.reason === undefined && this.stopWanted()) this.reason = "stopped";
    if (this.reason !== undefined) throw new StopSimulation(this.reason);
  }

  idle(untilNs: number, awake: () => boolean): void {
    const { clock } = this;
    for (;;) {
      this.busy();
      if (awake()) return;
      const next = clock.nextNs;
      if (next === undefined || next > untilNs) break;
      clock.runNext();
    }
    if (untilNs === Infinity) throw new StopSimulation("stopped");
    clock.advanceTo(untilNs);
  }
}

/** What a paced machine shares with the thread that has the network. */
export interface PacedLink {
  /** Takes in what the other thread has sent. Must not advance the clock. */
  collect(): void;
  /** Is anything there to collect? */
  pending(): boolean;
  /** The other thread wants the run to end. */
  stopWanted(): boolean;
  /** Changes whenever the other thread has sent something; waited on. */
  bell: Int32Array;
  /** Called when the machine has been idle for a while: a good moment to write files. */
  quiet?: () => void;
}

/** Idle time after which files are brought up to date. */
const QUIET_MS = 200;
/** Longest single wait; nothing depends on it but the time after which a lost wake-up would be noticed. */
const WAIT_MS_MAX = 500;

/**
 * Time paced to real time: simulated time never runs ahead of real time. A machine that is too slow for that falls
 * behind, and catches up by sleeping less. The thread blocks while there is nothing to do.
 */
export class PacedTime implements MachineTime {
  readonly clock = new VirtualClock();
  private reason: StopReason | undefined;
  private checkNs = 0;

  /** `realNs` is the real time since the start of the simulation. */
  constructor(
    private readonly link: PacedLink,
    private readonly realNs: () => number,
    readonly busSpeed = 1,
    readonly negotiationMs?: number | undefined,
  ) {}

  stop(reason: StopReason): void {
    this.reason ??= reason;
  }

  busy(): void {
    if (this.clock.nowNs < this.checkNs) return;
    this.check();
    this.checkNs = this.clock.nowNs + CHECK_NS;
    for (;;) {
      const aheadMs = (this.clock.nowNs - this.realNs()) / 1e6;
      if (aheadMs <= 0) return;
      this.wait(aheadMs);
      this.check();
    }
  }

  idle(untilNs: number, awake: () => boolean): void {
    const { clock } = this;
    for (;;) {
      this.check();
      if (awake()) return;
      const real = Math.max(this.realNs(), clock.nowNs);
      const target = Math.min(real, untilNs);
      const next = clock.nextNs;
      if (next !== undefined && next <= target) {
        clock.runNext();
        continue;
      }
      clock.advanceTo(target);
      if (target >= untilNs) return;
      this.wait((Math.min(next ?? Infinity, untilNs) - this.realNs()) / 1e6);
    }
  }

  private check(): void {
    this.link.collect();
    if (this.reason === undefined && this.link.stopWanted()) this.reason = "stopped";
    if (this.reason !== undefined) throw new StopSimulation(this.reason);
  }

  /** Blocks until the time is over or the other thread rings. */
  private wait(ms: number): void {
    if (ms <= 0) return;
    const { bell } = this.link;
    const before = Atomics.load(bell, 0);
    if (this.link.pending() || this.link.stopWanted()) return;
    if (ms > QUIET_MS) this.link.quiet?.();
    Atomics.wait(bell, 0, before, Math.min(ms, WAIT_MS_MAX));
  }
}
