import { existsSync, readFileSync } from "node:fs";
import { echoMbps, simulator, stopped } from "./simulator.js";

/** The simulator as its user has it: a virtual W5500 on a TAP interface, and this computer's own TCP. */
export interface TapResult {
  /** 8 MiB to the echo port and back, Mbit/s of one direction. */
  echoMbps: number;
  /** Frames in both directions meanwhile. */
  framesPerSecond: number;
  /** Processor time of the simulator while nothing happens, part of one core. */
  idleCpu: number;
}

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

/** Frames that the interface has carried, both ways. */
function frames(): number {
  const count = (name: string): number =>
    Number(readFileSync(`/sys/class/net/${INTERFACE}/statistics/${name}`, "latin1"));
  return count("rx_packets") + count("tx_packets");
}

/** Measures; undefined where a TAP interface cannot be made. */
export async function measureTap(): Promise<TapResult | undefined> {
  if (process.getuid?.() !== 0 || !existsSync("/dev/net/tun")) return undefined;
  const net = ["--net", `tap:${INTERFACE}`, "--ip", `${DEVICE}/24`];
  const child = await simulator(net, /in use/);
  try {
    const pid = child.pid as number;
    // Its compiler's garbage and the first announcements are over then.
    await sleep(2000);
    const before = cpuSeconds(pid);
    await sleep(IDLE_MS);
    const idleCpu = (cpuSeconds(pid) - before) / (IDLE_MS / 1000);
    const framesBefore = frames();
    const echo = await echoMbps(DEVICE, 7);
    const framesPerSecond = Math.round((frames() - framesBefore) / echo.seconds);
    return { echoMbps: echo.mbps, framesPerSecond, idleCpu: Math.round(idleCpu * 1e4) / 1e4 };
  } finally {
    await stopped(child);
  }
}
