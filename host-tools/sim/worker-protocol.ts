import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
import type { Subnet } from "../net/addresses.js";
import type { Impairments } from "../net/link.js";
import type { ScriptStep } from "./script-parse.js";
import type { DeviceSpec, RunResult } from "./world-device.js";

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
    };

/** What the worker tells the main thread. */
export type WorkerMessage =
  | { kind: "log"; line: LogLine }
  | { kind: "frames" }
  | { kind: "led"; lit: boolean }
  | { kind: "refused"; message: string; exitCode: number }
  | { kind: "ended"; result: RunResult };
