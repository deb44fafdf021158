import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { UserError } from "../../errors.js";
import { parseHostCidr } from "../../net/addresses.js";
import { EthernetSwitch, type FrameSink, type SwitchPort } from "../../net/switch.js";
import { TapAdapter } from "../../net/tap.js";
import type { Clock } from "../../sim/types.js";
import type { Told } from "./end.js";

const END = fileURLToPath(new URL("./end.js", import.meta.url));
/** As SO_SNDBUF of 8,192 has it: Linux counts its own administration, too, and doubles what it is given. */
const SEND_BYTES = 2 * 8192;
/** Of this it announces 8,192 at most, the window of a ring of 8 KB; of twice 8,192 it would announce up to 10,880. */
const RECEIVE_BYTES = 12288;

function ip(...args: string[]): void {
  const { status, stderr, error } = spawnSync("ip", args, { encoding: "utf8" });
  if (status === 0) return;
  throw new UserError(`ip ${args.join(" ")}: ${error?.message ?? stderr.trim()}`);
}

/** Why this process can't make network namespaces and TAP interfaces; undefined = it can. */
export function whyNot(): string | undefined {
  if (process.platform !== "linux") return "network namespaces exist on Linux only";
  if (process.getuid?.() !== 0) return "network namespaces need root";
  if (!existsSync("/dev/net/tun")) return "there is no /dev/net/tun";
  const probe = `asbench-${process.pid}`;
  if (spawnSync("ip", ["netns", "add", probe]).status !== 0)
    return "no network namespace can be made";
  spawnSync("ip", ["netns", "del", probe]);
  return undefined;
}

/** Puts the interface into the namespace, with its address. */
function prepare(name: string, namespace: string, cidr: string): void {
  ip("link", "set", name, "netns", namespace);
  const inside = (...command: string[]): void => ip("netns", "exec", namespace, ...command);
  for (const [key, value] of [
    ["ipv6.conf.all.disable_ipv6", "1"],
    ["ipv4.tcp_rmem", `4096 ${RECEIVE_BYTES} ${RECEIVE_BYTES}`],
    ["ipv4.tcp_wmem", `4096 ${SEND_BYTES} ${SEND_BYTES}`],
    ["ipv4.tcp_moderate_rcvbuf", "0"],
    ["ipv4.tcp_no_metrics_save", "1"],
  ] as const) {
    inside("sysctl", "-q", "-w", `net.${key}=${value}`);
  }
  inside("ip", "addr", "add", cidr, "dev", name);
  inside("ip", "link", "set", name, "up");
  inside("ip", "link", "set", "lo", "up");
}

/** This computer's own TCP in a network namespace: a host with one interface, whose frames come here, and with buffers of 8 KB. */
export class KernelHost {
  readonly address: string;
  private readonly children = new Set<ChildProcess>();

  private constructor(
    private readonly name: string,
    private readonly tap: TapAdapter,
    private readonly port: SwitchPort,
    cidr: string,
  ) {
    this.address = cidr.replace(/\/.*/, "");
  }

  /** `cidr`: its address; `onFrame` takes what it sends. */
  static async create(
    name: string,
    cidr: string,
    clock: Clock,
    onFrame: FrameSink,
  ): Promise<KernelHost> {
    const namespace = `${name}-${process.pid}`;
    const subnet = parseHostCidr(cidr);
    // One that is there already is another one's, and stays.
    ip("netns", "add", namespace);
    let tap: TapAdapter | undefined;
    try {
      tap = await TapAdapter.open(name, subnet);
      prepare(name, namespace, cidr);
    } catch (error) {
      tap?.close();
      spawnSync("ip", ["netns", "del", namespace]);
      throw error;
    }
    const ethernet = new EthernetSwitch(clock);
    const port = ethernet.attach("relay", onFrame);
    tap.attach(ethernet);
    return new KernelHost(namespace, tap, port, cidr);
  }

  /** A frame for it. */
  receive(frame: Uint8Array): void {
    this.port.send(frame);
  }

  /** Listens for one connection; resolves when it does, with what will have come by it. */
  async take(port: number): Promise<{ told: Promise<Told> }> {
    const { lines, told } = this.run("take", this.address, String(port));
    await once(lines, "line");
    return { told };
  }

  /** Connects and sends. */
  send(address: string, port: number, bytes: number): Promise<Told> {
    return this.run("send", address, String(port), String(bytes)).told;
  }

  /** Ends what runs in it, and the namespace with its interface. */
  close(): void {
    for (const child of this.children) child.kill("SIGKILL");
    this.tap.close();
    spawnSync("ip", ["netns", "del", this.name]);
  }

  private run(...args: string[]): {
    lines: ReturnType<typeof createInterface>;
    told: Promise<Told>;
  } {
    const command = ["netns", "exec", this.name, process.execPath, END, ...args];
    const child = spawn("ip", command, { stdio: ["ignore", "pipe", "inherit"] });
    this.children.add(child);
    const lines = createInterface({ input: child.stdout });
    const told = new Promise<Told>((resolve, reject) => {
      lines.on("line", (line) => {
        if (line.startsWith("{")) resolve(JSON.parse(line) as Told);
      });
      child.on("close", () => {
        this.children.delete(child);
        reject(new Error(`${args.join(" ")} has ended without a word`));
      });
    });
    told.catch(() => undefined);
    return { lines, told };
  }
}
