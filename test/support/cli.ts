import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { packageRoot } from "../../host-tools/root.js";

/** The compiled command line. */
export const CLI = join(packageRoot, "build/js/host-tools/cli.js");

/** How a command ended. */
export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Commands that run now. */
const running = new Set<ChildProcess>();

/** Ends what a failed test has left running, or the test process would wait for it. For `test.after.always`. */
export function endCommands(): void {
  for (const child of running) child.kill("SIGKILL");
}

/** A command of the command line, running; `prefix` runs it by another program (`ip netns exec NAME`). */
export class Cli {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  private stdout = "";
  private stderr = "";
  private readonly waiting = new Set<{ test: (line: string) => boolean; resolve: () => void }>();

  constructor(args: string[], prefix: string[] = [], script = CLI, cwd = process.cwd()) {
    const command = [...prefix, process.execPath, script, ...args];
    const [program, ...rest] = command as [string, ...string[]];
    this.child = spawn(program, rest, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    running.add(this.child);
    this.child.once("close", () => running.delete(this.child));
    this.child.stderr?.on("data", (data: Buffer) => (this.stderr += data.toString()));
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.stdout += `${line}\n`;
      for (const entry of this.waiting) if (entry.test(line)) entry.resolve();
    });
    this.ended = once(this.child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  /** Waits for a line; if the command ends without it, its output is the error. */
  async line(test: (line: string) => boolean): Promise<void> {
    if (this.stdout.split("\n").some(test)) return;
    const seen = new Promise<true>((resolve) => {
      this.waiting.add({ test, resolve: () => resolve(true) });
    });
    const first = await Promise.race([seen, this.ended]);
    if (first !== true) throw new Error(`ended with ${first.code}: ${first.stdout}${first.stderr}`);
  }

  /** Waits until the device can be reached (needs `--json`). */
  ready(): Promise<void> {
    return this.line((line) => line.includes('"event":"ready"'));
  }

  /** Ctrl-C. */
  async interrupt(): Promise<Ended> {
    this.child.kill("SIGINT");
    return this.ended;
  }

  /** Ends it, if it runs still, whatever it does: for `t.teardown`. */
  async end(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** Runs a command to its end. */
export function runCli(...args: string[]): Promise<Ended> {
  return new Cli(args).ended;
}

/** Runs another copy of the command line to its end, in the folder of its package. */
export function runCliAt(home: string, ...args: string[]): Promise<Ended> {
  return new Cli(args, [], join(home, "build/js/host-tools/cli.js"), home).ended;
}

/** A port of 127.0.0.1 that nobody uses now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Connects to a port of 127.0.0.1; either direction may end alone. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** All that a socket gives until the other side has finished; the socket can still send after that. */
export function readAll(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.on("data", (part: Buffer) => parts.push(part));
    socket.once("end", () => resolve(Buffer.concat(parts)));
    socket.once("error", reject);
  });
}
