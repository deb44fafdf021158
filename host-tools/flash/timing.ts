/** Time limits of the boot loader protocols, milliseconds. Tests shorten them. */
export interface Timing {
  /** One try of the synchronisation byte. */
  syncMs: number;
  /** Silence that ends what was said before a synchronisation byte. */
  quietMs: number;
  /** An answer that needs no flash work. */
  answerMs: number;
  /** The write of a block (AN3155 3.5). */
  writeMs: number;
  /** The erase of everything: tens of seconds on large chips. */
  eraseMs: number;
  /** Reset pulse and the boot loader's start after it. */
  resetMs: number;
  /** How long the BOOTSEL drive and other things of the file system are looked for, each time. */
  pollMs: number;
  /** How long the boot ROM may take to reboot after the last block. */
  rebootMs: number;
  /** How long the `espruino` package may stay without a sign of progress. */
  stallMs: number;
}

export const TIMING: Timing = {
  syncMs: 300,
  quietMs: 20,
  answerMs: 1000,
  writeMs: 3000,
  eraseMs: 60_000,
  resetMs: 100,
  pollMs: 500,
  rebootMs: 10_000,
  stallMs: 30_000,
};

/** Exit codes of `flash`: also in docs/flashing.md. */
export const EXIT = {
  /** The request cannot be done; the board was not touched. */
  REQUEST: 1,
  /** The board did not do what it should; what is in its flash is unknown. */
  BOARD: 2,
  /** What was read back differs from the image. */
  VERIFY: 3,
} as const;
