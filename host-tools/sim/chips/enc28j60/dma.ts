import { MEMORY_BYTES, type Core } from "./core.js";
import { internetChecksum } from "./crc.js";
import type { Receiver } from "./receiver.js";
import { ECON1, EIR, R } from "./registers.js";

/** A clock of the core, 25 MHz: one per byte for a checksum, two for a copy (DS39662E 13). */
const CLOCK_NS = 40;

/** The DMA controller: copies inside the packet memory, or sums it up. */
export class Dma {
  private cancelEnd: (() => void) | undefined;
  private summing = false;

  constructor(
    private readonly core: Core,
    private readonly receiver: Receiver,
  ) {}

  /** Moving bytes now, so that the transmitter must wait. */
  get running(): boolean {
    return this.cancelEnd !== undefined;
  }

  /** Set by the chip: DMAST has become 0. */
  onIdle: () => void = () => undefined;

  reset(): void {
    this.cancelEnd?.();
    this.cancelEnd = undefined;
  }

  /** The host has cleared DMAST: what runs ends, what waited for the transmitter never begins. */
  cancel(): void {
    const ran = this.running;
    this.reset();
    this.core.raise(EIR.DMAIF);
    if (ran) this.onIdle();
  }

  /** DMAST is set and the transmitter is idle. */
  start(): void {
    const { core } = this;
    const source = this.sourceAddresses();
    if (source === undefined) return;
    this.summing = core.bit(R.ECON1, ECON1.CSUMEN);
    this.disturb();
    const delay = source.length * (this.summing ? 1 : 2) * CLOCK_NS;
    this.cancelEnd = core.clock.schedule(delay, () => {
      this.cancelEnd = undefined;
      if (this.summing) this.checksum(source);
      else this.copy(source);
      core.registers[R.ECON1] = (core.registers[R.ECON1] as number) & ~ECON1.DMAST;
      core.raise(EIR.DMAIF);
      this.onIdle();
    });
  }

  /** A frame has begun to arrive. */
  frameBegins(): void {
    if (this.running) this.disturb();
  }

  /** Erratum 17: a frame that arrives at any time while a checksum runs is aborted. */
  private disturb(): void {
    if (this.summing && this.core.has(17)) this.receiver.abort();
  }

  /** EDMAST to EDMAND as the controller walks; undefined if it never gets there. */
  private sourceAddresses(): number[] | undefined {
    const { core } = this;
    const end = core.pair(R.EDMANDL);
    let address = core.pair(R.EDMASTL);
    if (address === end) {
      core.violation("DMA over one byte (EDMAST = EDMAND) destroys the whole memory");
      core.random.fill(core.ram);
      return undefined;
    }
    const addresses = [address];
    while (address !== end && addresses.length <= MEMORY_BYTES) {
      address = core.afterRead(address);
      addresses.push(address);
    }
    if (address === end) return addresses;
    core.violation("DMA never reaches EDMAND, because the receive buffer wraps before it");
    return undefined;
  }

  private copy(source: readonly number[]): void {
    let to = this.core.pair(R.EDMADSTL);
    for (const from of source) {
      this.core.ram[to] = this.core.ram[from] as number;
      to = (to + 1) & (MEMORY_BYTES - 1);
    }
  }

  private checksum(source: readonly number[]): void {
    const bytes = source.map((address) => this.core.ram[address] as number);
    this.core.setPair(R.EDMACSL, internetChecksum(bytes));
  }
}
