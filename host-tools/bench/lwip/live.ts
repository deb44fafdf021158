import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readElfTables } from "../../build/device/elf.js";
import { CORTEX_M0PLUS, buildCortex, type ReplayRequest } from "../instructions/build.js";
import type { Subject } from "../instructions/recorder.js";
import { CountingCore, type Counted } from "../instructions/rp2040.js";

/** Breakpoints of c/cortex.c. */
const WANTS_MORE = 3;
const FRAME_OUT = 4;

const FLASH = 0x10000000;

/**
 * lwIP on the emulated Cortex-M0+ in lock step with the peer: each step is written behind the recording in its flash, and
 * counted while it runs.
 */
export class LiveLwip implements Subject {
  private at: number;
  private sent: Uint8Array[] = [];
  private waits = false;

  private constructor(
    private readonly core: CountingCore,
    traceStart: number,
  ) {
    this.at = traceStart - FLASH;
    core.onBreak = (code, r0, r1) => {
      if (code === WANTS_MORE) this.waits = true;
      else if (code === FRAME_OUT) this.sent.push(core.read(r0, r1));
      else throw new Error(`lwIP on the emulated RP2040 has failed: ${r0}`);
    };
    this.run();
  }

  static async start(request: Omit<ReplayRequest, "trace">): Promise<LiveLwip> {
    const folder = await buildCortex(CORTEX_M0PLUS, {
      ...request,
      trace: new Uint8Array(4),
      live: true,
    });
    const file = readFileSync(join(folder, "replay.elf"));
    if (!process.env["KEEP_BUILD"]) rmSync(folder, { recursive: true, force: true });
    const trace = readElfTables(file).symbols.find(({ name }) => name === "trace_start");
    if (!trace) throw new Error("the replay has no trace");
    return new LiveLwip(new CountingCore(file), trace.address);
  }

  /** Cost of the marked stretches so far. */
  get counts(): Map<number, Counted> {
    return this.core.results;
  }

  private run(): void {
    this.waits = false;
    this.core.run(() => this.waits);
  }

  turn(_now: number, _frame: Uint8Array | undefined, steps: Uint8Array): Uint8Array[] {
    this.core.mcu.flash.set(steps, this.at);
    // An END behind them.
    this.core.mcu.flash.fill(0, this.at + steps.length, this.at + steps.length + 4);
    this.at += steps.length;
    this.run();
    // What it sent at its start is part of the first turn.
    const { sent } = this;
    this.sent = [];
    return sent;
  }

  choose(): void {
    // A step as all others.
  }
}
