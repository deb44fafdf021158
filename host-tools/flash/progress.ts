/** Shows how far a long job is. */
export interface Progress {
  /** Begins a job of `total` steps. */
  start(what: string, total: number): void;
  /** `done` of the total are finished. */
  update(done: number): void;
  /** The job is finished or given up: the line is cleared. */
  stop(): void;
}

const BAR_CELLS = 30;

/** A bar on one line of a terminal; nothing where the output is not a terminal. */
export function terminalProgress(out: NodeJS.WriteStream = process.stderr): Progress {
  let what = "";
  let total = 1;
  let shown = "";
  const show = (text: string): void => {
    if (!out.isTTY || text === shown) return;
    shown = text;
    out.write(`\r\x1b[K${text}`);
  };
  const update = (done: number): void => {
    const share = Math.min(1, done / total);
    const cells = Math.round(share * BAR_CELLS);
    const bar = "#".repeat(cells) + ".".repeat(BAR_CELLS - cells);
    show(`${what.padEnd(10)} [${bar}] ${String(Math.floor(share * 100)).padStart(3)} %`);
  };
  return {
    start: (job, steps) => {
      what = job;
      total = Math.max(1, steps);
      update(0);
    },
    update,
    stop: () => show(""),
  };
}
