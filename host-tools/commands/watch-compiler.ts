import { Worker } from "node:worker_threads";
import type { CompileRequest, Firmware } from "../build/compile.js";
import { UserError } from "../errors.js";
import type { WatchAnswer } from "./watch-worker.js";

/** A compiler in a thread of its own. */
export class WatchCompiler {
  private readonly worker = new Worker(new URL("./watch-worker.js", import.meta.url));
  private readonly waiting: {
    resolve: (firmware: Firmware[]) => void;
    reject: (error: Error) => void;
  }[] = [];

  constructor() {
    this.worker.on("message", (answer: WatchAnswer) => {
      const asked = this.waiting.shift();
      if (answer.kind === "built") asked?.resolve(answer.firmware);
      else asked?.reject(new UserError(answer.message, answer.exitCode));
    });
    this.worker.on("error", (error) => {
      for (const { reject } of this.waiting.splice(0)) reject(error as Error);
    });
  }

  /**
   * Compiles in the order of asking.
   *
   * @throws UserError with file and line when the sources are wrong.
   */
  compile(requests: CompileRequest[]): Promise<Firmware[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.worker.postMessage(requests);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}
