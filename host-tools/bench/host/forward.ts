import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { echoMbps, simulator, stopped } from "./simulator.js";

/** The simulator without root: 8 MiB through `--net forward`, beside the same through this computer's own TCP. */
export interface ForwardResult {
  /** Mbit/s of one direction, to the echo port of a virtual W5500 and back. */
  echoMbps: number;
  /** Frames on the simulated network meanwhile, both directions. */
  framesPerSecond: number;
  /** Mbit/s of the same client to an echo server of Node in another process. */
  kernelMbps: number;
}

const SERVER = `const server = require("node:net").createServer((s) => s.pipe(s));
server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;

/** An echo server in a process of its own, as the simulator's is. */
async function kernelEcho(): Promise<number> {
  const server = spawn(process.execPath, ["-e", SERVER], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    for await (const port of createInterface(server.stdout))
      return (await echoMbps("127.0.0.1", Number(port))).mbps;
    throw new Error("the echo server has ended");
  } finally {
    server.kill();
  }
}

/** Measures. */
export async function measureForward(): Promise<ForwardResult> {
  let port = 0;
  let frames = 0;
  const onLine = (line: string): void => {
    const event = JSON.parse(line) as { event?: string; frames?: number };
    if (event.event === "end") frames = event.frames as number;
    if (event.event !== "ready") return;
    port = (event as unknown as { forwards: { hostPort: number }[] }).forwards[0]
      ?.hostPort as number;
  };
  const child = await simulator(["--net", "forward:7007=7"], /"ready"/, onLine);
  let echo;
  try {
    echo = await echoMbps("127.0.0.1", port);
  } finally {
    await stopped(child);
  }
  return {
    echoMbps: echo.mbps,
    framesPerSecond: Math.round(frames / echo.seconds),
    kernelMbps: await kernelEcho(),
  };
}
