import { W5500, type W5500Options } from "../../host-tools/sim/chips/w5500/index.js";
import type { SpiSlave } from "../../host-tools/sim/types.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import { NicHarness, type NicHarnessOptions } from "./nic-harness.js";

/** Clock of the virtual board's SPI bus. */
export const SPI_HZ = 33_300_000;

/** A model on the given clock; what the host does wrong throws. Ready, cable in, link after 1.5 s. */
export function makeW5500(clock: VirtualClock, options: Partial<W5500Options> = {}): W5500 {
  return new W5500({
    clock,
    spiHz: SPI_HZ,
    seed: 1,
    onViolation: (message) => {
      throw new Error(message);
    },
    ...options,
  });
}

/** A model with a link and a driver that is up, in virtual time. `startMs`: the device's clock at the start; `build`: build options. */
export async function w5500Harness(
  options: Partial<W5500Options> & {
    startMs?: number;
    build?: NonNullable<NicHarnessOptions<W5500>["options"]>;
  } = {},
): Promise<{ bench: NicHarness<W5500>; chip: W5500; sent: Uint8Array[] }> {
  const { startMs = 0, build = {}, ...chipOptions } = options;
  const bench = await NicHarness.create({
    board: "virtual-w5500",
    chip: (clock) => makeW5500(clock, { autoNegotiationMs: 20, ...chipOptions }),
    startMs,
    options: build,
    spiHz: options.spiHz ?? SPI_HZ,
  });
  const sent: Uint8Array[] = [];
  bench.chip.onTransmit = (frame) => void sent.push(frame);
  const result = bench.init();
  if (result !== 0) throw new Error(`nicInit: ${result}`);
  bench.run(150, 10);
  return { bench, chip: bench.chip, sent };
}

/** Block select bits as control bytes for reading; 4 more for writing. */
export const COMMON = 0x00;
export const S0 = 0x08;
export const S0_TX = 0x10;
export const S0_RX = 0x18;
export const socketBlock = (n: number): number => 0x08 + 0x20 * n;

/** An SPI master for tests of the model: one frame a call, in simulated time. */
export class SpiMaster {
  constructor(
    readonly clock: VirtualClock,
    readonly chip: SpiSlave,
    private readonly spiHz = SPI_HZ,
  ) {}

  /** One transaction; the MISO bytes. */
  transfer(mosi: number[]): number[] {
    this.chip.select();
    const miso = mosi.map((byte) => {
      this.clock.advance(8e9 / this.spiHz);
      return this.chip.exchange(byte);
    });
    this.chip.deselect();
    this.clock.advance(40);
    return miso;
  }

  read(block: number, address: number, bytes: number): number[] {
    const header = [address >> 8, address & 0xff, block];
    return this.transfer([...header, ...new Array<number>(bytes).fill(0)]).slice(3);
  }

  read8(block: number, address: number): number {
    return this.read(block, address, 1)[0] as number;
  }

  read16(block: number, address: number): number {
    const [high, low] = this.read(block, address, 2) as [number, number];
    return (high << 8) | low;
  }

  write(block: number, address: number, ...data: number[]): void {
    this.transfer([address >> 8, address & 0xff, block | 4, ...data]);
  }

  write16(block: number, address: number, value: number): void {
    this.write(block, address, (value >> 8) & 0xff, value & 0xff);
  }

  /** A command to socket n, and the time until it is taken. */
  command(code: number, n = 0): void {
    this.write(socketBlock(n), 0x01, code);
    this.clock.advance(2000);
  }

  /** All memory to socket 0, MACRAW with the given filter bits, opened; the MAC is the harness's. */
  openMacraw(mode = 0x84): void {
    this.write(COMMON, 0x09, ...NicHarness.MAC);
    for (let n = 1; n < 8; n++) this.write(socketBlock(n), 0x1e, 0, 0);
    this.write(S0, 0x1e, 16, 16);
    this.write(S0, 0x00, mode);
    this.command(0x01);
  }

  /** Waits for the link. */
  waitForLink(): void {
    for (let i = 0; i < 100 && (this.read8(COMMON, 0x2e) & 1) === 0; i++) this.clock.advance(50e6);
  }

  /** Writes a frame at TX_WR and gives the command to send it. */
  send(frame: Uint8Array): void {
    const pointer = this.read16(S0, 0x24);
    this.write(S0_TX, pointer, ...frame);
    this.write16(S0, 0x24, pointer + frame.length);
    this.write(S0, 0x01, 0x20);
  }

  /** Takes the frame at RX_RD and frees it. */
  receive(): Uint8Array {
    const pointer = this.read16(S0, 0x28);
    const length = this.read16(S0_RX, pointer);
    const frame = Uint8Array.from(this.read(S0_RX, pointer + 2, length - 2));
    this.write16(S0, 0x28, pointer + length);
    this.command(0x40);
    return frame;
  }
}
