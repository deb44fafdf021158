import type { Firmware } from "../build/compile.js";
import type { LogLine } from "../log/decode.js";
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

/** A device to simulate, as plain data that can go to another thread. */
export interface DeviceSpec {
  firmware: Firmware;
  /** Settings block in flash. */
  settings: Uint8Array;
  seed: number;
  /** Capture of the device's cable. */
  pcap?: string | undefined;
  /** Dump of the SPI signals. */
  vcd?: string | undefined;
  /** Ends the run after that much simulated time. */
  timeoutNs?: number | undefined;
  /** Ends the run when a log line has this text. */
  expect?: string | undefined;
}

/** How a run has ended. */
export interface RunResult {
  reason: StopReason | "trap";
  /** Of a trap: what has happened. */
  message?: string;
  simulatedMs: number;
}

/** Time that can also end the run. */
export interface StoppableTime extends MachineTime {
  stop(reason: StopReason): void;
}

/** A machine with its cable and its recorders, under some pace of time. */
export class Device {
  private constructor(
    private readonly time: StoppableTime,
    readonly machine: DeviceMachine,
    readonly wire: Wire,
    private readonly pcap: PcapWriter | undefined,
    private readonly vcd: VcdWriter | undefined,
    /** Whether the text that was waited for has come: then nothing that happens afterwards counts. */
    private readonly seen: { expected: boolean },
  ) {}

  /** Makes the machine; it is powered when `run` is called. */
  static async create(
    spec: DeviceSpec,
    time: StoppableTime,
    onLog: (line: LogLine) => void,
  ): Promise<Device> {
    const { clock } = time;
    const { firmware, settings, seed, expect, timeoutNs } = spec;
    const pcap = spec.pcap === undefined ? undefined : new PcapWriter(spec.pcap);
    const vcd =
      spec.vcd === undefined ? undefined : new VcdWriter(spec.vcd, clock, firmware.board.spiHz);
    const seen = { expected: false };
    const machine = await loadMachine({
      firmware,
      time,
      seed,
      settings,
      log: (line) => {
        onLog(line);
        if (expect === undefined || !line.text.includes(expect)) return;
        seen.expected = true;
        time.stop("expected");
      },
      ...(vcd && { probe: (chip) => vcd.probe(chip) }),
    });
    const wire = new Wire(clock, machine.chip, machine.linkBps, pcap);
    machine.chip.setLink(true);
    if (timeoutNs !== undefined) clock.schedule(timeoutNs, () => time.stop("timeout"));
    return new Device(time, machine, wire, pcap, vcd, seen);
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
      if (error instanceof StopSimulation) return { reason: error.reason, simulatedMs };
      if (this.seen.expected && error instanceof DeviceTrap)
        return { reason: "expected", simulatedMs };
      if (error instanceof DeviceTrap)
        return { reason: "trap", message: error.message, simulatedMs };
      throw error;
    } finally {
      this.pcap?.close();
      this.vcd?.close();
    }
  }
}
