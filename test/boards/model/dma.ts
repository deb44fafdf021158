import { Violation, type Peripheral } from "./bus.js";
import type { DmaPort, Spi } from "./spi.js";

interface Channel {
  control: number;
  count: number;
  peripheral: number;
  memory: number;
  at: number;
  done: boolean;
}

const freshChannel = (): Channel => ({
  control: 0,
  count: 0,
  peripheral: 0,
  memory: 0,
  at: 0,
  done: false,
});

/** Where things are in the two kinds of DMA controller. */
export interface DmaLayout {
  /** Offset of a channel's registers, of its count, peripheral and memory address in them. */
  channels: Record<"receive" | "transmit", number>;
  count: number;
  peripheral: number;
  memory: number;
  /** A register that must be 0 in each channel (the F4's FIFO control), if there is one. */
  fifo?: number;
  bytes: number;
  /** Bits of the control register: enable, memory to peripheral, memory increment. */
  direction: number;
  increment: number;
  /** Bits that must be 0: sizes other than bytes, circular, channel selection. */
  zero: number;
  /** Status and clear register and "complete" bit of each channel. */
  flags: Record<"receive" | "transmit", { status: number; clear: number; complete: number }>;
}

/** DMA1 of the STM32F1 (RM0008 13.4). */
export const F1_LAYOUT: DmaLayout = {
  channels: { receive: 0x1c, transmit: 0x30 },
  count: 4,
  peripheral: 8,
  memory: 12,
  bytes: 20,
  direction: 1 << 4,
  increment: 1 << 7,
  zero: (1 << 5) | (1 << 6) | (0xf << 8) | (1 << 14),
  flags: {
    receive: { status: 0x00, clear: 0x04, complete: 1 << 5 },
    transmit: { status: 0x00, clear: 0x04, complete: 1 << 9 },
  },
};

/** DMA1 of the STM32F4 (RM0368 9.5). */
export const F4_LAYOUT: DmaLayout = {
  channels: { receive: 0x58, transmit: 0x70 },
  count: 4,
  peripheral: 8,
  memory: 12,
  fifo: 0x14,
  bytes: 24,
  direction: 1 << 6,
  increment: 1 << 10,
  zero: (1 << 5) | (1 << 8) | (1 << 9) | (0xf << 11) | (7 << 25),
  flags: {
    receive: { status: 0x00, clear: 0x08, complete: 1 << 27 },
    transmit: { status: 0x04, clear: 0x0c, complete: 1 << 5 },
  },
};

/** Two channels of a DMA controller, one for each direction of an SPI. */
export class Dma implements Peripheral {
  private readonly parts = { receive: freshChannel(), transmit: freshChannel() };

  constructor(
    private readonly layout: DmaLayout,
    private readonly spi: Spi,
    private readonly spiData: number,
    private readonly memory: () => Uint8Array,
  ) {
    spi.receiveDma = this.port("receive");
    spi.transmitDma = this.port("transmit");
  }

  read(offset: number): number {
    const { flags } = this.layout;
    let status = 0;
    let known = false;
    for (const way of ["receive", "transmit"] as const) {
      if (flags[way].status !== offset) continue;
      known = true;
      if (this.parts[way].done) status |= flags[way].complete;
    }
    if (known) return status;
    const [way, register] = this.locate(offset);
    if (register !== 0) throw new Violation("the HAL reads only the control register");
    return this.parts[way].control;
  }

  write(offset: number, value: number): void {
    const { layout } = this;
    const cleared = (["receive", "transmit"] as const).filter(
      (way) => layout.flags[way].clear === offset,
    );
    if (cleared.length > 0) {
      for (const way of cleared) {
        if (value & layout.flags[way].complete) this.parts[way].done = false;
      }
      return;
    }
    const [way, register] = this.locate(offset);
    const part = this.parts[way];
    if (register === 0) return this.control(way, value);
    if (part.control & 1) throw new Violation(`DMA ${way} is changed while it is enabled`);
    if (register === layout.count) part.count = value;
    else if (register === layout.peripheral) part.peripheral = value;
    else if (register === layout.memory) part.memory = value;
    else if (register !== layout.fifo || value !== 0) throw new Violation("DMA register");
  }

  private locate(offset: number): ["receive" | "transmit", number] {
    for (const way of ["receive", "transmit"] as const) {
      const at = offset - this.layout.channels[way];
      if (at >= 0 && at < this.layout.bytes) return [way, at];
    }
    throw new Violation(`DMA register ${offset}`);
  }

  private control(way: "receive" | "transmit", value: number): void {
    const part = this.parts[way];
    const starts = (value & 1) !== 0 && (part.control & 1) === 0;
    part.control = value;
    if (!starts) return;
    const { layout } = this;
    if (part.done) throw new Violation(`DMA ${way} starts with an old flag set`);
    if (value & layout.zero) throw new Violation(`DMA ${way} is not set for bytes`);
    if (part.peripheral !== this.spiData) throw new Violation(`DMA ${way} is not at SPI_DR`);
    if (((value & layout.direction) !== 0) !== (way === "transmit"))
      throw new Violation("direction");
    if (part.count === 0 || part.count > 65535) throw new Violation(`DMA count ${part.count}`);
    part.at = part.memory;
    this.spi.request();
  }

  private port(way: "receive" | "transmit"): DmaPort {
    const part = this.parts[way];
    const next = (): number => {
      const at = part.at;
      if (part.control & this.layout.increment) part.at++;
      part.count--;
      if (part.count === 0) part.done = true;
      return at;
    };
    return {
      ready: () => (part.control & 1) !== 0 && part.count > 0,
      load: () => this.memory()[next()] as number,
      store: (byte) => {
        this.memory()[next()] = byte;
      },
    };
  }
}
