import { systemBinding } from "../serial/line.js";
import { listPorts } from "../serial/ports.js";
import { onStop } from "../terminal.js";
import type { MonitorHost } from "./run.js";

/** This machine; Ctrl-C, a stop by the system, or a reader that goes away ends the monitor. */
export function systemHost(): MonitorHost {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  onStop(stop);
  process.stdout.on("error", stop);
  return {
    binding: systemBinding,
    ports: () => listPorts(),
    print: (line) => void process.stdout.write(`${line}\n`),
    say: (line) => void process.stderr.write(`${line}\n`),
    now: Date.now,
    signal: controller.signal,
    retryMs: 500,
    firstTries: 10,
    idleMs: 250,
  };
}
