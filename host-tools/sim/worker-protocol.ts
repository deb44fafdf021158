import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
import type { Mac, Subnet } from "../net/addresses.js";
import type { Impairments } from "../net/link.js";
import type { ScriptStep } from "./script-parse.js";
import type { DeviceSpec, RunResult } from "./world-device.js";
import type { NamedSpec } from "./world-several.js";

/** Words of the control memory that both threads see. */
export const CONTROL = {
  /** Counts what the main thread has sent; the worker waits on it. */
  bell: 0,
  /** The main thread wants the run to end. */
  stop: 1,
  /** The worker has told the main thread about frames, which it has not looked at yet. */
  called: 2,
  /** Counts the looks of the device at the world; it stands still when the firmware never looks. */
  alive: 4,
  /** The button is held down. */
  button: 3,
  /** Of several devices in one thread: the number of the one that runs. */
  running: 5,
} as const;

export const CONTROL_BYTES = 64;

/** What the worker is to do. */
export type WorkerTask =
  | {
      kind: "paced";
      spec: DeviceSpec;
      control: SharedArrayBuffer;
      /** Rings of frames (worker-ring.ts). */
      toDevice: SharedArrayBuffer;
      fromDevice: SharedArrayBuffer;
    }
  | {
      kind: "virtual";
      spec: DeviceSpec;
      control: SharedArrayBuffer;
      gateway: Firmware | undefined;
      subnet: Subnet | undefined;
      impairments: Impairments | undefined;
      dhcp: boolean;
      /** What happens to the device. */
      script?: ScriptStep[] | undefined;
    }
  | {
      kind: "several";
      devices: NamedSpec[];
      control: SharedArrayBuffer;
      gateway: Firmware | undefined;
      subnet: Subnet | undefined;
      reserved: ReadonlyMap<Mac, number>;
      script?: ScriptStep[] | undefined;
    };

/** What the worker tells the main thread. */
export type WorkerMessage =
  | { kind: "log"; line: LogLine; device?: string }
  | { kind: "frames" }
  | { kind: "led"; lit: boolean; device?: string }
  | { kind: "refused"; message: string; exitCode: number }
  | { kind: "ended"; result: RunResult };
