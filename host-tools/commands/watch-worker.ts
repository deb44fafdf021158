/**
 * The thread in which `--watch` compiles: the network of the simulation goes on meanwhile, and the compiler stays warm, which takes a
 * third of the time of one that has just been loaded.
 */
import { parentPort } from "node:worker_threads";
import { appFolder, resolveOptions } from "../build/apps.js";
import { runAsc } from "../build/asc.js";
import { loadBoard } from "../build/boards.js";
import { compileFirmware, type CompileRequest, type Firmware } from "../build/compile.js";
import { UserError } from "../errors.js";

/** What comes back for a list of requests. */
export type WatchAnswer =
  { kind: "built"; firmware: Firmware[] } | { kind: "refused"; message: string; exitCode: number };

async function answer(requests: readonly CompileRequest[]): Promise<WatchAnswer> {
  const firmware: Firmware[] = [];
  try {
    for (const request of requests) firmware.push(await compileFirmware(request));
    return { kind: "built", firmware };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: "refused", message: error.message, exitCode: error.exitCode };
  }
}

/** Lets the compiler run once for nothing: the first firmware has come out of the cache, and the next one is waited for. */
async function warmUp(request: CompileRequest): Promise<void> {
  const board = loadBoard(request.board);
  const folder = appFolder(request.app);
  const options = resolveOptions(board, folder, request.options);
  // A file may just be half written; whoever asks next is told.
  await runAsc(request, { board, folder, options }).catch(() => undefined);
}

let warm = false;
let last = Promise.resolve();
parentPort?.on("message", (requests: CompileRequest[]) => {
  last = last.then(async () => {
    parentPort?.postMessage(await answer(requests));
    if (!warm && requests[0]) await warmUp(requests[0]);
    warm = true;
  });
});
