import type { Clock, SpiSlave } from "./types.js";
import { Pins } from "./pins.js";
import { Random } from "./random.js";
import type { VirtualClock } from "./virtual-clock.js";

/** What a board keeps around a transaction, and what the simulated processor needs for small things. All in ns. */
export interface BoardTiming {
  /** CSn low to the first clock. */
  csSetupNs: number;
  /** Last clock to CSn high. */
  csHoldNs: number;
  /** CSn high to anything else, so at least the minimum high time. */
  csHighNs: number;
  /** Reading a pin or a clock, so that loops which poll take time. */
  pollNs: number;
}

/**
 * The times of the virtual boards: within the limits of the W5500 (5, 5, 30 ns) and of the ENC28J60 (50, 10, 50 ns; the
 * 210 ns that it wants after a MAC or MII access are the driver's business).
 */
export const BOARD_TIMING: Record<"w5500" | "enc28j60", BoardTiming> = {
  w5500: { csSetupNs: 10, csHoldNs: 10, csHighNs: 40, pollNs: 100 },
  enc28j60: { csSetupNs: 50, csHoldNs: 10, csHighNs: 50, pollNs: 100 },
};

/** What the imports of a virtual board are made from. */
export interface HwOptions {
  clock: Clock;
  /** Lets simulated time pass; by default `clock.advance` of a VirtualClock. */
  advance: (ns: number) => void;
  /** The same clock, where many bytes may go at once (`SpiSlave.burst`); default: byte by byte. */
  burstClock?: VirtualClock;
  chip: SpiSlave;
  /** A second chip on the same bus, with a select of its own. */
  second?: SpiSlave | undefined;
  spiHz: number;
  timing: BoardTiming;
  /** The instance's memory; asked at each access, because it is replaced when it grows. */
  memory: () => WebAssembly.Memory;
  /** A line of the device's log: number of the format and its arguments. */
  log: (id: number, args: number[]) => void;
  /** Sleeps until the deadline, INTn or a reason of its own; default: `virtualSleep`. */
  sleepUntil?: (deadlineMs: number) => void;
  /** 32 bits for seeding; default: a generator with seed 1. */
  entropy?: () => number;
  /** Address of the read-only blob; default 0. */
  flashBase?: () => number;
  /** Address of the settings block; default 0. */
  settingsBase?: () => number;
  watchdogFeed?: () => void;
  /** Digital pins; default: pins that nobody looks at. */
  pins?: Pins;
  /** Value of clockMs() at time 0, to see the clock wrap; default 0. */
  startMs?: number;
}

/** Traffic on the SPI bus since the start. */
export interface BusCount {
  /** Bytes clocked, headers included. */
  bytes: number;
  /** Times that CSn went low. */
  transactions: number;
}

/** The import module `hw` (hal/virtual/hw.ts). */
export type HwImports = Record<string, (...args: number[]) => number | void>;

/** Milliseconds of `clockMs()` at the current instant. */
export function clockMsOf(clock: Clock, startMs: number): number {
  return (Math.floor(clock.nowNs / 1e6) + startMs) >>> 0;
}

/**
 * The hardware of a virtual board over a chip: each SPI byte lets eight clocks of simulated time pass, and the chip sees
 * a byte when its last bit has been clocked.
 */
export function createHw(options: HwOptions): { imports: HwImports; bus: BusCount } {
  const { chip, second, clock, timing, advance, memory } = options;
  const startMs = options.startMs ?? 0;
  const byteNs = 8e9 / options.spiHz;
  const random = new Random(1);
  const bus: BusCount = { bytes: 0, transactions: 0 };
  /** The one whose select was low last. */
  let selected = chip;
  const exchange = (mosi: number): number => {
    bus.bytes++;
    advance(byteNs);
    return selected.exchange(mosi);
  };
  const transfer = transferOf(options.burstClock, () => selected, byteNs, bus, exchange);
  const select = (which: SpiSlave): void => {
    bus.transactions++;
    selected = which;
    which.select();
    advance(timing.csSetupNs);
  };
  const sleepUntil =
    options.sleepUntil ?? ((ms: number) => virtualSleep(clock as VirtualClock, chip, startMs, ms));
  const pins = options.pins ?? new Pins();
  const imports: HwImports = {
    ...pinImports(pins),
    ...chipImports(options, chip, select, ""),
    ...(second && chipImports(options, second, select, "2")),
    spiDeselect: () => {
      advance(timing.csHoldNs);
      selected.deselect();
      advance(timing.csHighNs);
    },
    spiWrite: (from, bytes) => {
      transfer(new Uint8Array(memory().buffer, from as number, bytes as number), true);
    },
    spiRead: (to, bytes) => {
      transfer(new Uint8Array(memory().buffer, to as number, bytes as number), false);
    },
    spiPut: (byte) => void exchange((byte as number) & 0xff),
    spiGet: () => exchange(0),
    delayNs: (ns) => advance((ns as number) >>> 0),
    clockMs: () => {
      advance(timing.pollNs);
      return clockMsOf(clock, startMs) | 0;
    },
    clockUs: () => {
      advance(timing.pollNs);
      return (Math.floor(clock.nowNs / 1e3) + startMs * 1000) >>> 0;
    },
    sleepUntil: (ms) => sleepUntil((ms as number) >>> 0),
    entropy: options.entropy ?? (() => random.u32()),
    flashBase: options.flashBase ?? (() => 0),
    settingsBase: options.settingsBase ?? (() => 0),
    watchdogFeed: options.watchdogFeed ?? (() => undefined),
    log: (id, count, a, b, c, d) =>
      options.log(
        id as number,
        [a, b, c, d].slice(0, count).map((value) => (value as number) >>> 0),
      ),
  };
  return { imports, bus };
}

/** The pins of one of the chips on the bus. */
function chipImports(
  { advance, timing }: HwOptions,
  chip: SpiSlave,
  select: (chip: SpiSlave) => void,
  suffix: "" | "2",
): HwImports {
  return {
    [`spiSelect${suffix}`]: () => select(chip),
    [`chipReset${suffix}`]: (low) => {
      advance(timing.pollNs);
      chip.reset(low !== 0);
    },
    [`chipInterrupt${suffix}`]: () => {
      advance(timing.pollNs);
      return chip.interrupt ? 1 : 0;
    },
  };
}

/** Moves bytes from or to the chip: in bursts where nothing is due before the last of them, else one by one. */
function transferOf(
  burstClock: VirtualClock | undefined,
  selected: () => SpiSlave,
  byteNs: number,
  bus: BusCount,
  exchange: (mosi: number) => number,
): (data: Uint8Array, writing: boolean) => void {
  return (data, writing) => {
    const chip = selected();
    for (let i = 0; i < data.length;) {
      const many = quietBytes(burstClock, byteNs, data.length - i);
      if (burstClock && many > 0 && chip.burst?.(data.subarray(i, i + many), writing)) {
        bus.bytes += many;
        i += many;
        // One sum a byte, so that the instants are the same to the last bit.
        let atNs = burstClock.nowNs;
        for (let k = 0; k < many; k++) atNs += byteNs;
        burstClock.advanceTo(atNs);
      } else if (writing) exchange(data[i++] as number);
      else data[i++] = exchange(0);
    }
  };
}

/** Fewer bytes are not worth asking for. */
const BURST_BYTES_MIN = 16;

/** Bytes of at most `bytes` behind which the next planned action still lies. */
function quietBytes(clock: VirtualClock | undefined, byteNs: number, bytes: number): number {
  if (!clock || bytes < BURST_BYTES_MIN) return 0;
  const next = clock.nextNs;
  if (next === undefined) return bytes;
  const quiet = Math.min(bytes, Math.floor((next - clock.nowNs) / byteNs) - 1);
  return quiet < BURST_BYTES_MIN ? 0 : quiet;
}

function pinImports(pins: Pins): HwImports {
  return {
    gpioMode: (pin, mode) => pins.mode(pin as number, mode as number),
    gpioRead: (pin) => (pins.level(pin as number) ? 1 : 0),
    gpioWrite: (pin, high) => pins.write(pin as number, high !== 0),
    gpioArm: (pin) => (pins.arm(pin as number) ? 1 : 0),
    gpioEdges: (pin) => (pins.edges(pin as number) ? 1 : 0),
  };
}

/** Sleeping in virtual time: runs what the world has planned, until the deadline or until INTn is low. */
export function virtualSleep(
  clock: VirtualClock,
  chip: SpiSlave,
  startMs: number,
  deadlineMs: number,
): void {
  const leftMs = (deadlineMs - clockMsOf(clock, startMs)) | 0;
  if (leftMs <= 0) return clock.advance(1000);
  const endNs = (Math.floor(clock.nowNs / 1e6) + leftMs) * 1e6;
  while (!chip.interrupt) {
    const next = clock.nextNs;
    if (next === undefined || next > endNs) return clock.advanceTo(endNs);
    clock.runNext();
  }
  // Waking takes a moment: a device that does not serve its interrupt must not stop the clock.
  clock.advance(1000);
}
