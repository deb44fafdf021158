import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
import type { Mac, Subnet } from "../net/addresses.js";
import type { Impairments } from "../net/link.js";
import { PcapWriter } from "../net/pcap.js";
import { Fiber, FiberTurns } from "./fiber.js";
import { LINK_BPS, type ChipName } from "./machine-chips.js";
import { VcdWriter } from "./machine-vcd.js";
import { Wire } from "./machine-wire.js";
import { LED_PIN, type Pins } from "./pins.js";
import type { ChipModel } from "./types.js";
import { VirtualClock } from "./virtual-clock.js";
import { verdict, type DeviceSpec, type RunResult } from "./world-device.js";
import { VirtualLan } from "./world-lan.js";

/** Longest step of time in which the world does not look whether another thread wants it to end. */
const LOOK_NS = 1e9;

/** One of several devices; its firmware is compiled as a fiber. */
export interface NamedSpec {
  name: string;
  spec: DeviceSpec;
  /** Trouble of its own link. */
  impairments: Impairments;
}

/** What a world of several devices is made with. */
export interface SeveralOptions {
  devices: readonly NamedSpec[];
  /** The stack of the gateway; without it there is no gateway. */
  gateway?: Firmware | undefined;
  subnet?: Subnet | undefined;
  /** Addresses that DHCP keeps for these devices. */
  reserved?: ReadonlyMap<Mac, number> | undefined;
  onLog?: (line: LogLine, device: string) => void;
  onLed?: (lit: boolean, device: string) => void;
  /** Asked now and then: does another thread want the run to end? */
  stopWanted?: () => boolean;
  /** The device of this number goes on. */
  onTurn?: (device: number) => void;
}

/** A device of a world of several. */
class Member {
  /** The address that the device uses; 0 while it has none. */
  address = 0;

  constructor(
    readonly name: string,
    readonly fiber: Fiber,
    private readonly files: { close(): void }[],
  ) {}

  get chip(): ChipModel {
    return this.fiber.board.chip;
  }

  get pins(): Pins {
    return this.fiber.board.pins;
  }

  close(): void {
    for (const file of this.files) file.close();
  }
}

/** Several devices on one switch behind the gateway, in one thread and in virtual time: the same seed gives the same run. */
export class SeveralWorld {
  readonly clock = new VirtualClock();
  readonly lan: VirtualLan;
  private readonly members: Member[] = [];
  private result: RunResult | undefined;

  private constructor(private readonly options: SeveralOptions) {
    const { subnet, gateway, reserved, devices } = options;
    const seed = devices[0]?.spec.seed ?? 0;
    const { clock } = this;
    this.lan = new VirtualLan({ clock, seed, gateway, reserved, ...(subnet && { subnet }) });
  }

  static async create(options: SeveralOptions): Promise<SeveralWorld> {
    const world = new SeveralWorld(options);
    for (const device of options.devices) world.members.push(await world.join(device));
    return world;
  }

  /** The device of this name, for a script. */
  target(name: string | undefined): Member {
    const member = this.members.find((one) => one.name === name);
    if (!member) throw new Error(`no device is named ${name}`);
    return member;
  }

  /** Ends the run at the next opportunity. */
  stop(): void {
    this.end({ reason: "stopped" });
  }

  /** Runs the devices until one of them ends, or the world stops them. A world runs once. */
  run(): RunResult {
    const turns = new FiberTurns(this.clock, this.options.onTurn);
    const { members } = this;
    try {
      for (;;) {
        if (this.options.stopWanted?.()) this.stop();
        if (this.result) return this.result;
        const failed = turns.step(members, this.clock.nowNs + LOOK_NS);
        if (failed === undefined) continue;
        const { name: device, fiber } = members[failed] as Member;
        this.end({ reason: "trap", device, message: fiber.failure?.message ?? "" });
      }
    } finally {
      for (const member of members) member.close();
    }
  }

  private end(result: Omit<RunResult, "simulatedMs">): void {
    this.result ??= { ...result, simulatedMs: this.clock.nowNs / 1e6 };
  }

  private async join({ name, spec, impairments }: NamedSpec): Promise<Member> {
    const { clock } = this;
    const { firmware, seed, settings, timeoutNs } = spec;
    const pcap = spec.pcap === undefined ? undefined : new PcapWriter(spec.pcap);
    const vcd =
      spec.vcd === undefined ? undefined : new VcdWriter(spec.vcd, clock, firmware.board.spiHz);
    const log = (line: LogLine): void => {
      if (this.result) return;
      this.options.onLog?.(line, name);
      const reason = verdict(spec, line.text);
      if (reason) this.end({ reason, message: line.text, device: name });
    };
    const fiber = await Fiber.create({
      ...{ firmware, clock, seed, settings, log },
      ...(vcd && { probe: (chip) => vcd.probe(chip) }),
    });
    const { chip, pins } = fiber.board;
    const wire = new Wire(clock, chip, LINK_BPS[firmware.board.chip as ChipName], pcap);
    const port = this.lan.attach(
      name,
      (frame, fcsGood) => wire.toDevice(new Uint8Array(frame), fcsGood),
      (address) => (member.address = address),
      impairments,
    );
    wire.onTransmit = port.fromDevice;
    pins.onChange = (pin, high) => {
      if (pin === LED_PIN) this.options.onLed?.(high, name);
    };
    chip.setLink(true);
    if (timeoutNs !== undefined) clock.schedule(timeoutNs, () => this.end({ reason: "timeout" }));
    const files = [pcap, vcd].filter((file) => file !== undefined);
    const member = new Member(name, fiber, files);
    return member;
  }
}
