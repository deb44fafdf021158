import { systemBinding, type SerialBinding } from "../serial/line.js";
import { listPorts, type Port } from "../serial/ports.js";
import { systemDrives, type DriveSources } from "./drives.js";
import { terminalProgress, type Progress } from "./progress.js";
import { TIMING, type Timing } from "./timing.js";

/** What flashing needs of the machine that it runs on; tests bring their own. */
export interface FlashHost {
  binding(): Promise<SerialBinding>;
  ports(): Promise<Port[]>;
  drives: DriveSources;
  /** One line for the person: stages and prompts. */
  say(line: string): void;
  progress: Progress;
  timing: Timing;
}

/** This machine. Stages go to standard error, so that standard output stays for results. */
export function systemHost(): FlashHost {
  return {
    binding: systemBinding,
    ports: () => listPorts(),
    drives: systemDrives,
    say: (line) => void process.stderr.write(`${line}\n`),
    progress: terminalProgress(),
    timing: TIMING,
  };
}
