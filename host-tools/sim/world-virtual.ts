import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
import { LogTail } from "../log/tail.js";
import type { Subnet } from "../net/addresses.js";
import type { Lease } from "../net/dhcp-server.js";
import type { Impairments } from "../net/link.js";
import { VirtualTime } from "./machine-time.js";
import type { StopReason } from "./machine.js";
import { Random } from "./random.js";
import type { ScriptTarget } from "./script-run.js";
import type { VirtualClock } from "./virtual-clock.js";
import { Device, type DeviceSpec, type RunResult } from "./world-device.js";
import { SECOND_SUBNET, VirtualLan } from "./world-lan.js";

/** What a world in virtual time is made with. */
export interface VirtualWorldOptions extends DeviceSpec {
  /** The stack of the gateway; without it there is no gateway. */
  gateway?: Firmware | undefined;
  subnet?: Subnet | undefined;
  impairments?: Impairments | undefined;
  /** Give addresses by DHCP (default: yes). */
  dhcp?: boolean;
  onLog?: (line: LogLine) => void;
  onLease?: (lease: Lease) => void;
  /** Asked now and then: does another thread want the run to end? */
  stopWanted?: () => boolean;
}

/**
 * A device and its network in one thread, in virtual time: as fast as the host can, and the same for the same seed. Other
 * stations are attached to `lan.ethernet`; what they do is scheduled on `clock` before the run, or by earlier actions.
 *
 *     const world = await VirtualWorld.create({ firmware, settings: emptySettings(), seed: 1 });
 *     world.clock.schedule(10e9, () => world.stop());
 *     const { reason } = world.run();
 */
export class VirtualWorld {
  /** The address that the device uses; 0 while it has none. */
  address = 0;
  /** The network of the second chip, of a board that has two, and the address that the device uses there. */
  second: VirtualLan | undefined;
  secondAddress = 0;

  private constructor(
    private readonly time: VirtualTime,
    /** The lines of the device's log, of a very long one the latest. */
    readonly log: readonly LogLine[],
    readonly device: Device,
    readonly lan: VirtualLan,
  ) {}

  static async create(options: VirtualWorldOptions): Promise<VirtualWorld> {
    const time = new VirtualTime(undefined, options.stopWanted);
    const random = new Random(options.seed);
    const log = new LogTail();
    const device = await Device.create({ ...options, seed: random.u32() }, time, (line) => {
      log.add(line);
      options.onLog?.(line);
    });
    const { subnet, impairments, gateway, dhcp, onLease } = options;
    const lan = new VirtualLan({
      clock: time.clock,
      seed: random.u32(),
      ...(subnet && { subnet }),
      ...(impairments && { impairments }),
      ...(onLease && { onLease }),
      ...(dhcp !== undefined && { dhcp }),
      gateway,
      onAddress: (address) => (world.address = address),
      toDevice: (frame, fcsGood) => device.wire.toDevice(new Uint8Array(frame), fcsGood),
    });
    device.wire.onTransmit = lan.fromDevice;
    const world = new VirtualWorld(time, log.lines, device, lan);
    world.second = device.secondLan({
      seed: random.u32(),
      subnet: options.secondSubnet ?? SECOND_SUBNET,
      gateway,
      onAddress: (address) => (world.secondAddress = address),
    });
    return world;
  }

  get clock(): VirtualClock {
    return this.time.clock;
  }

  /** The device, for a script. */
  target(): ScriptTarget {
    const { address, device } = this;
    return { address, chip: device.machine.chip, pins: device.machine.pins };
  }

  /** Ends the run at the next opportunity. */
  stop(reason: StopReason = "stopped"): void {
    this.time.stop(reason);
  }

  /** Runs the device until the world stops it, or it fails. A world runs once. */
  run(): RunResult {
    return this.device.run();
  }
}
