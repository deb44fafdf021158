import type { VirtualClock } from "../../../host-tools/sim/virtual-clock.js";

/** What silicon would not forgive. Thrown through the firmware, so a test fails at the very access. */
export class Violation extends Error {}

/** A block of registers. Offsets are multiples of four from its base. */
export interface Peripheral {
  read(offset: number): number;
  write(offset: number, value: number): void;
}

interface Mapping {
  base: number;
  bytes: number;
  name: string;
  peripheral: Peripheral;
  clocked: () => boolean;
}

/** Cycles that an access to a register takes: a load or store with its wait for the peripheral bus. */
const ACCESS_CYCLES = 4;

/** The registers of an MCU by address. Each access takes time; one without a clock or a register is a violation. */
export class RegisterBus {
  private readonly mappings: Mapping[] = [];

  constructor(
    private readonly clock: VirtualClock,
    private readonly coreHz: () => number,
  ) {}

  /** Enters a peripheral; `clocked` says whether its clock is enabled. */
  map(
    base: number,
    bytes: number,
    name: string,
    peripheral: Peripheral,
    clocked = (): boolean => true,
  ): void {
    this.mappings.push({ base, bytes, name, peripheral, clocked });
  }

  read(at: number): number {
    this.take(ACCESS_CYCLES);
    const { peripheral, base } = this.find(at);
    return peripheral.read(at - base) >>> 0;
  }

  write(at: number, value: number): void {
    this.take(ACCESS_CYCLES);
    const { peripheral, base } = this.find(at);
    peripheral.write(at - base, value >>> 0);
  }

  /** Lets cycles of the core pass. */
  take(cycles: number): void {
    this.clock.advance((cycles * 1e9) / this.coreHz());
  }

  private find(at: number): Mapping {
    const found = this.mappings.find(({ base, bytes }) => at >= base && at < base + bytes);
    if (at % 4 !== 0) throw new Violation(`word access at ${hex(at)}`);
    if (!found) throw new Violation(`there is no register at ${hex(at)}`);
    if (!found.clocked()) throw new Violation(`${found.name} is used while its clock is off`);
    return found;
  }
}

/** Plain storage for registers whose bits other parts look at; those that are not listed do not exist. */
export class Registers implements Peripheral {
  private readonly values: Map<number, number>;

  constructor(
    private readonly name: string,
    resets: Record<number, number>,
    private readonly onWrite: (
      offset: number,
      value: number,
      before: number,
    ) => number | void = () => undefined,
  ) {
    this.values = new Map(Object.entries(resets).map(([offset, value]) => [Number(offset), value]));
  }

  read(offset: number): number {
    const value = this.values.get(offset);
    if (value === undefined) throw new Violation(`${this.name} has no register at ${hex(offset)}`);
    return value;
  }

  /** Stores the value, or what `onWrite` makes of it. */
  write(offset: number, value: number): void {
    const before = this.read(offset);
    this.values.set(offset, (this.onWrite(offset, value, before) ?? value) >>> 0);
  }

  /** Changes a register from inside. */
  set(offset: number, value: number): void {
    this.values.set(offset, value >>> 0);
  }

  bit(offset: number, bit: number): boolean {
    return ((this.read(offset) >>> bit) & 1) !== 0;
  }
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}
