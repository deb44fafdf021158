import { compileFirmware, type Firmware } from "../../host-tools/build/compile.js";
import { EthernetPeer } from "./peer.js";
import { hostedFirmware } from "../../host-tools/net/hosted-stack.js";
import type { Impairments } from "../../host-tools/net/link.js";
import { encodeSettings, type StaticAddress } from "../../host-tools/settings.js";
import { DEFAULT_SUBNET } from "../../host-tools/sim/world-lan.js";
import { VirtualWorld } from "../../host-tools/sim/world-virtual.js";

/** Address of the device under test. */
export const DEVICE_ADDRESS = DEFAULT_SUBNET.address + 0x31;

/** The chips' links are up by then, milliseconds after power-on. */
const LINK_UP_MS = 2000;

/** What a script waits for: asked again whenever something has happened. */
export type Wait = () => boolean;

/** A test's conversation with the device: it yields whatever it has to wait for. */
export type Script<Result = void> = Generator<Wait, Result, void>;

/** What a bench is made with. */
export interface BenchOptions {
  app?: string;
  board?: string;
  /** Overrides of build options. */
  options?: Record<string, number>;
  impairments?: Impairments;
  /** Ports in the settings block. */
  ports?: { http: number; echo: number };
  /** Addresses by DHCP, in place of a static one: of a board with two chips on both its networks. */
  dhcp?: boolean;
  /** Host name in the settings block. */
  hostName?: string;
  /** Of the settings block: a static address of the second interface, and names that the device knows. */
  second?: StaticAddress;
  hosts?: { name: string; address: number }[];
  seed?: number;
  /** Capture of the device's cable. */
  pcap?: string;
  /** Errors in the log that are no failure: what the chip says of accesses, where a test disturbs it. */
  tolerate?: RegExp;
  /** Longest run, simulated seconds. */
  limitSeconds?: number;
}

let peerFirmware: Promise<Firmware> | undefined;

/**
 * A device that runs an application on a virtual board, and clients on the same network, all in
 * virtual time. Clients are scripts: generators that yield what they wait for.
 */
export class Bench {
  private readonly scripts: { script: Script<unknown>; wait: Wait }[] = [];
  private readonly failures: unknown[] = [];
  private turning = false;

  private constructor(
    readonly world: VirtualWorld,
    /** The clients' own stack. */
    readonly peer: EthernetPeer,
    /** That of the clients on the second chip's network, of a board with two. */
    private readonly secondPeer: EthernetPeer | undefined,
    private readonly limitSeconds: number,
    private readonly tolerate: RegExp | undefined,
  ) {}

  static async create(options: BenchOptions = {}): Promise<Bench> {
    const firmware = await compileFirmware({
      board: options.board ?? "virtual-w5500",
      app: options.app ?? "demo",
      ...(options.options && { options: options.options }),
    });
    return Bench.of(firmware, options);
  }

  /** The same with a firmware that has been made already. */
  static async of(
    firmware: Firmware,
    options: Omit<BenchOptions, "app" | "board"> = {},
  ): Promise<Bench> {
    peerFirmware ??= hostedFirmware();
    const { mask, address: gateway } = DEFAULT_SUBNET;
    const world = await VirtualWorld.create({
      firmware,
      settings: encodeSettings({
        ...(!options.dhcp && { address: { address: DEVICE_ADDRESS, mask, gateway, dns: 0 } }),
        ...(options.ports && { ports: options.ports }),
        ...(options.hostName !== undefined && { hostName: options.hostName }),
        ...(options.second && { second: options.second }),
        ...(options.hosts && { hosts: options.hosts }),
      }),
      seed: options.seed ?? 1,
      gateway: await peerFirmware,
      dhcp: options.dhcp ?? false,
      pcap: options.pcap,
      ...(options.impairments && { impairments: options.impairments }),
    });
    const stack = world.lan.gateway;
    if (!stack) throw new Error("the bench needs the gateway's stack");
    const peer = new EthernetPeer(stack, world.clock);
    const second = world.second?.gateway;
    const { limitSeconds = 600, tolerate } = options;
    const secondPeer = second && new EthernetPeer(second, world.clock);
    const bench = new Bench(world, peer, secondPeer, limitSeconds, tolerate);
    stack.onProgress = () => bench.turn();
    if (second) second.onProgress = () => bench.turn();
    return bench;
  }

  /** The clients on the second chip's network. */
  get second(): EthernetPeer {
    if (!this.secondPeer) throw new Error("the board has one chip");
    return this.secondPeer;
  }

  /** Simulated milliseconds since the start. */
  get nowMs(): number {
    return this.world.clock.nowNs / 1e6;
  }

  /** Adds a script; it begins when the device has started, or at once when it runs already. */
  start(script: Script<unknown>): void {
    this.scripts.push({ script, wait: () => this.nowMs >= LINK_UP_MS });
  }

  /** Waits for a time to pass. */
  *sleep(ms: number): Script {
    const end = this.nowMs + ms;
    this.world.clock.schedule(ms * 1e6, () => this.turn());
    yield () => this.nowMs >= end - 1e-6;
  }

  /** Runs scripts side by side; gives their results when all have ended. */
  *all<Result>(scripts: Script<Result>[]): Script<Result[]> {
    const results: Result[] = [];
    let open = scripts.length;
    const wrap = function* (script: Script<Result>, index: number): Script {
      results[index] = yield* script;
      open--;
    };
    scripts.forEach((script, index) => this.start(wrap(script, index)));
    yield () => open === 0;
    return results;
  }

  /**
   * Runs the world until all scripts have ended; throws what one of them throws, and when they take
   * too long.
   */
  run<Result>(main: Script<Result>): Result {
    let result: Result | undefined;
    let ended = false;
    const wrap = function* (): Script {
      result = yield* main;
      ended = true;
    };
    this.start(wrap());
    this.world.clock.schedule((LINK_UP_MS + 1) * 1e6, () => this.turn());
    this.world.clock.schedule(this.limitSeconds * 1e9, () => this.world.stop());
    const { reason, message } = this.world.run();
    if (this.failures.length > 0) throw this.failures[0];
    if (reason === "trap") throw new Error(message);
    if (!ended) throw new Error(`the scripts have not ended after ${this.limitSeconds} s`);
    const errors = this.world.log.filter(
      (line) => line.level === "error" && !this.tolerate?.test(line.text),
    );
    if (errors.length > 0) throw new Error(`the device says: ${errors[0]?.text}`);
    return result as Result;
  }

  /** Lets each script go on that has what it waits for. */
  private turn(): void {
    if (this.turning) return;
    this.turning = true;
    for (let went = true; went;) {
      went = false;
      for (const entry of [...this.scripts]) {
        if (!entry.wait()) continue;
        went = true;
        this.step(entry);
      }
    }
    this.turning = false;
    if (this.scripts.length === 0 || this.failures.length > 0) this.world.stop();
  }

  private step(entry: { script: Script<unknown>; wait: Wait }): void {
    let next: IteratorResult<Wait, unknown>;
    try {
      next = entry.script.next();
    } catch (error) {
      this.failures.push(error);
      next = { done: true, value: undefined };
    }
    if (next.done) this.scripts.splice(this.scripts.indexOf(entry), 1);
    else entry.wait = next.value;
  }
}
