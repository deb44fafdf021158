const CTRL_C = 0x03;
const CTRL_Z = 0x1a;
const CTRL_BACKSLASH = 0x1c;

/**
 * Calls `stop` when the person wants the command to end: Ctrl-C, or SIGTERM. In a terminal keys are read one by one, so that
 * Ctrl-C reaches this process alone: as a signal it would also end the shell that `npm start` has put in between, and npm
 * would call that a failure. `onKey` gets every other key. The result gives the terminal back.
 */
export function onStop(stop: () => void, onKey: (key: string) => void = () => {}): () => void {
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const { stdin } = process;
  const raw = stdin.isTTY === true && process.stdout.isTTY === true;
  const read = (keys: Buffer): void => {
    for (const key of keys) {
      if (key === CTRL_C) stop();
      // Windows has no jobs that wait, and none of these signals.
      else if (process.platform === "win32") onKey(String.fromCharCode(key));
      else if (key === CTRL_Z) suspend();
      else if (key === CTRL_BACKSLASH) process.kill(process.pid, "SIGQUIT");
      else onKey(String.fromCharCode(key));
    }
  };
  const suspend = (): void => {
    stdin.setRawMode(false);
    process.once("SIGCONT", () => stdin.setRawMode(true));
    // 0: the whole job, as the terminal would have done.
    process.kill(0, "SIGTSTP");
  };
  const restore = (): void => void stdin.setRawMode(false);
  if (raw) {
    stdin.setRawMode(true);
    stdin.on("data", read);
    process.on("exit", restore);
  }
  return () => {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    if (!raw) return;
    stdin.off("data", read);
    process.off("exit", restore);
    stdin.pause();
    restore();
  };
}
