import { spawn, type ChildProcess } from "node:child_process";
import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import koffi from "koffi";
import { fifoFolder } from "../fifos.js";
import type { NativeProgram } from "./build.js";

const ARGUMENTS = 8;
const RETURNED = 0xffffffff;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** The program has ended: a sanitizer's report, a trap, or a signal. */
export class NativeFailure extends Error {
  constructor(readonly report: string) {
    super(`the guarded program has failed:\n${report}`);
    this.name = "NativeFailure";
  }
}

/** Functions that the program may call while it serves a call. */
export type NativeImports = Record<string, (...args: number[]) => number | void>;

/**
 * A guarded program at work, used like a WebAssembly instance: `exports` has its functions and its memory, calls return
 * when they are done. Addresses are those of the program; byte 0 of `memory.buffer` is address 0.
 *
 * The memory is a file that both sides have mapped; calls go over two FIFOs and block this thread, as an instance would.
 */
export class NativeProcess {
  readonly exports: Record<string, (...args: number[]) => number> & {
    memory: { buffer: ArrayBuffer };
  };
  private readonly child: ChildProcess;
  /** What the program has said on its standard error, to be read when it ends. */
  private readonly said: number;
  private readonly toChild: number;
  private readonly fromChild: number;
  private readonly words = Buffer.alloc(4 * (1 + ARGUMENTS));
  private closed = false;

  constructor(
    private readonly program: NativeProgram,
    private readonly imports: NativeImports,
  ) {
    const folder = fifoFolder("as-tcpip-native-", ["call", "answer"]);
    const [callPath, answerPath] = ["call", "answer"].map((name) => join(folder, name)) as [
      string,
      string,
    ];
    const memoryFile = openSync(join(folder, "memory"), "w+");
    ftruncateSync(memoryFile, program.memoryBytes);
    const buffer = mapFile(memoryFile, program.memoryBytes);
    // Opening both ends here keeps either open() from waiting for the other side.
    const callRead = openSync(callPath, constants.O_RDONLY | constants.O_NONBLOCK);
    this.toChild = openSync(callPath, constants.O_WRONLY);
    const answerProbe = openSync(answerPath, constants.O_RDONLY | constants.O_NONBLOCK);
    const answerWrite = openSync(answerPath, constants.O_WRONLY);
    const childRead = openSync(callPath, constants.O_RDONLY);
    this.fromChild = openSync(answerPath, constants.O_RDONLY);
    closeSync(callRead);
    closeSync(answerProbe);
    const errors = openSync(join(folder, "stderr"), "w");
    this.said = openSync(join(folder, "stderr"), "r");
    this.child = spawn(program.path, [], {
      stdio: ["ignore", "ignore", errors, childRead, answerWrite, memoryFile],
      env: {
        ...process.env,
        ASAN_OPTIONS: "detect_leaks=0:handle_abort=1:detect_stack_use_after_return=0",
      },
    });
    this.child.unref();
    // Both sides have all of it open: the names are not needed any more, and nothing stays behind however this ends.
    rmSync(folder, { recursive: true, force: true });
    for (const fd of [childRead, answerWrite, errors, memoryFile]) closeSync(fd);
    this.exports = { memory: { buffer } } as NativeProcess["exports"];
    program.exports.forEach((name, index) => {
      if (name !== "memory") this.exports[name] = (...args) => this.call(index, args);
    });
  }

  /** Ends the program. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.toChild);
    closeSync(this.fromChild);
    closeSync(this.said);
  }

  private call(index: number, args: number[]): number {
    if (this.closed) throw new Error("the guarded program was closed");
    this.words.writeUInt32LE(index, 0);
    for (let i = 0; i < ARGUMENTS; i++) this.words.writeUInt32LE((args[i] ?? 0) >>> 0, 4 + 4 * i);
    this.write(this.words);
    for (;;) {
      this.read(8);
      const what = this.words.readUInt32LE(0);
      if (what === RETURNED) return this.words.readUInt32LE(4) | 0;
      this.read(4 * (1 + ARGUMENTS) - 8, 8);
      const wanted = this.program.imports[what];
      const handler = wanted && this.imports[wanted.name];
      if (!handler) throw new Error(`the program calls an import that is not there: ${what}`);
      const values = Array.from({ length: wanted.arguments }, (_unused, i) =>
        this.words.readInt32LE(4 + 4 * i),
      );
      const answer = Buffer.alloc(4);
      answer.writeUInt32LE(Number(handler(...values) ?? 0) >>> 0);
      this.write(answer);
    }
  }

  private write(bytes: Buffer): void {
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.toChild, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
      this.died();
    }
  }

  private read(bytes: number, at = 0): void {
    for (let done = 0; done < bytes;) {
      const got = readSync(this.fromChild, this.words, at + done, bytes - done, null);
      if (got === 0) this.died();
      done += got;
    }
  }

  private died(): never {
    const report = readFileSync(this.said, "utf8").trim();
    this.close();
    throw new NativeFailure(report || "it has ended without a word");
  }
}

function mapFile(file: number, bytes: number): ArrayBuffer {
  const libc = koffi.load("libc.so.6");
  const mmap = libc.func("void *mmap(void *, size_t, int, int, int, int64_t)") as (
    ...args: unknown[]
  ) => unknown;
  const at = mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, file, 0);
  return koffi.view(at, bytes) as ArrayBuffer;
}
