import { Worker } from "node:worker_threads";
import { UserError } from "../errors.js";
import type { LogLine } from "../log/decode.js";
import type { ScriptStep } from "./script-parse.js";
import type { DeviceSpec, RunResult } from "./world-device.js";
import type { Mac } from "../net/addresses.js";
import type { Impairments } from "../net/link.js";
import type { NamedSpec } from "./world-several.js";
import { VirtualLan, type LanOptions } from "./world-lan.js";
import { RealClock } from "./world-clock.js";
import type { VirtualWorldOptions } from "./world-virtual.js";
import { CONTROL, CONTROL_BYTES, type WorkerMessage, type WorkerTask } from "./worker-protocol.js";
import { FrameRing } from "./worker-ring.js";

/** A device that was asked to stop and does not is ended by force after this time. */
const STOP_MS = 1000;
/** How long a key of the terminal holds the button down. */
const PRESS_MS = 100;
/** A device that has not looked at its clock, pins or network for this time, of this computer's, will never do so. */
const HUNG_MS = 10_000;
/** It is looked at so often in that time, so that a computer that slept does not count. */
const LOOKS = 10;
/** Room for frames in each direction between the threads. */
const RING_BYTES = 1 << 18;

/** What a world in another thread reports. */
export interface WorldEvents {
  /** `device` names one of several that share a thread; so it does with the LED. */
  onLog?: (line: LogLine, device?: string) => void;
  /** The status LED was switched. */
  onLed?: (lit: boolean, device?: string) => void;
}

/** A simulated device in a thread of its own. */
export class DeviceThread {
  /** How the run has ended; rejected when it could not begin or the simulator itself has failed. */
  readonly ended: Promise<RunResult>;
  /** The device has sent frames. */
  onFrames: () => void = () => undefined;
  private readonly worker: Worker;
  private readonly control: Int32Array;
  private force: NodeJS.Timeout | undefined;

  constructor(task: WorkerTask, events: WorldEvents, hungMs = HUNG_MS) {
    this.control = new Int32Array(task.control);
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: task });
    this.ended = new Promise((resolve, reject) => {
      this.worker.on("message", (message: WorkerMessage) => {
        switch (message.kind) {
          case "log":
            return events.onLog?.(message.line, message.device);
          case "led":
            return events.onLed?.(message.lit, message.device);
          case "frames":
            return this.onFrames();
          case "refused":
            return reject(new UserError(message.message, message.exitCode));
          case "ended":
            return resolve(message.result);
        }
      });
      this.worker.on("error", reject);
      const watch = this.watch(hungMs, () => {
        const names = task.kind === "several" ? task.devices.map(({ name }) => name) : [];
        const device = names[Atomics.load(this.control, CONTROL.running)];
        resolve({ reason: "hung", simulatedMs: NaN, ...(device !== undefined && { device }) });
      });
      this.worker.on("exit", () => {
        clearInterval(watch);
        clearTimeout(this.force);
        resolve({ reason: "stopped", simulatedMs: NaN });
      });
    });
  }

  /** Ends a device that runs and never gives way. */
  private watch(hungMs: number, onHung: () => void): NodeJS.Timeout {
    let [seen, still] = [0, 0];
    return setInterval(() => {
      const alive = Atomics.load(this.control, CONTROL.alive);
      still = alive === seen ? still + 1 : 0;
      seen = alive;
      if (alive === 0 || still < LOOKS) return;
      onHung();
      void this.worker.terminate();
    }, hungMs / LOOKS).unref();
  }

  /** Wakes the device: something is there for it. */
  ring(): void {
    Atomics.add(this.control, CONTROL.bell, 1);
    Atomics.notify(this.control, CONTROL.bell);
  }

  /** Presses the button for a moment. */
  press(): void {
    const hold = (down: number): void => {
      Atomics.store(this.control, CONTROL.button, down);
      this.ring();
    };
    hold(1);
    setTimeout(() => hold(0), PRESS_MS).unref();
  }

  /** Ends the run; `ended` tells when that has happened. */
  stop(): void {
    Atomics.store(this.control, CONTROL.stop, 1);
    this.ring();
    this.force ??= setTimeout(() => void this.worker.terminate(), STOP_MS);
  }
}

/** A device in virtual time with its whole world in another thread, so that this one stays free for the terminal. */
export function startVirtual(
  spec: DeviceSpec,
  lan: Pick<VirtualWorldOptions, "gateway" | "subnet" | "impairments" | "dhcp"> & {
    script?: ScriptStep[] | undefined;
  },
  events: WorldEvents,
  hungMs?: number,
): DeviceThread {
  const { gateway, subnet, impairments, dhcp, script } = lan;
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  return new DeviceThread(
    { kind: "virtual", spec, control, gateway, subnet, impairments, dhcp: dhcp ?? true, script },
    events,
    hungMs,
  );
}

/** Several devices, whose firmware is compiled as fibers, in virtual time, with their network in another thread. */
export function startSeveral(
  devices: NamedSpec[],
  lan: Pick<VirtualWorldOptions, "gateway" | "subnet"> & {
    reserved: ReadonlyMap<Mac, number>;
    script?: ScriptStep[] | undefined;
  },
  events: WorldEvents,
  hungMs?: number,
): DeviceThread {
  const { gateway, subnet, reserved, script } = lan;
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  return new DeviceThread(
    { kind: "several", devices, control, gateway, subnet, reserved, script },
    events,
    hungMs,
  );
}

/**
 * Devices paced to real time. Each has a thread of its own, so that it can block; the network lives in this thread, beside the
 * sockets of the host. Make the world, attach what the network needs, then `start` the devices.
 */
export class PacedWorld {
  readonly lan: VirtualLan;
  readonly clock = new RealClock();

  constructor(options: Omit<LanOptions, "clock" | "toDevice" | "onAddress">) {
    this.lan = new VirtualLan({ ...options, clock: this.clock });
  }

  /** Joins a device to the network and powers it; `onAddress` tells the address that it begins to use. */
  start(
    spec: DeviceSpec,
    events: WorldEvents & {
      name?: string;
      onAddress?: (address: number) => void;
      impairments?: Impairments;
    },
  ): DeviceThread {
    const control = new SharedArrayBuffer(CONTROL_BYTES);
    const [toDevice, fromDevice] = [FrameRing.allocate(RING_BYTES), FrameRing.allocate(RING_BYTES)];
    const thread = new DeviceThread({ kind: "paced", spec, control, toDevice, fromDevice }, events);
    const out = new FrameRing(toDevice);
    const port = this.lan.attach(
      events.name ?? "device",
      (frame, fcsGood) => {
        if (out.put(frame, fcsGood)) thread.ring();
      },
      events.onAddress,
      events.impairments,
    );
    const words = new Int32Array(control);
    const ring = new FrameRing(fromDevice);
    thread.onFrames = () => {
      // First the word, then the ring: a frame that comes in between makes the worker call again.
      Atomics.store(words, CONTROL.called, 0);
      for (let frame = ring.take(); frame; frame = ring.take()) port.fromDevice(frame);
    };
    return thread;
  }

  /** Ends the network. */
  close(): void {
    this.clock.stop();
    this.lan.gateway?.close();
  }
}
