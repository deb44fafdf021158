import { setTimeout as sleep } from "node:timers/promises";
import { OpenError, type SerialLine } from "../serial/line.js";

/** What a session needs and whom it tells. */
export interface SessionOptions {
  /** Opens the port; called for each connection, because a port may come back by another name. */
  open(): Promise<SerialLine>;
  onConnect(path: string): void;
  onBytes(bytes: Uint8Array): void;
  /** The port went away. */
  onLost(path: string): void;
  /** Ends the session. */
  signal: AbortSignal;
  /** Pause between two tries to open. */
  retryMs: number;
  /** How many tries the first connection gets while another program still has the port. */
  firstTries: number;
  /** A port that is not there yet is waited for as well. */
  awaitPort: boolean;
}

/** Holds a connection to a port, and makes a new one whenever it is lost, until the signal. */
export async function runSession(options: SessionOptions): Promise<void> {
  let tries = options.firstTries;
  while (!options.signal.aborted) {
    let line: SerialLine;
    try {
      line = await options.open();
    } catch (error) {
      tries -= 1;
      if (!(error instanceof OpenError) || tries <= 0 || !passing(error, options, tries))
        throw error;
      await pause(options);
      continue;
    }
    tries = Infinity;
    if (await follow(line, options)) await pause(options);
  }
}

/** True for a failure that may pass by itself; once connected, all but a missing right may. */
function passing(error: OpenError, options: SessionOptions, tries: number): boolean {
  if (error.reason === "busy") return true;
  if (error.reason === "missing") return options.awaitPort || tries === Infinity;
  return error.reason === "other" && tries === Infinity;
}

/** Passes bytes on until the port is lost (true) or the session ends (false). */
async function follow(line: SerialLine, options: SessionOptions): Promise<boolean> {
  const { signal } = options;
  options.onConnect(line.path);
  let stop: () => void = () => undefined;
  const lost = await new Promise<boolean>((resolve) => {
    stop = () => resolve(false);
    line.onLost = () => resolve(true);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    line.listen(options.onBytes);
    if (!line.alive) resolve(true);
  });
  signal.removeEventListener("abort", stop);
  if (lost) options.onLost(line.path);
  await line.close();
  return lost;
}

async function pause(options: SessionOptions): Promise<void> {
  await sleep(options.retryMs, undefined, { signal: options.signal }).catch(() => undefined);
}
