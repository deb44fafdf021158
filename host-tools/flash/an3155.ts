/**
 * The protocol of the STM32 ROM boot loader over a UART (AN3155), which the Espruino boot loader
 * also speaks. A command is a byte and its complement; the answer is ACK or NACK; addresses are
 * big-endian with an XOR byte behind.
 */
import { UserError } from "../errors.js";
import { LineLost, LineSilent, type SerialLine } from "../serial/line.js";
import { hex } from "./image/segments.js";
import { EXIT, type Timing } from "./timing.js";

export const ACK = 0x79;
export const NACK = 0x1f;
export const SYNC = 0x7f;

/** Command codes (AN3155 table 2). */
export const COMMAND = {
  GET: 0x00,
  GET_ID: 0x02,
  READ: 0x11,
  GO: 0x21,
  WRITE: 0x31,
  ERASE: 0x43,
  EXTENDED_ERASE: 0x44,
  WRITE_UNPROTECT: 0x73,
  READOUT_UNPROTECT: 0x92,
} as const;

/** Bytes that one read or write command carries. */
export const BLOCK_BYTES = 256;

/** Erase units in one command; the boot loader's buffer is small. */
const UNITS_PER_ERASE = 64;

/** The board did not do its part. */
export class BoardError extends UserError {
  constructor(
    message: string,
    /** What came instead of the expected answer. */
    readonly kind: "nack" | "silence" | "garbage" | "lost",
    /** It is known that the flash is as it was. */
    readonly untouched = false,
  ) {
    super(message, EXIT.BOARD);
    this.name = "BoardError";
  }
}

/** What a refusal may mean. */
const PROTECTED = " (the chip may be protected: --unprotect lifts that and erases all of it)";

/** XOR of bytes: the protocol's checksum. */
export function xor(bytes: Iterable<number>): number {
  let sum = 0;
  for (const byte of bytes) sum ^= byte;
  return sum;
}

/** What `get` reports. */
export interface LoaderInfo {
  /** Protocol version, BCD: 0x31 is 3.1. */
  version: number;
  commands: ReadonlySet<number>;
}

/** A client of the boot loader on an open line. */
export class BootLoader {
  private info: LoaderInfo | undefined;
  /** An erase command has been accepted. */
  private erasing = false;

  constructor(
    private readonly line: SerialLine,
    private readonly timing: Timing,
  ) {}

  /**
   * Sends the synchronisation byte once. True when the boot loader is there and in step.
   *
   * ACK is the answer of a boot loader that was just started. One that is in step already takes the
   * byte as half of a command and keeps silent; the next try completes it and brings NACK, which
   * says in step as well.
   */
  async sync(): Promise<boolean> {
    const what = "looking for the boot loader";
    try {
      // An answer that is still under way would be taken for the answer to this byte.
      await this.line.settle(this.timing.quietMs, this.timing.syncMs);
      await this.line.write(Uint8Array.of(SYNC));
      const [answer] = await this.line.read(1, this.timing.syncMs);
      return answer === ACK || answer === NACK;
    } catch (error) {
      if (error instanceof LineSilent) return false;
      throw this.explain(error, what);
    }
  }

  /** Get: version and commands; fails when what answers is not a boot loader. */
  async get(): Promise<LoaderInfo> {
    const what = "asking for its commands";
    await this.command(COMMAND.GET, what);
    const [count] = await this.receive(1, this.timing.answerMs, what);
    const bytes = await this.receive((count as number) + 1, this.timing.answerMs, what);
    await this.acknowledge(this.timing.answerMs, what);
    this.info = { version: bytes[0] as number, commands: new Set(bytes.subarray(1)) };
    return this.info;
  }

  /** Get ID: the product id of the chip (AN2606). */
  async id(): Promise<number> {
    const what = "asking for the chip id";
    await this.command(COMMAND.GET_ID, what);
    const [count] = await this.receive(1, this.timing.answerMs, what);
    const bytes = await this.receive((count as number) + 1, this.timing.answerMs, what);
    await this.acknowledge(this.timing.answerMs, what);
    return bytes.reduce((id, byte) => id * 256 + byte, 0);
  }

  /** Reads up to 256 bytes. */
  async read(address: number, bytes: number): Promise<Uint8Array> {
    const what = `reading at ${hex(address)}`;
    await this.readable(what);
    await this.address(address, what);
    const count = bytes - 1;
    await this.send([count, count ^ 0xff], what);
    await this.acknowledge(this.timing.answerMs, what);
    return this.receive(bytes, this.timing.answerMs, what);
  }

  /** Writes up to 256 bytes, a multiple of 4, to erased flash. */
  async write(address: number, data: Uint8Array): Promise<void> {
    const what = `writing at ${hex(address)}`;
    await this.command(COMMAND.WRITE, what);
    await this.address(address, what);
    const body = [data.length - 1, ...data];
    await this.send([...body, xor(body)], what);
    await this.acknowledge(this.timing.writeMs, what);
  }

  /** Erases units of the flash by their numbers, with the command that this boot loader has. */
  async eraseUnits(units: readonly number[]): Promise<void> {
    const extended = this.has(COMMAND.EXTENDED_ERASE);
    for (let at = 0; at < units.length; at += UNITS_PER_ERASE) {
      const some = units.slice(at, at + UNITS_PER_ERASE);
      const count = some.length - 1;
      const body = extended
        ? [0, count, ...some.flatMap((unit) => [unit >> 8, unit & 0xff])]
        : [count, ...some];
      await this.erase(body, `erasing ${some.length} pages`);
    }
  }

  /** Erases everything that the boot loader may erase. */
  async eraseAll(): Promise<void> {
    // The F1's "all" is 0xFF with its complement; the extended one 0xFFFF with its XOR, which is 0.
    const body = this.has(COMMAND.EXTENDED_ERASE) ? [0xff, 0xff] : [0xff];
    await this.erase(body, "erasing the flash");
  }

  /**
   * Lifts one of the chip's protections (AN3155 3.10, 3.12); the read protection takes all of the flash along. The chip resets
   * itself: the boot loader is to be brought in step again.
   */
  async unprotect(which: "read" | "write"): Promise<void> {
    const what = `lifting the ${which} protection`;
    await this.command(
      which === "read" ? COMMAND.READOUT_UNPROTECT : COMMAND.WRITE_UNPROTECT,
      what,
    );
    await this.acknowledge(this.timing.eraseMs, what);
  }

  /** Go: starts the program whose vector table is at `address`. */
  async go(address: number): Promise<void> {
    const what = "starting the program";
    await this.command(COMMAND.GO, what);
    await this.address(address, what);
  }

  /** Read Memory; its NACK is that of the read protection (AN3155 3.4). */
  private async readable(what: string): Promise<void> {
    try {
      await this.command(COMMAND.READ, what);
    } catch (error) {
      if (!(error instanceof BoardError) || error.kind !== "nack") throw error;
      throw new BoardError(`${error.message}${PROTECTED}`, "nack");
    }
  }

  private has(command: number): boolean {
    return this.info?.commands.has(command) ?? false;
  }

  private async erase(body: readonly number[], what: string): Promise<void> {
    const extended = this.has(COMMAND.EXTENDED_ERASE);
    try {
      await this.command(extended ? COMMAND.EXTENDED_ERASE : COMMAND.ERASE, what);
    } catch (error) {
      // AN3155 3.6, 3.7: this NACK is that of the read protection.
      if (this.erasing || !(error instanceof BoardError) || error.kind !== "nack") throw error;
      throw new BoardError(`${error.message}; nothing was erased${PROTECTED}`, "nack", true);
    }
    this.erasing = true;
    const check = body.length === 1 ? (body[0] as number) ^ 0xff : xor(body);
    await this.send([...body, check], what);
    await this.acknowledge(this.timing.eraseMs, what);
  }

  private async command(code: number, what: string): Promise<void> {
    await this.send([code, code ^ 0xff], what);
    await this.acknowledge(this.timing.answerMs, what);
  }

  private async address(address: number, what: string): Promise<void> {
    const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff);
    await this.send([...bytes, xor(bytes)], what);
    await this.acknowledge(this.timing.answerMs, what);
  }

  private async send(bytes: readonly number[], what: string): Promise<void> {
    try {
      await this.line.write(Uint8Array.from(bytes));
    } catch (error) {
      throw this.explain(error, what);
    }
  }

  private async receive(count: number, timeoutMs: number, what: string): Promise<Uint8Array> {
    try {
      return await this.line.read(count, timeoutMs);
    } catch (error) {
      throw this.explain(error, what);
    }
  }

  private async acknowledge(timeoutMs: number, what: string): Promise<void> {
    const [answer] = await this.receive(1, timeoutMs, what);
    if (answer === ACK) return;
    if (answer === NACK) {
      throw new BoardError(`the boot loader refused (NACK) while ${what}`, "nack");
    }
    const byte = `0x${(answer as number).toString(16).padStart(2, "0")}`;
    throw new BoardError(`the boot loader answered ${byte} while ${what}`, "garbage");
  }

  private explain(error: unknown, what: string): unknown {
    if (error instanceof LineSilent) {
      return new BoardError(`the boot loader gave no answer while ${what}`, "silence");
    }
    if (error instanceof LineLost) {
      return new BoardError(`the port ${error.message} while ${what}`, "lost");
    }
    return error;
  }
}
