import { Random } from "../../random.js";
import type { Clock } from "../../types.js";
import {
  DEFAULT_RATES,
  ERRATA_OF,
  noFaults,
  type Enc28j60Options,
  type Erratum,
  type ErratumRates,
  type Faults,
  type Revision,
} from "./options.js";
import { EIE, EIR, MACON3, R, REGISTERS } from "./registers.js";

/** Bytes of the packet memory. */
export const MEMORY_BYTES = 0x2000;
const MEMORY_MASK = MEMORY_BYTES - 1;

/** Time that one byte takes on a 10BASE-T wire. */
export const BYTE_NS = 800;

/** Oscillator start-up timer: 7500 clocks of 25 MHz. */
const START_UP_NS = 300_000;
/** A system reset stops the PHY's clock for so long (erratum 2: "at least 1 ms"). */
const PHY_RESTART_NS = 1_000_000;

/**
 * What all parts of the chip share: registers, packet memory, time, the interrupt pin, errata and faults. It holds state
 * and says what is illegal; what the chip does is in the other files.
 */
export class Core {
  /** Register values by index (registers.ts). ERDPT and EWRPT live in `erdpt` and `ewrpt` instead. */
  readonly registers = new Uint8Array(128);
  readonly ram = new Uint8Array(MEMORY_BYTES);
  erdpt = 0;
  ewrpt = 0;
  /** Flags of EIR that the chip keeps itself: DMAIF, TXIF, TXERIF, RXERIF. */
  flags = 0;
  /** EIR.LINKIF, as the PHY drives it. */
  linkFlag = false;
  /** PKTDEC has left packets behind, so EIR may not show PKTIF (erratum 6). */
  packetFlagDoubtful = false;
  readonly clock: Clock;
  readonly random: Random;
  readonly revision: Revision;
  readonly rates: ErratumRates;
  readonly faults: Faults;
  /** Everything illegal that was done, newest last; the first 1000. */
  readonly violations: string[] = [];
  interrupt = false;
  onInterrupt: (low: boolean) => void = () => undefined;
  /** When CLKRDY becomes 1. */
  private clockReadyNs = 0;
  /** From when on MAC, MII, PHY, receiver and transmitter work. */
  private readyNs = 0;
  private readonly errata: ReadonlySet<Erratum>;
  private readonly strict: boolean;

  constructor(readonly options: Enc28j60Options) {
    this.clock = options.clock;
    this.random = new Random(options.seed);
    this.revision = options.revision ?? "B7";
    this.errata = new Set(options.errata ?? ERRATA_OF[this.revision]);
    this.rates = { ...DEFAULT_RATES, ...options.rates };
    this.faults = Object.seal(Object.assign(noFaults(), options.faults));
    this.strict = options.strict ?? true;
    this.random.fill(this.ram);
  }

  /** The driver did what the data sheet forbids or leaves undefined. */
  violation(message: string): void {
    if (this.violations.length < 1000) this.violations.push(message);
    if (this.strict) this.options.onViolation(`ENC28J60: ${message}`);
  }

  /** Whether an erratum that always shows is in force. */
  has(erratum: Erratum): boolean {
    return this.errata.has(erratum);
  }

  /** Whether an erratum that shows sometimes does so now. */
  strikes(erratum: Erratum, rate: keyof ErratumRates): boolean {
    return this.errata.has(erratum) && this.random.chance(this.rates[rate]);
  }

  /** Takes one of a counted fault. */
  takeFault(
    name: {
      [K in keyof Faults]: Faults[K] extends number ? K : never;
    }[keyof Faults],
  ): boolean {
    if (this.faults[name] <= 0) return false;
    this.faults[name]--;
    return true;
  }

  /** Value of a pointer pair, given the index of its low byte. */
  pair(low: number): number {
    return (this.registers[low] as number) | ((this.registers[low + 1] as number) << 8);
  }

  setPair(low: number, value: number): void {
    this.registers[low] = value;
    this.registers[low + 1] = value >> 8;
  }

  bit(index: number, mask: number): boolean {
    return ((this.registers[index] as number) & mask) !== 0;
  }

  get fullDuplex(): boolean {
    return this.bit(R.MACON3, MACON3.FULDPX);
  }

  /** Address after `address` for reading: ERXND is followed by ERXST, 0x1FFF by 0 (DS39662E 3.2.3). */
  afterRead(address: number): number {
    if (address === this.pair(R.ERXNDL)) return this.pair(R.ERXSTL);
    return (address + 1) & MEMORY_MASK;
  }

  /** What RBM reads one by one: from ERDPT, wrapping as `afterRead` does. */
  readBytes(to: Uint8Array): void {
    const end = this.pair(R.ERXNDL);
    for (let done = 0; done < to.length;) {
      const last = this.erdpt <= end ? end : MEMORY_MASK;
      const bytes = Math.min(to.length - done, last - this.erdpt + 1);
      to.set(this.ram.subarray(this.erdpt, this.erdpt + bytes), done);
      this.erdpt = this.afterRead(this.erdpt + bytes - 1);
      done += bytes;
    }
  }

  /** What WBM writes one by one: from EWRPT, which wraps only at the end of the memory. */
  writeBytes(from: Uint8Array): void {
    for (let done = 0; done < from.length;) {
      const bytes = Math.min(from.length - done, MEMORY_BYTES - this.ewrpt);
      this.ram.set(from.subarray(done, done + bytes), this.ewrpt);
      this.ewrpt = (this.ewrpt + bytes) & MEMORY_MASK;
      done += bytes;
    }
  }

  /** Defaults of all registers; `powerOn` also those that a system reset leaves alone. */
  resetRegisters(powerOn: boolean): void {
    const ecocon = this.registers[R.ECOCON] as number;
    REGISTERS.forEach((facts, index) => (this.registers[index] = facts?.reset ?? 0));
    if (!powerOn) this.registers[R.ECOCON] = ecocon;
    this.erdpt = this.pair(R.ERDPTL);
    this.ewrpt = this.pair(R.EWRPTL);
    this.flags = 0;
    this.linkFlag = false;
    this.packetFlagDoubtful = false;
  }

  /** The clocks start: after power-on and on leaving power save. */
  startOscillator(): void {
    this.clockReadyNs = this.clock.nowNs + START_UP_NS;
    this.readyNs = this.clockReadyNs;
  }

  /** The PHY's clock restarts after a reset. CLKRDY does not show it (erratum 2). */
  restartPhyClock(): void {
    const wait = this.has(2) ? PHY_RESTART_NS : START_UP_NS;
    this.readyNs = Math.max(this.readyNs, this.clock.nowNs + wait);
    if (!this.has(2)) this.clockReadyNs = this.readyNs;
  }

  /** The clocks stop: power save. */
  stopOscillator(): void {
    this.clockReadyNs = Infinity;
    this.readyNs = Infinity;
  }

  get clockReady(): boolean {
    return this.clock.nowNs >= this.clockReadyNs;
  }

  /** Whether MAC, MII, PHY, receiver and transmitter can be used. */
  get ready(): boolean {
    return this.clock.nowNs >= this.readyNs;
  }

  /** Nanoseconds until `ready`; Infinity in power save. */
  get untilReadyNs(): number {
    return Math.max(0, this.readyNs - this.clock.nowNs);
  }

  /** Value of EIR, PKTIF as it truly is. */
  get eir(): number {
    const packets = this.registers[R.EPKTCNT] !== 0 ? EIR.PKTIF : 0;
    return this.flags | packets | (this.linkFlag ? EIR.LINKIF : 0);
  }

  /** Sets flags of EIR. */
  raise(flags: number): void {
    this.flags |= flags;
    this.updateInterrupt();
  }

  /** An enabled flag is set. */
  get interruptPending(): boolean {
    return (this.eir & (this.registers[R.EIE] as number) & 0x7b) !== 0;
  }

  /** INT = INTIE and any flag that is set and enabled (DS39662E figure 12-1). */
  updateInterrupt(): void {
    const enabled = this.bit(R.EIE, EIE.INTIE);
    let low = enabled && this.interruptPending;
    const stuck = this.faults.interruptStuckHigh;
    if (stuck !== undefined) low = !stuck;
    if (low === this.interrupt) return;
    this.interrupt = low;
    this.onInterrupt(low);
  }
}
