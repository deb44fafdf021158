import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { packageRoot } from "../../root.js";
import { firmwareOf } from "../../simulate/run.js";
import { shortConnections, type ShortResult } from "../../simulate/short.js";
import { number, table } from "../table.js";

type Pools = Record<string, { used: number; size: number }>;

/** Many short connections, a question and its echo each: what is left of them. */
export interface ConnectionsResult {
  /** Through the simulator's gateway to a device, by this computer's own TCP; real time. */
  gateway: {
    connections: number;
    seconds: number;
    /** Tables of the device before, and when those of the connections have had their time. */
    before: Pools;
    after: Pools;
    /** Descriptors of the simulator before and after; undefined where there is no /proc. */
    descriptors: [number, number] | undefined;
  };
  /** Between two stacks in virtual time: the most records in use at a time; in the end all are free. */
  virtual: ShortResult;
}

const GATEWAY = 10_000;
const VIRTUAL = 100_000;
const PARALLEL = 4;
const QUESTION = "a short question";
/** TIME-WAIT lasts 60 s. */
const LEVEL_MS = 75_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("lease") || output.includes("in use")) resolve();
    });
    child.on("exit", () => reject(new Error(`the simulator has ended: ${output}`)));
  });
}

function ask(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(port, "127.0.0.1", () => socket.end(QUESTION));
    socket.on("data", (data) => (answer += data.toString()));
    socket.on("error", reject);
    socket.on("close", () => {
      if (answer === QUESTION) resolve();
      else reject(new Error(`'${answer}' is the answer to '${QUESTION}'`));
    });
  });
}

function descriptorsOf(pid: number): number | undefined {
  return process.platform === "linux" ? readdirSync(`/proc/${pid}/fd`).length : undefined;
}

async function pools(port: number): Promise<Pools> {
  const response = await fetch(`http://127.0.0.1:${port}/api/status`, {
    headers: { connection: "close" },
  });
  return ((await response.json()) as { pools: Pools }).pools;
}

async function throughGateway(connections: number): Promise<ConnectionsResult["gateway"]> {
  const [http, echo] = [await freePort(), await freePort()];
  const child = spawn(
    process.execPath,
    [
      join(packageRoot, "host-tools", "bin.mjs"),
      ...["sim", "--json", "--net", `forward:${http}=80,${echo}=7`],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const pid = child.pid as number;
  try {
    await started(child);
    await ask(echo);
    const [before, first] = [await pools(http), descriptorsOf(pid)];
    const begun = performance.now();
    let left = connections;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await ask(echo);
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    const seconds = Math.round((performance.now() - begun) / 100) / 10;
    await new Promise((resolve) => setTimeout(resolve, LEVEL_MS));
    const last = descriptorsOf(pid);
    const after = await pools(http);
    const descriptors: [number, number] | undefined =
      first === undefined || last === undefined ? undefined : [first, last];
    return { connections, seconds, before, after, descriptors };
  } finally {
    child.removeAllListeners("exit");
    child.kill("SIGINT");
  }
}

/** Measures; `count` connections through the gateway, and ten times as many in virtual time. */
export async function measureConnections(
  onStep: (what: string) => void,
  count = GATEWAY,
): Promise<ConnectionsResult> {
  onStep(`${count} through the gateway`);
  const gateway = await throughGateway(count);
  const more = (count * VIRTUAL) / GATEWAY;
  onStep(`${more} in virtual time`);
  return { gateway, virtual: shortConnections(await firmwareOf("middle"), more) };
}

/** The result for people. */
export function printConnections({ gateway, virtual }: ConnectionsResult): string {
  const { before, after, descriptors } = gateway;
  return [
    table(
      ["table of the device", "size", "before", "after"],
      Object.entries(before).map(([name, { used, size }]) => [
        name,
        String(size),
        String(used),
        String(after[name]?.used),
      ]),
    ),
    `${number(gateway.connections)} connections through the gateway in ${gateway.seconds} s; descriptors of the simulator: ${descriptors?.join(" before, ") ?? "not known"} after.`,
    `${number(virtual.connections)} in virtual time: most in use at a time ${JSON.stringify(virtual.most)}; in the end all free.`,
  ].join("\n\n");
}
