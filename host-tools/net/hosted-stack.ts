import { compileFirmware, type Firmware } from "../build/compile.js";
import { decodeLog, type LogLine } from "../log/decode.js";
import { Random } from "../sim/random.js";
import type { Clock } from "../sim/types.js";
import { EINPROGRESS } from "../../stack/errors.js";
import type { Options } from "../../stack/options.js";
import { AF_INET } from "../../stack/posix.js";
import { maskOf, type Mac } from "./addresses.js";
import { ETHERNET_HEADER_BYTES, MAX_FRAME_BYTES } from "./packets.js";
import type { HostedExports } from "./hosted-exports.js";
import type { FrameSink } from "./switch.js";

/** Socket types, flags, events and errors of the hosted stack: the stack's own lists. */
export { EAGAIN, EINPROGRESS } from "../../stack/errors.js";
export {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../../stack/posix.js";

/** Data moved by one call at most: the scratch buffer that host and stack share. */
export const SCRATCH_BYTES = 65536;

/** Turns of the stack in one go, before others get the thread. */
const TURNS_MAX = 64;
/** Frames that may wait for the stack; beyond it they are lost, as in a full network card. */
const FRAMES_MAX = 512;

/** What a hosted stack is made with. */
export interface HostedStackOptions {
  clock: Clock;
  mac: Mac;
  /** Its address and network, host-order numbers. */
  address: number;
  mask?: number;
  /** Default router; 0 = none. */
  gateway?: number;
  seed: number;
  /** What its millisecond clock shows at time 0 of `clock`; 0 if not given. */
  startMs?: number;
  /** Takes the frames that the stack sends; they are only lent for the call. */
  send: FrameSink;
  onLog?: (line: LogLine) => void;
}

/** The firmware of a hosted stack (compiled once, then cached); `options` override those of the application. */
export function hostedFirmware(options: Partial<Options> = {}): Promise<Firmware> {
  return compileFirmware({ board: "hosted", app: "hosted", options });
}

const modules = new WeakMap<Firmware, WebAssembly.Module>();

function moduleOf(firmware: Firmware): WebAssembly.Module {
  let module = modules.get(firmware);
  if (!module) {
    module = new WebAssembly.Module(firmware.wasm);
    modules.set(firmware, module);
  }
  return module;
}

/**
 * An instance of the stack in the host's hands: the same code that runs on a device, with frames moved by the host and
 * its socket calls exported. It is driven by events on a clock, real or simulated; every call returns at once.
 *
 * All calls return zero or more, or a negated errno value as Linux numbers them. Addresses and ports are plain
 * host-order numbers.
 */
export class HostedStack {
  /** Called after each turn of the stack: readiness may have changed. */
  onProgress: () => void = () => undefined;
  /** Frames lost because the stack could not keep up, or because they were none. */
  dropped = 0;
  private readonly wasm: HostedExports;
  private readonly scratchAt: number;
  private readonly clock: Clock;
  private readonly queue: Uint8Array[] = [];
  private running = false;
  private cancelTimer: (() => void) | undefined;
  private timerDueNs = Infinity;
  private closed = false;
  private readonly startMs: number;

  constructor(firmware: Firmware, options: HostedStackOptions) {
    this.clock = options.clock;
    this.startMs = options.startMs ?? 0;
    const instance = new WebAssembly.Instance(moduleOf(firmware), {
      hw: {
        frameOut: (at: number, bytes: number) =>
          options.send(new Uint8Array(this.wasm.memory.buffer, at, bytes)),
        log: (id: number, count: number, ...args: number[]) =>
          options.onLog?.(decodeLog(firmware.messages, id, args.slice(0, count), this.nowMs)),
      },
    });
    this.wasm = instance.exports as unknown as HostedExports;
    const random = new Random(options.seed);
    const { mac, address } = options;
    const macHigh = Math.floor(mac / 0x1_0000_0000);
    this.running = true;
    const mask = options.mask ?? maskOf(24);
    this.wasm.step(this.nowMs);
    this.wasm.start(
      macHigh,
      (mac % 0x1_0000_0000) | 0,
      address,
      mask,
      options.gateway ?? 0,
      random.u32(),
      random.u32(),
    );
    this.running = false;
    this.scratchAt = this.wasm.scratch() >>> 0;
    this.wake();
  }

  /** A frame for the stack; it is copied. What is not an Ethernet frame is dropped, as by a network card. */
  receive(frame: Uint8Array): void {
    const { length } = frame;
    if (length < ETHERNET_HEADER_BYTES || length > MAX_FRAME_BYTES) this.dropped++;
    else if (this.queue.length >= FRAMES_MAX) this.dropped++;
    else if (this.running || this.queue.length > 0 || !this.push(frame)) {
      this.queue.push(new Uint8Array(frame));
    }
    this.wake();
  }

  /** Lets the stack work soon. Every socket call does so by itself. */
  wake(): void {
    this.arm(0);
  }

  /** Stops all activity of this instance. */
  close(): void {
    this.closed = true;
    this.cancelTimer?.();
  }

  socket(type: number): number {
    return this.wasm.sysSocket(AF_INET, type, 0);
  }

  bind(fd: number, address: number, port: number): number {
    return this.wasm.sysBind(fd, address, port);
  }

  listen(fd: number, backlog: number): number {
    return this.wasm.sysListen(fd, backlog);
  }

  /** Takes packets to every address, as the stack of a gateway. */
  standForAll(): void {
    this.wasm.standForAll();
  }

  /** Takes connections to every port that has no listener of its own. */
  listenAny(fd: number): number {
    return this.wasm.sysListenAny(fd);
  }

  /** A new descriptor, or -EAGAIN. */
  accept(fd: number): number {
    return this.wasm.sysAccept(fd);
  }

  /** Starts a connection: -EINPROGRESS, then POLLOUT when it stands, or POLLERR. */
  connect(fd: number, address: number, port: number): number {
    return this.after(this.wasm.sysConnect(fd, address, port));
  }

  /** Queues bytes; may take fewer than given. */
  send(fd: number, data: Uint8Array): number {
    const bytes = this.toScratch(data);
    return this.after(this.wasm.sysSend(fd, this.scratchAt, bytes, 0));
  }

  /** Sends a datagram. */
  sendTo(fd: number, data: Uint8Array, address: number, port: number): number {
    const bytes = this.toScratch(data);
    return this.after(this.wasm.sysSendTo(fd, this.scratchAt, bytes, 0, address, port));
  }

  /** Takes up to `limit` bytes, which `data` then shows; 0 = the peer has finished. */
  recv(fd: number, limit = SCRATCH_BYTES): number {
    const bytes = Math.min(limit, SCRATCH_BYTES);
    return this.after(this.wasm.sysRecv(fd, this.scratchAt, bytes, 0));
  }

  /** Takes a datagram, which `data` then shows; `peer` says who sent it. */
  recvFrom(fd: number): number {
    return this.wasm.sysRecvFrom(fd, this.scratchAt, SCRATCH_BYTES, 0);
  }

  /** The first bytes of the last `recv`: a view, valid until the next call. */
  data(bytes: number): Uint8Array {
    return new Uint8Array(this.wasm.memory.buffer, this.scratchAt, bytes);
  }

  /** Sender of the last datagram. */
  get peer(): { address: number; port: number } {
    return { address: this.wasm.lastPeerAddress() >>> 0, port: this.wasm.lastPeerPort() };
  }

  shutdown(fd: number, how: number): number {
    return this.after(this.wasm.sysShutdown(fd, how));
  }

  closeSocket(fd: number): number {
    return this.after(this.wasm.sysClose(fd));
  }

  /** Closes with a reset. */
  abort(fd: number): number {
    return this.after(this.wasm.sysAbort(fd));
  }

  /** POLLIN, POLLOUT, POLLERR and POLLHUP bits. */
  events(fd: number): number {
    return this.wasm.sysEvents(fd);
  }

  /** Takes the pending error of a socket: SO_ERROR, a positive number. */
  takeError(fd: number): number {
    return this.wasm.sysError(fd);
  }

  setOption(fd: number, level: number, option: number, value: number): number {
    return this.after(this.wasm.sysSetOption(fd, level, option, value));
  }

  localAddress(fd: number): number {
    return this.wasm.sysLocalAddress(fd) >>> 0;
  }

  localPort(fd: number): number {
    return this.wasm.sysLocalPort(fd);
  }

  peerPort(fd: number): number {
    return this.wasm.sysPeerPort(fd);
  }

  peerAddress(fd: number): number {
    return this.wasm.sysPeerAddress(fd) >>> 0;
  }

  /** A counter of stack/statistics.ts. */
  counter(index: number): number {
    return this.wasm.counter(index) >>> 0;
  }

  /** Records in use. */
  get inUse(): { tcbs: number; synQueue: number; timeWait: number; sockets: number } {
    const [tcbs, synQueue, timeWait, sockets] = [0, 1, 2, 3].map((i) => this.wasm.inUse(i));
    return { tcbs, synQueue, timeWait, sockets } as HostedStack["inUse"];
  }

  /** State of a TCB (stack/tcp), for tests of the state machine. */
  tcbState(id: number): number {
    return this.wasm.tcbState(id);
  }

  /** 0, or which rule of its records does not hold (host-tools/simulate/rules.ts). */
  brokenRule(): number {
    return this.wasm.brokenRule() >>> 0;
  }

  private get nowMs(): number {
    return (Math.floor(this.clock.nowNs / 1e6) + this.startMs) >>> 0;
  }

  /** A call that changed something gives the stack work. */
  private after(result: number): number {
    if (result >= 0 || result === -EINPROGRESS) this.wake();
    return result;
  }

  private toScratch(data: Uint8Array): number {
    const bytes = Math.min(data.length, SCRATCH_BYTES);
    const part = bytes === data.length ? data : data.subarray(0, bytes);
    new Uint8Array(this.wasm.memory.buffer).set(part, this.scratchAt);
    return bytes;
  }

  /** Hands a frame to the stack's frame device; false when that is full. */
  private push(frame: Uint8Array): boolean {
    const at = this.wasm.frameInBuffer() >>> 0;
    new Uint8Array(this.wasm.memory.buffer).set(frame, at);
    return this.wasm.frameIn(frame.length) !== 0;
  }

  private arm(delayNs: number): void {
    const due = this.clock.nowNs + delayNs;
    if (this.closed || this.running) return;
    if (this.cancelTimer) {
      if (this.timerDueNs <= due) return;
      this.cancelTimer();
    }
    this.timerDueNs = due;
    this.cancelTimer = this.clock.schedule(delayNs, () => this.work());
  }

  private work(): void {
    this.cancelTimer = undefined;
    this.timerDueNs = Infinity;
    if (this.closed) return;
    this.running = true;
    let more = true;
    for (let turn = 0; more && turn < TURNS_MAX; turn++) {
      while (this.queue.length > 0 && this.push(this.queue[0] as Uint8Array)) this.queue.shift();
      more = this.wasm.step(this.nowMs) !== 0 || this.queue.length > 0;
      // As on a device: who has news is asked before the stack answers, so that one segment says all of it (stack/stack.ts).
      if (more) this.onProgress();
    }
    this.running = false;
    this.onProgress();
    // What is due in this millisecond has been done: a deadline of 0 must not stop simulated time.
    const waitMs = Math.max(1, this.wasm.deadline(this.nowMs) >>> 0);
    this.arm(more ? 0 : waitMs * 1e6);
  }
}
