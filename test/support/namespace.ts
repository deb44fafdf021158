import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";

const run = promisify(execFile);
const NAME = `as-tcpip-${process.pid}`;

/** The TAP interface of the namespace; its network is 192.168.77.0/24, with Linux at .1. */
export const TAP = "as0";

/** What runs a program in the namespace. */
export const inside = ["ip", "netns", "exec", NAME];

function has(program: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

/** Why no test can have a namespace here; empty when they can. */
function obstacle(): string {
  if (process.getuid?.() !== 0) return "not root";
  if (!existsSync("/dev/net/tun")) return "no /dev/net/tun";
  if (!has("ip")) return "no iproute2";
  if (spawnSync("ip", ["netns", "add", NAME]).status !== 0) return "no network namespaces";
  return "";
}

const missing = obstacle();
// For programs there that talk to one another.
if (!missing) spawnSync("ip", ["-n", NAME, "link", "set", "lo", "up"]);
const servers = new Set<ChildProcess>();

test.after.always(() => {
  for (const server of servers) server.kill("SIGKILL");
  if (!missing) spawnSync("ip", ["netns", "del", NAME]);
});

/** A test that needs the namespace and some programs; skipped visibly where they are not there. */
export function namespaceTest(
  title: string,
  programs: string[],
  body: (t: ExecutionContext) => Promise<void>,
): void {
  const lacking = programs.filter((program) => !has(program));
  const why = missing || (lacking.length > 0 ? `no ${lacking.join(", ")}` : "");
  if (why) test.serial.skip(`${title} [skipped: ${why}]`, body);
  else test.serial(title, body);
}

/** Runs a program in the namespace to its end: what it printed. */
export async function peer(...command: string[]): Promise<string> {
  return (await run(inside[0] as string, [...inside.slice(1), ...command])).stdout;
}

/** A program that runs in the namespace, whose output can be waited for. */
export class Program {
  readonly child: ChildProcess;
  output = "";
  private readonly waiting = new Set<() => void>();

  constructor(...command: string[]) {
    const [program, ...args] = [...inside, ...command] as [string, ...string[]];
    this.child = spawn(program, args, { stdio: "pipe" });
    servers.add(this.child);
    const take = (data: Buffer): void => {
      this.output += data.toString("latin1");
      for (const look of this.waiting) look();
    };
    this.child.stdout?.on("data", take);
    this.child.stderr?.on("data", take);
    this.child.stdin?.on("error", () => {});
    this.child.once("close", () => servers.delete(this.child));
  }

  /** Waits until the output matches; fails when the program ends before. */
  async said(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        if (!pattern.test(this.output))
          reject(new Error(`ended without ${pattern}: ${this.output}`));
      };
      const look = (): void => {
        if (!pattern.test(this.output)) return;
        this.waiting.delete(look);
        this.child.off("close", end);
        resolve();
      };
      this.waiting.add(look);
      this.child.once("close", end);
      look();
    });
  }

  /** Types a line. */
  type(line: string): void {
    this.child.stdin?.write(`${line}\n`);
  }

  /** Ends it. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("close", resolve));
    this.child.kill();
    await ended;
  }
}
