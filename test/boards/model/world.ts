import { compileFirmware, type Firmware } from "../../../host-tools/build/compile.js";
import { LogDecoder } from "../../../host-tools/log/serial-log.js";
import { hostedFirmware } from "../../../host-tools/net/hosted-stack.js";
import { encodeSettings, SETTINGS_BYTES } from "../../../host-tools/settings.js";
import { createChip, LINK_BPS } from "../../../host-tools/sim/machine-chips.js";
import { VirtualTime } from "../../../host-tools/sim/machine-time.js";
import { Wire } from "../../../host-tools/sim/machine-wire.js";
import { StopSimulation } from "../../../host-tools/sim/machine.js";
import { Random } from "../../../host-tools/sim/random.js";
import { DEFAULT_SUBNET, VirtualLan } from "../../../host-tools/sim/world-lan.js";
import { DEVICE_ADDRESS, type Script } from "../../apps/bench.js";
import { EthernetPeer } from "../../apps/peer.js";
import { BluePill } from "./f1.js";
import { EspruinoPico } from "./f4.js";
import type { Mcu, McuOptions } from "./mcu.js";
import { LIMITS } from "./spi.js";
import { Violation } from "./bus.js";

/** What to run on a model of an STM32 board. */
export interface BoardRun {
  board: string;
  app?: string;
  seed?: number;
  faults?: McuOptions["faults"];
  /** Simulated seconds, where there is no script that ends earlier. */
  seconds?: number;
}

const PAGE = 65536;
/** The chips' links are up by then. */
const LINK_UP_NS = 2.5e9;

/**
 * An STM32 board with the registers of its MCU modelled: the firmware runs as WebAssembly, and every load and store of a
 * register goes to the model.
 */
export class BoardWorld {
  readonly said: string[] = [];
  private memory!: WebAssembly.Memory;

  private constructor(
    private readonly firmware: Firmware,
    private readonly lan: VirtualLan,
    readonly mcu: Mcu,
    private readonly time: VirtualTime,
  ) {}

  get clock(): VirtualTime["clock"] {
    return this.time.clock;
  }

  static async create(run: BoardRun): Promise<BoardWorld> {
    const firmware = await compileFirmware({ board: run.board, app: run.app ?? "demo" });
    const { chip: name, spiHz, target } = firmware.board;
    if (name === "none") throw new Error("a board without a chip");
    const time = new VirtualTime();
    const { clock } = time;
    const random = new Random(run.seed ?? 1);
    const onViolation = (message: string): void => {
      throw new Violation(message);
    };
    const chip = await createChip(name, { clock, spiHz, seed: random.u32(), onViolation });
    const decoder = new LogDecoder(firmware.messages);
    const options: McuOptions = {
      clock,
      chip,
      limits: LIMITS[name],
      random,
      faults: run.faults ?? {},
      memory: () => new Uint8Array(world.memory.buffer),
      onByte: (byte) => {
        for (const entry of decoder.push(Uint8Array.of(byte))) {
          if (entry.kind === "line") world.said.push(entry.text);
        }
      },
    };
    const mcu = target === "stm32f1" ? new BluePill(options) : new EspruinoPico(options);
    const wire = new Wire(clock, chip, LINK_BPS[name]);
    const lan = new VirtualLan({
      clock,
      seed: random.u32(),
      gateway: await hostedFirmware(),
      dhcp: false,
      toDevice: (frame, fcsGood) => wire.toDevice(frame.slice(), fcsGood),
    });
    wire.onTransmit = lan.fromDevice;
    chip.setLink(true);
    const world = new BoardWorld(firmware, lan, mcu, time);
    clock.schedule((run.seconds ?? 60) * 1e9, () => time.stop("timeout"));
    return world;
  }

  /** Runs the firmware until the clients' script has ended or the time is over. */
  run(script?: (peer: EthernetPeer) => Script): void {
    if (script) this.converse(script);
    const main = this.instantiate();
    try {
      main();
    } catch (error) {
      if (!(error instanceof StopSimulation)) throw error;
    }
  }

  private converse(script: (peer: EthernetPeer) => Script): void {
    const { clock, lan, time } = this;
    const stack = lan.gateway;
    if (!stack) throw new Error("the clients need a stack");
    const steps = script(new EthernetPeer(stack, clock));
    let wait = (): boolean => clock.nowNs >= LINK_UP_NS;
    stack.onProgress = () => {
      while (wait()) {
        const next = steps.next();
        wait = next.done ? () => false : next.value;
        if (next.done) time.stop("stopped");
      }
    };
    clock.schedule(LINK_UP_NS, () => stack.wake());
  }

  private instantiate(): () => void {
    const { firmware, mcu, time } = this;
    const { bus, core } = mcu;
    let blobAt = 0;
    const settingsAt = (): number => blobAt + ((firmware.blob.length + 3) & ~3);
    const hw = {
      ld32: (at: number) => {
        time.busy();
        return bus.read(at >>> 0) | 0;
      },
      st32: (at: number, value: number) => bus.write(at >>> 0, value),
      spin: (loops: number) => bus.take(3 * Math.max(1, loops >>> 0)),
      barrier: () => undefined,
      wfi: () => {
        const { nowNs } = time.clock;
        core.sleeps++;
        time.idle(nowNs + 100e9, () => core.awake);
        core.sleptNs += time.clock.nowNs - nowNs;
      },
      sumWords: (at: number, words: number, sum: number) => this.sumWords(at, words, sum),
      sumHeader: (at: number) => this.sumWords(at, 5, 0),
      sumSegment: (at: number, more: number, sum: number) =>
        this.sumWords(more, 2, this.sumWords(at, 5, sum)),
      wordsClear: (at: number, bytes: number) => void this.words(at, bytes).fill(0),
      wordsCopy: (to: number, from: number, bytes: number) =>
        this.words(to, bytes).set(this.words(from, bytes)),
      rev16: (value: number) => (((value & 0x00ff00ff) << 8) | ((value >>> 8) & 0x00ff00ff)) >>> 0,
      based: (at: number) => at,
      flashBase: () => blobAt,
      settingsBase: settingsAt,
      logRing: () => undefined,
      spareRam: () => mcu.powerOnRam,
    };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(firmware.wasm), { hw });
    this.memory = instance.exports["memory"] as WebAssembly.Memory;
    blobAt = this.memory.buffer.byteLength;
    this.memory.grow(Math.ceil((settingsAt() - blobAt + SETTINGS_BYTES) / PAGE));
    const bytes = new Uint8Array(this.memory.buffer);
    bytes.set(firmware.blob, blobAt);
    const { mask, address: gateway } = DEFAULT_SUBNET;
    bytes.set(
      encodeSettings({ address: { address: DEVICE_ADDRESS, mask, gateway, dns: 0 } }),
      settingsAt(),
    );
    return instance.exports["main"] as () => void;
  }

  /** A record: it stands on a word, or this throws. */
  private words(at: number, bytes: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, at, bytes / 4);
  }

  private sumWords(at: number, words: number, start: number): number {
    const view = new DataView(this.memory.buffer);
    let sum = start >>> 0;
    for (let i = 0; i < words; i++) {
      sum += view.getUint32((at >>> 0) + 4 * i, true);
      if (sum > 0xffffffff) sum -= 0xffffffff;
    }
    return sum | 0;
  }
}
