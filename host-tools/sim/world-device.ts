import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
import type { Subnet } from "../net/addresses.js";
import { PcapWriter } from "../net/pcap.js";
import { loadMachine } from "./machine-load.js";
import {
  DeviceTrap,
  StopSimulation,
  type DeviceMachine,
  type MachineTime,
  type StopReason,
} from "./machine.js";
import { VcdWriter } from "./machine-vcd.js";
import { Wire } from "./machine-wire.js";
import { VirtualLan, type LanOptions } from "./world-lan.js";

/** A device to simulate, as plain data that can go to another thread. */
export interface DeviceSpec {
  firmware: Firmware;
  /** Settings block in flash. */
  settings: Uint8Array;
  seed: number;
  /** The network of the second chip, where the board has two. */
  secondSubnet?: Subnet | undefined;
  /** Capture of the device's cable. */
  pcap?: string | undefined;
  /** Dump of the SPI signals. */
  vcd?: string | undefined;
  /** Ends the run after that much simulated time. */
  timeoutNs?: number | undefined;
  /** Ends the run when a log line has this text. */
  expect?: string | undefined;
  /** Ends the run as a failure when a log line has this text. */
  failText?: string | undefined;
}

/** How a run has ended. */
export interface RunResult {
  reason: StopReason | "trap" | "hung" | "limit" | "script";
  /** Of a trap: what has happened; of `failed`: the line of the log; of `script`: the line that was not fulfilled. */
  message?: string;
  simulatedMs: number;
  /** Of several devices that share a thread: the one that has ended the run. */
  device?: string;
}

/** Time that can also end the run. */
export interface StoppableTime extends MachineTime {
  stop(reason: StopReason): void;
}

interface Seen {
  reason?: "expected" | "failed";
  line?: string;
}

/** A machine with its cable and its recorders, under some pace of time. */
export class Device {
  private constructor(
    private readonly time: StoppableTime,
    readonly machine: DeviceMachine,
    readonly wire: Wire,
    /** The cable of the second chip, where the board has two. */
    readonly second: Wire | undefined,
    private readonly pcap: PcapWriter | undefined,
    private readonly vcd: VcdWriter | undefined,
    /** What the log has decided: then nothing that happens afterwards counts. */
    private readonly seen: Seen,
  ) {}

  /** Makes the machine; it is powered when `run` is called. */
  static async create(
    spec: DeviceSpec,
    time: StoppableTime,
    onLog: (line: LogLine) => void,
  ): Promise<Device> {
    const { clock } = time;
    const { firmware, settings, seed, timeoutNs } = spec;
    const pcap = spec.pcap === undefined ? undefined : new PcapWriter(spec.pcap);
    const vcd =
      spec.vcd === undefined ? undefined : new VcdWriter(spec.vcd, clock, firmware.board.spiHz);
    const seen: Seen = {};
    const machine = await loadMachine({
      firmware,
      time,
      seed,
      settings,
      log: (line) => {
        onLog(line);
        const reason = verdict(spec, line.text);
        if (reason === undefined || seen.reason !== undefined) return;
        Object.assign(seen, { reason, line: line.text });
        time.stop(reason);
      },
      ...(vcd && { probe: (chip) => vcd.probe(chip) }),
    });
    const wire = new Wire(clock, machine.chip, machine.linkBps, pcap);
    const { second: other } = machine;
    const second = other && new Wire(clock, other.chip, other.linkBps);
    machine.chip.setLink(true);
    other?.chip.setLink(true);
    if (timeoutNs !== undefined) clock.schedule(timeoutNs, () => time.stop("timeout"));
    return new Device(time, machine, wire, second, pcap, vcd, seen);
  }

  /** The network of the second chip, where the board has two: a switch of its own, and what `options` put there. */
  secondLan(options: Omit<LanOptions, "clock" | "toDevice">): VirtualLan | undefined {
    const { second } = this;
    if (!second) return undefined;
    const lan = new VirtualLan({
      ...options,
      clock: this.time.clock,
      toDevice: (frame, fcsGood) => second.toDevice(new Uint8Array(frame), fcsGood),
    });
    second.onTransmit = lan.fromDevice;
    return lan;
  }

  /** Brings the capture up to date on the disk. */
  flush(): void {
    this.pcap?.flush();
  }

  /** Runs the device to the end of the simulation. */
  run(): RunResult {
    try {
      this.machine.run();
      throw new Error("a machine must not return");
    } catch (error) {
      const simulatedMs = this.time.clock.nowNs / 1e6;
      const { reason, line: message } = this.seen;
      const decided = reason !== undefined && { reason, simulatedMs, ...(message && { message }) };
      if (decided && (error instanceof StopSimulation || error instanceof DeviceTrap))
        return decided;
      if (error instanceof StopSimulation) return { reason: error.reason, simulatedMs };
      if (error instanceof DeviceTrap)
        return { reason: "trap", message: error.message, simulatedMs };
      throw error;
    } finally {
      this.pcap?.close();
      this.vcd?.close();
    }
  }
}

/** What a line of the log decides about the run. */
export function verdict(spec: DeviceSpec, text: string): "expected" | "failed" | undefined {
  const { expect, failText } = spec;
  if (failText !== undefined && text.includes(failText)) return "failed";
  return expect !== undefined && text.includes(expect) ? "expected" : undefined;
}
