/**
 * The stack on a bench: the hosted build with frames put in, frames taken out and time moved by the test, step by step.
 * Nothing runs by itself, so what a frame or a millisecond causes is known exactly. A malformed frame of the stack, or one
 * turn too many, throws at once.
 */
import type { Firmware } from "../../host-tools/build/compile.js";
import type { HostedExports } from "../../host-tools/net/hosted-exports.js";
import { counterNames } from "../../host-tools/testing/counters.js";
import type { Options } from "../../stack/options.js";
import { AF_INET, SOCK_DGRAM, SOCK_STREAM } from "../../stack/posix.js";
import { hostedProgram, type HostedProgram } from "./hosted-program.js";
import { describe, parseFrame, type Parsed } from "./wire-parse.js";
import { Peer } from "./wire-peer.js";
import { ip, macBytes, pattern } from "./wire.js";

export {
  AF_INET,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../../stack/posix.js";
/** The stack's errors by name; their numbers are held against the kernel's by test/posix. */
export * as ERRNO from "../../stack/errors.js";

/** Counters by name, in the order of stack/statistics.ts: `tcpBadChecksum` for TCP_BAD_CHECKSUM. */
export const COUNTERS = counterNames().map((name) =>
  name.toLowerCase().replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase()),
);

export type CounterName = string;

export interface HarnessConfig {
  mac?: string;
  /** 0 = DHCP. */
  address?: number;
  mask?: number;
  gateway?: number;
  seeds?: [number, number];
  /** Overrides of stack/options.ts; each set is compiled once. */
  options?: Partial<Options>;
  /** The second interface, with INTERFACES 2; address 0 = DHCP. */
  second?: { mac: string; address: number; mask?: number; gateway?: number };
  /** Time at the start, to see the clock wrap. */
  startMs?: number;
  /** Another frame device than drivers/ram: the one whose memory for sending may be full (`full`). */
  nic?: typeof FULL_NIC;
}

export const FULL_NIC = "test/device/full/nic";

export const STACK_MAC = "02:00:00:00:00:aa";
export const STACK_ADDRESS = ip("192.168.7.2");
export const GATEWAY_ADDRESS = ip("192.168.7.1");
export const MASK_24 = ip("255.255.255.0");

/** Turns that one event may take: a stack that needs more than this hangs. */
const TURNS_MAX = 1000;
const SCRATCH_BYTES = 65536;

const programs = new Map<string, Promise<HostedProgram>>();

/** The hosted stack with these options; tests of one file, which run at the same time, share one compilation. */
function hostedFirmware(options: Partial<Options>, nic?: string): Promise<HostedProgram> {
  const key = JSON.stringify([options, nic]);
  let program = programs.get(key);
  if (!program) {
    program = hostedProgram(options, nic);
    programs.set(key, program);
  }
  return program;
}

/** A wire of the stack, and what it has sent there. */
interface Lan {
  readonly mac: string;
  readonly address: number;
  sent: Parsed[];
}

/** The driver of the second wire: the compiler sees it under a name of its own. */
const SECOND_DRIVER = "second/drivers/ram/nic.ts";

/** The high 16 and the low 32 bits of a MAC. */
function macWords(mac: string): [high: number, low: number] {
  const bytes = macBytes(mac);
  return [
    ((bytes[0] as number) << 8) | (bytes[1] as number),
    [2, 3, 4, 5].reduce((sum, i) => (sum << 8) | (bytes[i] as number), 0),
  ];
}

export class StackHarness {
  readonly wasm: HostedExports;
  /** The wires of the stack: one, or two where INTERFACES is 2. */
  readonly lans: Lan[] = [];
  /** Number of the one that frames are put on and taken from. */
  lan = 0;
  nowMs: number;
  readonly #statics: Firmware["statics"];
  #scratch: number;
  /** Where the next frame of the first wire goes. */
  #nextFrame: number;

  private constructor(program: HostedProgram, config: HarnessConfig) {
    this.#statics = program.firmware.statics;
    this.lans.push({
      mac: config.mac ?? STACK_MAC,
      address: config.address ?? STACK_ADDRESS,
      sent: [],
    });
    this.nowMs = config.startMs ?? 0;
    const second = this.#statics.find((s) => s.file === SECOND_DRIVER && s.name === "TX");
    this.wasm = program.instantiate({
      frameOut: (at: number, bytes: number) => {
        const frame = new Uint8Array(this.wasm.memory.buffer, at >>> 0, bytes).slice();
        this.#output(this.lans[at >>> 0 === second?.address ? 1 : 0] as Lan, frame);
      },
      log: () => undefined,
    }) as HostedExports;
    const [seed0, seed1] = config.seeds ?? [1, 2];
    this.wasm.step(this.nowMs >>> 0);
    this.wasm.start(
      ...macWords(this.mac),
      this.address,
      config.mask ?? MASK_24,
      config.gateway ?? GATEWAY_ADDRESS,
      seed0,
      seed1,
    );
    if (config.second) {
      const { mac, address, mask, gateway } = config.second;
      this.lans.push({ mac, address, sent: [] });
      this.wasm.startSecond(...macWords(mac), address, mask ?? MASK_24, gateway ?? 0);
    }
    this.#scratch = this.wasm.scratch() >>> 0;
    this.#nextFrame = this.wasm.frameInBuffer() >>> 0;
  }

  /** MAC and address of the stack on this wire, as it was started. */
  get mac(): string {
    return this.#at.mac;
  }

  get address(): number {
    return this.#at.address;
  }

  /** Frames that the stack has sent on this wire and nobody has taken. */
  get sent(): Parsed[] {
    return this.#at.sent;
  }

  set sent(frames: Parsed[]) {
    this.#at.sent = frames;
  }

  get #at(): Lan {
    return this.lans[this.lan] as Lan;
  }

  /** This stack, with frames put on and taken from wire `number`. */
  on(number: number): this {
    this.lan = number;
    return this;
  }

  /** A stack that has just been started: nothing has run yet. */
  static async create(config: HarnessConfig = {}): Promise<StackHarness> {
    return new StackHarness(await hostedFirmware(config.options ?? {}, config.nic), config);
  }

  /** A stack with a static address whose announcements are over and forgotten. */
  static async quiet(config: HarnessConfig = {}): Promise<StackHarness> {
    const stack = await StackHarness.create(config);
    stack.advance(5000);
    stack.take();
    return stack;
  }

  #output(lan: Lan, frame: Uint8Array): void {
    const parsed = parseFrame(frame);
    if (parsed.source !== lan.mac) parsed.problems.push(`sent from ${parsed.source}`);
    if (parsed.problems.length > 0) throw new Error(`bad frame: ${describe(parsed)}`);
    lan.sent.push(parsed);
  }

  /** A host on the stack's wire; the stack does not know it yet. */
  peer(address: string, mac = "02:00:00:00:00:01"): Peer {
    return new Peer(mac, ip(address), this.mac, this.address);
  }

  /** A host that the stack has in its ARP cache. */
  neighbour(address = "192.168.7.9", mac = "02:00:00:00:00:01"): Peer {
    const peer = this.peer(address, mac);
    this.inject(peer.arpRequest());
    this.take();
    return peer;
  }

  /** Lets the stack work until it has nothing to do at this time; gives the milliseconds until it wants a turn again. */
  run(): number {
    const waitMs = this.wasm.settle(this.nowMs >>> 0, TURNS_MAX) >>> 0;
    if (waitMs === 0) throw new Error(`the stack is still busy after ${TURNS_MAX} turns`);
    return waitMs;
  }

  /** Puts frames on the stack's wire, one after the other, and lets it work after each. */
  inject(...frames: Uint8Array[]): void {
    for (const frame of frames) {
      this.queue(frame);
      this.run();
    }
  }

  /** Puts a frame on the wire and does not let the stack work yet. */
  queue(frame: Uint8Array): void {
    if (!this.offer(frame)) throw new Error("queue full");
  }

  /** Does the same where the device has room for the frame; false when it has none. */
  offer(frame: Uint8Array): boolean {
    const { wasm } = this;
    const at = this.lan === 0 ? this.#nextFrame : wasm.frameInBufferSecond() >>> 0;
    new Uint8Array(wasm.memory.buffer, at).set(frame);
    if (frame.length === 0) return true;
    const taken = this.lan === 0 ? wasm.frameIn(frame.length) : wasm.frameInSecond(frame.length);
    if (taken !== 0 && this.lan === 0) this.#nextFrame = taken >>> 0;
    return taken !== 0;
  }

  /** The memory for sending is full from now on, or no more (`nic`). */
  full(is: boolean): void {
    const word = this.#statics.find((s) => s.file === `${FULL_NIC}.ts` && s.name === "FULL");
    new DataView(this.wasm.memory.buffer).setUint32(word?.address as number, is ? 1 : 0, true);
  }

  /** Injects a frame and takes what the stack answers. */
  exchange(frame: Uint8Array): Parsed[] {
    this.take();
    this.inject(frame);
    return this.take();
  }

  /** Takes the frames sent so far. */
  take(): Parsed[] {
    const frames = this.sent;
    this.sent = [];
    return frames;
  }

  /** Moves time on by `ms`, stopping wherever the stack wants to work. */
  advance(ms: number): void {
    const end = this.nowMs + ms;
    let waitMs = this.run();
    while (this.nowMs < end) {
      this.nowMs = Math.min(end, this.nowMs + waitMs);
      waitMs = this.run();
    }
  }

  /** Moves time on until the stack has sent something, for at most `limitMs`; takes it. */
  untilSent(limitMs: number): Parsed[] {
    const end = this.nowMs + limitMs;
    let waitMs = this.run();
    while (this.sent.length === 0 && this.nowMs < end) {
      this.nowMs = Math.min(end, this.nowMs + waitMs);
      waitMs = this.run();
    }
    return this.take();
  }

  counter(name: CounterName): number {
    const index = COUNTERS.indexOf(name);
    if (index < 0) throw new Error(`no counter ${name}`);
    return this.wasm.counter(index) >>> 0;
  }

  /** Counters that an action changed, and by how much. */
  counted(action: () => void): Partial<Record<CounterName, number>> {
    const before = COUNTERS.map((name) => this.counter(name));
    action();
    const changed: Partial<Record<CounterName, number>> = {};
    COUNTERS.forEach((name, i) => {
      const more = this.counter(name) - (before[i] as number);
      if (more !== 0) changed[name] = more;
    });
    return changed;
  }

  /** Fills buffers whose contents must not matter between frames with 0xA5: what leaks is then seen. */
  poison(): void {
    // The headers up to IP's stay from one frame to the next one of the same host; behind them nothing does.
    const passing: [file: string, name: string, from?: number][] = [
      ["drivers/ram/nic.ts", "TX"],
      ["stack/link/headers.ts", "RX"],
      ["stack/link/headers.ts", "TX", 36],
      ["stack/scratch.ts", "MESSAGE_SCRATCH"],
      ["stack/udp/slots.ts", "RINGS"],
    ];
    for (const [file, name, from = 0] of passing) {
      const buffer = this.#statics.find((s) => s.file === file && s.name === name);
      if (!buffer) throw new Error(`no buffer ${name} in ${file}`);
      new Uint8Array(this.wasm.memory.buffer, buffer.address, buffer.bytes).fill(0xa5, from);
    }
  }

  /** True while the stack answers an echo request of a host that it knows, with the very data. */
  answers(peer: Peer): boolean {
    const data = pattern(33, this.nowMs & 0xff);
    const replies = this.exchange(peer.echo(data, 77, this.nowMs & 0xffff));
    return (
      replies.length === 1 &&
      replies[0]?.icmp?.type === 0 &&
      Buffer.compare(replies[0].icmp.data, data) === 0
    );
  }

  /** Records in use, for "back at their level". */
  tables(): number[] {
    return [0, 1, 2, 3].map((table) => this.wasm.inUse(table));
  }

  socket(type: number): number {
    const fd = this.wasm.sysSocket(AF_INET, type, 0);
    if (fd < 0) throw new Error(`socket: ${fd}`);
    return fd;
  }

  /** A datagram socket bound to a port of any address. */
  udpSocket(port = 0, address = 0): number {
    const fd = this.socket(SOCK_DGRAM);
    const bound = this.wasm.sysBind(fd, address, port);
    if (bound < 0) throw new Error(`bind: ${bound}`);
    return fd;
  }

  /** A stream socket that listens on a port, beside connections of it that may still be there (SO_REUSEADDR). */
  listen(port: number, backlog = 4): number {
    const fd = this.socket(SOCK_STREAM);
    this.wasm.sysSetOption(fd, 1, 2, 1);
    for (const result of [this.wasm.sysBind(fd, 0, port), this.wasm.sysListen(fd, backlog)]) {
      if (result < 0) throw new Error(`bind or listen: ${result}`);
    }
    return fd;
  }

  send(fd: number, data: Uint8Array, flags = 0): number {
    const result = this.wasm.sysSend(fd, this.#put(data), data.length, flags);
    this.run();
    return result;
  }

  sendTo(fd: number, data: Uint8Array, address: number, port: number): number {
    const result = this.wasm.sysSendTo(fd, this.#put(data), data.length, 0, address, port);
    this.run();
    return result;
  }

  /** Bytes received, or a negative errno. */
  receive(fd: number, limit = SCRATCH_BYTES): Uint8Array | number {
    const result = this.wasm.sysRecv(fd, this.#scratch, limit, 0);
    this.run();
    return result < 0 ? result : this.#get(result);
  }

  /** A datagram and its sender, or a negative errno. */
  receiveFrom(
    fd: number,
    limit = SCRATCH_BYTES,
    flags = 0,
  ): { data: Uint8Array; address: number; port: number } | number {
    const result = this.wasm.sysRecvFrom(fd, this.#scratch, limit, flags);
    if (result < 0) return result;
    return {
      data: this.#get(result),
      address: this.wasm.lastPeerAddress() >>> 0,
      port: this.wasm.lastPeerPort(),
    };
  }

  /** The words of struct tcp_info, and its first bytes. */
  tcpInfo(fd: number): { bytes: Uint8Array; words: Uint32Array } {
    const result = this.wasm.sysTcpInfo(fd, this.#scratch);
    if (result < 0) throw new Error(`tcp_info: ${result}`);
    const bytes = this.#get(104);
    return { bytes, words: new Uint32Array(bytes.slice().buffer) };
  }

  #put(data: Uint8Array): number {
    new Uint8Array(this.wasm.memory.buffer).set(data, this.#scratch);
    return this.#scratch;
  }

  #get(bytes: number): Uint8Array {
    return new Uint8Array(this.wasm.memory.buffer, this.#scratch, bytes).slice();
  }
}
