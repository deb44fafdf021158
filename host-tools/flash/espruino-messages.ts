/** Messages between the flasher and the child process in which the `espruino` package runs. */

/** From the flasher to the child. */
export type ToChild =
  | {
      kind: "start";
      /** The flash from its origin on; bytes before `offset` are not written. */
      image: Uint8Array;
      offset: number;
    }
  /** Bytes that came from the board. */
  | { kind: "received"; bytes: Uint8Array }
  /** The write with this number has left. */
  | { kind: "written"; write: number };

/** From the child to the flasher. */
export type FromChild =
  /** The child listens. */
  | { kind: "ready" }
  /** Bytes for the board. */
  | { kind: "write"; write: number; bytes: Uint8Array }
  /** A stage begins, of `total` bytes where that is known. */
  | { kind: "stage"; text: string; total?: number }
  /** The package reports trouble on its console, and means to try again. */
  | { kind: "trouble"; text: string }
  /** So many bytes more are done. */
  | { kind: "progress"; bytes: number }
  /** The end; with the package's own words where it failed. */
  | { kind: "done"; error?: string };
