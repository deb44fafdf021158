import type { Faults as Enc28j60Faults } from "./chips/enc28j60/options.js";
import type { W5500Faults } from "./chips/w5500/options.js";

/** Simulated time, in nanoseconds since the start. Nothing in the simulation looks at the host's clock through it. */
export interface Clock {
  readonly nowNs: number;
  /** Runs `action` after `delayNs`; the result cancels it. Actions of one instant run in the order of scheduling. */
  schedule(delayNs: number, action: () => void): () => void;
}

/** A chip on an SPI bus, byte by byte. The bus moves the clock; the chip only reads it. */
export interface SpiSlave {
  /** CSn goes low. */
  select(): void;
  /** CSn goes high. */
  deselect(): void;
  /** Eight clocks: takes the byte on MOSI, gives the byte on MISO. */
  exchange(mosi: number): number;
  /**
   * The same for many bytes at once, to save the simulator's time: true when `data` was taken (`writing`) or filled, false
   * when the bytes have to go one by one. Allowed only where nothing else happens between the first and the last of them.
   */
  burst?(data: Uint8Array, writing: boolean): boolean;
  /** Level of the RSTn pin. */
  reset(low: boolean): void;
  /** True while INTn is low. */
  readonly interrupt: boolean;
  /** Called at each change of INTn. */
  onInterrupt: (low: boolean) => void;
}

/** The wire side of a chip. Frames are without FCS. */
export interface EthernetPort {
  /** Set by the LAN: the chip has finished sending this frame. */
  onTransmit: (frame: Uint8Array) => void;
  /** A frame has arrived whole; `fcsGood` false means that its FCS is wrong. */
  receive(frame: Uint8Array, fcsGood?: boolean): void;
  /** Plugs the cable in or out. */
  setLink(up: boolean): void;
}

/** What every chip model is made with. */
export interface ChipOptions {
  clock: Clock;
  /** SPI clock that the board uses, Hz: checked against the chip's limit. */
  spiHz: number;
  /** Seed of everything that is undefined in the datasheet (memory at power-on, for one). */
  seed: number;
  /** Illegal accesses are reported here; tests throw. */
  onViolation: (message: string) => void;
}

/** A chip: SPI on one side, Ethernet on the other. */
export interface ChipModel extends SpiSlave, EthernetPort {
  /** Name as on the package. */
  readonly name: string;
  /** Switches for what goes wrong: those of this chip (docs/testing.md); another name is refused. */
  readonly faults: Partial<W5500Faults & Enc28j60Faults>;
}
