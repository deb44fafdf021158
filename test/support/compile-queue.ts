/**
 * The process that compiles for all test files of a run (host-tools/build/compile-queue.ts). It prints the path of its
 * socket and ends when its standard input does. Two workers stay warm; who asks for what is being compiled already waits for that.
 */
import { fork, type ChildProcess } from "node:child_process";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { compileFirmware, type CompileRequest } from "../../host-tools/build/compile.js";
import { QUEUE_VARIABLE, type QueueRequest } from "../../host-tools/build/compile-queue.js";
import { packageRoot } from "../../host-tools/root.js";

const WORKERS = 2;
const WORKER = "worker";

interface Job {
  request: CompileRequest;
  done: () => void;
}

const waiting: Job[] = [];
const idle: ChildProcess[] = [];
const underWay = new Map<string, Promise<void>>();
let started = 0;

function next(): void {
  while (waiting.length > 0) {
    const worker = idle.pop() ?? start();
    if (!worker) return;
    const { request, done } = waiting.shift() as Job;
    const finish = (): void => {
      worker.off("message", finish);
      worker.off("exit", finish);
      if (worker.connected) idle.push(worker);
      else started -= 1;
      done();
      next();
    };
    worker.on("message", finish);
    worker.on("exit", finish);
    worker.send(request);
  }
}

function start(): ChildProcess | undefined {
  if (started === WORKERS) return undefined;
  started += 1;
  return fork(process.argv[1] as string, [WORKER], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
}

function compile({ root, cwd, request }: QueueRequest): Promise<void> {
  if (root !== packageRoot || cwd !== process.cwd()) return Promise.resolve();
  const key = JSON.stringify(request);
  const known = underWay.get(key);
  if (known) return known;
  const job = new Promise<void>((done) => waiting.push({ request, done })).finally(() =>
    underWay.delete(key),
  );
  underWay.set(key, job);
  next();
  return job;
}

function serve(): void {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    createInterface(socket).once("line", (line) => {
      void compile(JSON.parse(line) as QueueRequest).then(() => socket.end("done\n"));
    });
  });
  const name = `as-tcpip-compiler-${process.pid}`;
  const path = process.platform === "win32" ? `\\\\.\\pipe\\${name}` : join(tmpdir(), name);
  server.listen(path, () => process.stdout.write(`${path}\n`));
  // To close it removes the path.
  process.stdin.resume().on("end", () => server.close(() => process.exit()));
}

function work(): void {
  delete process.env[QUEUE_VARIABLE];
  process.on("message", (request: CompileRequest) => {
    // What is wrong with the sources is told to whoever asked, by his own compilation.
    void compileFirmware(request)
      .catch(() => undefined)
      .then(() => process.send?.("done"));
  });
}

if (process.argv[2] === WORKER) work();
else serve();
