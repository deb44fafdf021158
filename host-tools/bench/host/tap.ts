import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { packageRoot } from "../../root.js";

/** The simulator as its user has it: a virtual W5500 on a TAP interface, and this computer's own TCP. */
export interface TapResult {
  /** 8 MiB to the echo port and back, Mbit/s of one direction. */
  echoMbps: number;
  /** Processor time of the simulator while nothing happens, part of one core. */
  idleCpu: number;
}

const BYTES = 8 << 20;
const IDLE_MS = 5000;
const INTERFACE = "asbench0";
const DEVICE = "192.168.79.2";
/** USER_HZ: the unit of the times in /proc/pid/stat. */
const TICKS_PER_SECOND = 100;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Seconds of processor time that a process has used. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("in use")) resolve();
    });
    child.on("exit", () => reject(new Error(`the simulator has ended: ${output}`)));
  });
}

function echo(): Promise<number> {
  return new Promise((resolve, reject) => {
    const block = Buffer.alloc(65536, 7);
    const socket = connect(7, DEVICE);
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
      resolve((performance.now() - begun) / 1000);
    });
  });
}

/** Measures; undefined where a TAP interface cannot be made. */
export async function measureTap(): Promise<TapResult | undefined> {
  if (process.getuid?.() !== 0 || !existsSync("/dev/net/tun")) return undefined;
  const options = ["--board", "virtual-w5500", "--net", `tap:${INTERFACE}`, "--ip", `${DEVICE}/24`];
  const child = spawn(
    process.execPath,
    [join(packageRoot, "host-tools", "bin.mjs"), "sim", "--json", ...options],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    await started(child);
    const pid = child.pid as number;
    // Its compiler's garbage and the first announcements are over then.
    await sleep(2000);
    const before = cpuSeconds(pid);
    await sleep(IDLE_MS);
    const idleCpu = (cpuSeconds(pid) - before) / (IDLE_MS / 1000);
    const seconds = await echo();
    return {
      echoMbps: Math.round((BYTES * 8) / seconds / 1e5) / 10,
      idleCpu: Math.round(idleCpu * 1e4) / 1e4,
    };
  } finally {
    child.removeAllListeners("exit");
    child.kill("SIGINT");
  }
}
