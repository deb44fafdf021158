import { connect } from "node:net";
import { packageRoot } from "../root.js";
import type { CompileRequest } from "./compile.js";

/**
 * A run of many tests has one process that compiles for all of them (test/support/compile-queue.ts): a compiler that is warm
 * takes a third of the time of one that has just been loaded. The path of its socket is in this variable: a path is reached from
 * every network namespace, a port is not.
 */
export const QUEUE_VARIABLE = "AS_TCPIP_COMPILER";

/** What goes over the connection, as one line of JSON; the answer is one line, whatever came of it. */
export interface QueueRequest {
  /** Who asks: another package's tools or another project's folder are none of the queue's business. */
  root: string;
  cwd: string;
  request: CompileRequest;
}

/** Has the result put into the cache, if there is a queue. Any trouble is left to a compilation of one's own. */
export function askQueue(request: CompileRequest): Promise<void> {
  const path = process.env[QUEUE_VARIABLE];
  if (!path) return Promise.resolve();
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
    socket.on("data", () => socket.end());
    const question: QueueRequest = { root: packageRoot, cwd: process.cwd(), request };
    socket.write(`${JSON.stringify(question)}\n`);
  });
}
