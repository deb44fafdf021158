import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
import type { Pins } from "./pins.js";
import type { ChipModel, SpiSlave } from "./types.js";
import type { VirtualClock } from "./virtual-clock.js";

/**
 * A machine is a simulated board: a processor (a WebAssembly instance, or an emulated MCU) with an Ethernet chip model
 * on its SPI bus. It is one half of a simulation; the other half is the world (`world-*.ts`): the network, the peers and
 * the pace of time. The seam between them is this file:
 *
 *     world  ── wire (machine-wire.ts) ──  chip.receive / chip.onTransmit
 *       │                                     ▲ SPI, INTn
 *       └── MachineTime.busy / idle  ◄────  machine
 *
 * The processor makes time pass (`clock.advance`) as it executes, tells `busy` now and then that it does so, and calls
 * `idle` when it has nothing to do. The world decides in those two calls what happens meanwhile: in virtual time it runs
 * the events that are due, in a paced simulation it lets the thread sleep until real time has caught up. So a machine
 * is the same under both, and with every kind of network.
 *
 * To add a machine: write `machine-<target>.ts` that exports `createMachine` (a `CreateMachine`), and enter the target
 * of its boards in `machine-load.ts`.
 */
export interface DeviceMachine extends WireSide {
  /** The same of the second chip, where a board has two; it is joined to a network of its own. */
  readonly second?: WireSide | undefined;
  /** Pins that the simulation can drive and look at; the emulated RP2040 offers none. */
  readonly pins?: Pins;
  /**
   * Runs the firmware from reset. It ends only by throwing: `StopSimulation` (thrown by `busy` or `idle`, and passed on
   * unchanged) when the world wants it to, `DeviceTrap` when the firmware has failed.
   */
  run(): void;
}

/** A chip and the speed of its cable. */
export interface WireSide {
  /** The Ethernet chip: its wire side is joined to the network, its log of illegal accesses to the device's log. */
  readonly chip: ChipModel;
  /** Bits per second of the chip's wire: frames arrive no faster than this. */
  readonly linkBps: number;
}

/** How simulated time goes on while a machine runs. */
export interface MachineTime {
  readonly clock: VirtualClock;
  /** The bus of a virtual board is so many times faster than the board says; default 1. */
  readonly busSpeed?: number;
  /** How long a chip with auto-negotiation takes to a link, ms; default: as long as a real one. */
  readonly negotiationMs?: number | undefined;
  /**
   * The processor is at work: to be called often (each pin or clock access of a Wasm board, each slice of instructions of
   * an emulated MCU). May block while simulated time is ahead of real time. Must not be called from a clock action.
   */
  busy(): void;
  /**
   * The processor sleeps until simulated time is `untilNs` (Infinity: no limit) or `awake()` is true, which is looked at
   * after each event. Returns at the instant of the event that woke it. Must not be called from a clock action.
   */
  idle(untilNs: number, awake: () => boolean): void;
}

/** What a machine is made from. */
export interface MachineEnvironment {
  firmware: Firmware;
  time: MachineTime;
  /** Seed of all that is random on the board: entropy, memory at power-on. */
  seed: number;
  /** The settings block as it lies in flash (settings.ts). */
  settings: Uint8Array;
  log: (line: LogLine) => void;
  /** Puts a probe between the processor and the chip's SPI side. */
  probe?: (chip: SpiSlave) => SpiSlave;
}

export type CreateMachine = (environment: MachineEnvironment) => Promise<DeviceMachine>;

/** Why a run has ended, where nothing failed. */
export type StopReason = "stopped" | "timeout" | "expected" | "failed";

/** Thrown out of the device to end the run: firmware has no way to return. */
export class StopSimulation extends Error {
  constructor(readonly reason: StopReason) {
    super(`simulation ended: ${reason}`);
    this.name = "StopSimulation";
  }
}

/** The firmware has failed: an assertion, an access outside its memory, or `main` has returned. */
export class DeviceTrap extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DeviceTrap";
  }
}
