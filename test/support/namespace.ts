import { execFile, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import test, { type ExecutionContext } from "ava";
import { Cli } from "./cli.js";

const run = promisify(execFile);
const NAME = `as-tcpip-${process.pid}`;

/** The TAP interface of the namespace; its network is 192.168.77.0/24, with Linux at HOST. */
export const TAP = "as0";
/** Linux, as router and DHCP server, and the address that it gives the device. */
export const HOST = "192.168.77.1";
export const DEVICE = "192.168.77.50";

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
const programs = new Set<Program>();

test.after.always(() => {
  if (!missing) spawnSync("ip", ["netns", "del", NAME]);
});

/**
 * A test that needs the namespace and some programs; skipped visibly where they are not there. What it has started is ended with it,
 * or those behind it would find ports and the TAP interface in use.
 */
export function namespaceTest(
  title: string,
  needed: string[],
  body: (t: ExecutionContext) => Promise<void>,
): void {
  const lacking = needed.filter((program) => !has(program));
  const why = missing || (lacking.length > 0 ? `no ${lacking.join(", ")}` : "");
  if (why) test.serial.skip(`${title} [skipped: ${why}]`, body);
  else
    test.serial(title, async (t) => {
      t.teardown(async () => void (await Promise.all([...programs].map((it) => it.stop()))));
      await body(t);
    });
}

/** Starts an application on a virtual board behind the TAP interface, and waits until it has its address. */
export async function startDevice(
  t: ExecutionContext,
  app: string,
  ...args: string[]
): Promise<Cli> {
  const options = ["--app", app, "--net", `tap:${TAP}`, "--hostname", "lamp"];
  const cli = new Cli(["sim", "--json", ...options, ...args], inside);
  t.teardown(() => cli.end());
  await cli.line((line) => line.includes(DEVICE));
  return cli;
}

/** Ctrl-C, which it must obey without a complaint. */
export async function stopDevice(t: ExecutionContext, cli: Cli): Promise<void> {
  const { code, stderr } = await cli.interrupt();
  t.is(stderr, "");
  t.is(code, 0);
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
    programs.add(this);
    const take = (data: Buffer): void => {
      this.output += data.toString("latin1");
      for (const look of this.waiting) look();
    };
    this.child.stdout?.on("data", take);
    this.child.stderr?.on("data", take);
    this.child.stdin?.on("error", () => {});
    this.child.once("close", () => programs.delete(this));
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

  /** Ends it: by force when it does not go. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once("close", resolve));
    this.child.kill();
    const force = setTimeout(() => this.child.kill("SIGKILL"), 5000);
    await ended;
    clearTimeout(force);
  }
}
