import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { packageRoot } from "../../root.js";

/** What is echoed: 8 MiB. */
const BYTES = 8 << 20;

/** The simulator as its user has it, on a virtual W5500, once its output has `begun`; `onLine` gets its events. */
export async function simulator(
  net: string[],
  begun: RegExp,
  onLine: (line: string) => void = () => undefined,
): Promise<ChildProcess> {
  const options = ["sim", "--json", "--board", "virtual-w5500", ...net];
  const bin = join(packageRoot, "host-tools", "bin.mjs");
  const child = spawn(process.execPath, [bin, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((resolve, reject) => {
    let output = "";
    let rest = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (begun.test(output)) resolve();
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() as string;
      lines.forEach(onLine);
    });
    child.on("exit", () => reject(new Error(`the simulator has ended: ${output}`)));
  });
  return child;
}

/** Ends it, and waits for the end. */
export async function stopped(child: ChildProcess): Promise<void> {
  child.removeAllListeners("exit");
  if (child.exitCode !== null) return;
  const end = once(child, "close");
  child.kill("SIGINT");
  await end;
}

/** 8 MiB to an echo port and back: Mbit/s of one direction. */
export function echoMbps(host: string, port: number): Promise<{ mbps: number; seconds: number }> {
  return new Promise((resolve, reject) => {
    const block = Buffer.alloc(65536, 7);
    const socket = connect(port, host);
    let sent = 0;
    let received = 0;
    const begun = performance.now();
    const pour = (): void => {
      while (sent < BYTES) {
        sent += block.length;
        if (!socket.write(block)) return void socket.once("drain", pour);
      }
    };
    socket.on("connect", pour);
    socket.on("error", reject);
    socket.on("data", (data) => {
      received += data.length;
      if (received < BYTES) return;
      socket.destroy();
      const seconds = (performance.now() - begun) / 1000;
      resolve({ mbps: Math.round((BYTES * 8) / seconds / 1e5) / 10, seconds });
    });
  });
}
