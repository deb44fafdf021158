import { UserError } from "../errors.js";
import type { SpiSlave } from "../sim/types.js";

/** One transaction, from CSn low to CSn high, as hexadecimal bytes. */
export interface SpiTransaction {
  mosi: string;
  miso: string;
}

const hex = (bytes: number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");

/**
 * A chip that follows a script: each transaction must have exactly the expected MOSI bytes and is answered with the
 * scripted MISO bytes. MOSI `..` matches any byte; MISO bytes that are not given are 00. The first difference throws.
 */
export class ScriptedSpi implements SpiSlave {
  interrupt = false;
  onInterrupt: (low: boolean) => void = () => undefined;
  /** Levels that RSTn was given. */
  readonly resets: boolean[] = [];
  private readonly script: SpiTransaction[] = [];
  private done = 0;
  private selected = false;
  private mosi: number[] = [];
  private miso: number[] = [];

  /** Adds a transaction: the bytes that the driver must send and those that it gets. */
  expect(mosi: string, miso = ""): this {
    for (const word of `${mosi} ${miso}`.split(/\s+/)) {
      if (/^(\.\.|[0-9a-f]{2})?$/i.test(word)) continue;
      throw new UserError(
        `'${word}' is no byte of a script; write two hexadecimal digits, or .. for any`,
      );
    }
    const plain = (bytes: string): string => bytes.trim().replace(/\s+/g, " ").toLowerCase();
    this.script.push({ mosi: plain(mosi), miso: plain(miso) });
    return this;
  }

  select(): void {
    if (this.selected) throw new Error("CSn goes low twice");
    const step = this.script[this.done];
    if (!step) throw new Error(`the script has ended after ${this.done} transactions`);
    this.selected = true;
    this.mosi = [];
    this.miso = step.miso.split(" ").map((byte) => parseInt(byte, 16) || 0);
  }

  exchange(mosi: number): number {
    if (!this.selected) throw new Error("a byte is clocked while CSn is high");
    this.mosi.push(mosi);
    return this.miso[this.mosi.length - 1] ?? 0;
  }

  deselect(): void {
    // A driver may raise CSn that is high already.
    if (!this.selected) return;
    this.selected = false;
    const expected = (this.script[this.done] as SpiTransaction).mosi.split(" ");
    const got = hex(this.mosi).split(" ");
    const same =
      got.length === expected.length && expected.every((b, i) => b === ".." || b === got[i]);
    if (!same) {
      throw new Error(
        `transaction ${this.done}:\n  expected ${expected.join(" ")}\n  got      ${got.join(" ")}`,
      );
    }
    this.done++;
  }

  reset(low: boolean): void {
    this.resets.push(low);
  }

  /** Transactions of the script that have not happened. */
  get left(): number {
    return this.script.length - this.done;
  }
}
