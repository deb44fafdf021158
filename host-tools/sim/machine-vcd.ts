import { closeSync } from "node:fs";
import { openForWriting, writeAll } from "../project/write-file.js";
import type { Clock, SpiSlave } from "./types.js";

const FLUSH_BYTES = 1 << 16;

/** Signals of the dump: identifier and name. All are single bits: analysers refuse a dump with several vectors. */
const SIGNALS = [
  ["c", "CSn"],
  ["k", "SCK"],
  ["o", "MOSI"],
  ["i", "MISO"],
  ["n", "INTn"],
  ["r", "RSTn"],
] as const;

type Signal = (typeof SIGNALS)[number][0];

interface Edge {
  ns: number;
  id: Signal;
  high: boolean;
}

/**
 * Writes what happens on the SPI bus as a value change dump (IEEE 1364 18), in nanoseconds of simulated time: the pins bit
 * by bit (SPI mode 0), as a logic analyser would see them.
 *
 * A byte is known when its last bit ends, so its edges lie in the past; what a pin did meanwhile has been told already.
 * Edges therefore wait, sorted by time, until no byte can begin before them.
 */
export class VcdWriter {
  private readonly file: number;
  private readonly byteNs: number;
  private text = "";
  private nowNs = -1;
  private lastByteNs = 0;
  private readonly waiting: Edge[] = [];
  private readonly last = new Map<Signal, boolean>();

  constructor(
    private readonly path: string,
    private readonly clock: Clock,
    spiHz: number,
  ) {
    this.file = openForWriting(path);
    this.byteNs = 8e9 / spiHz;
    this.text = "$timescale 1ns $end\n$scope module spi $end\n";
    for (const [id, name] of SIGNALS) this.text += `$var wire 1 ${id} ${name} $end\n`;
    this.text += "$upscope $end\n$enddefinitions $end\n";
    for (const [id] of SIGNALS)
      this.put({ ns: 0, id, high: id !== "k" && id !== "o" && id !== "i" });
  }

  /** Puts the writer between a bus and a chip. */
  probe(chip: SpiSlave): SpiSlave {
    return new Probe(chip, this);
  }

  /** A pin has changed now. */
  pin(id: "c" | "n" | "r", high: boolean): void {
    this.at(this.clock.nowNs, id, high);
    this.settle(this.clock.nowNs - this.byteNs);
  }

  /** A byte has gone both ways; its last bit ends now. */
  byte(mosi: number, miso: number): void {
    const endNs = this.clock.nowNs;
    const startNs = Math.max(this.lastByteNs, endNs - this.byteNs);
    const halfNs = (endNs - startNs) / 16;
    this.lastByteNs = endNs;
    for (let bit = 0; bit < 8; bit++) {
      const mask = 0x80 >> bit;
      const fallNs = startNs + 2 * bit * halfNs;
      this.at(fallNs, "k", false);
      this.at(fallNs, "o", (mosi & mask) !== 0);
      this.at(fallNs, "i", (miso & mask) !== 0);
      this.at(fallNs + halfNs, "k", true);
    }
    this.at(endNs, "k", false);
    this.settle(endNs);
  }

  close(): void {
    this.settle(Infinity);
    this.flush();
    closeSync(this.file);
  }

  /** Puts an edge at its place; of edges of one instant the first told stays the first. */
  private at(ns: number, id: Signal, high: boolean): void {
    let place = this.waiting.length;
    while (place > 0 && (this.waiting[place - 1] as Edge).ns > ns) place--;
    this.waiting.splice(place, 0, { ns, id, high });
  }

  /** Writes the edges up to `ns`: nothing comes before that any more. */
  private settle(ns: number): void {
    let count = 0;
    for (const edge of this.waiting) {
      if (edge.ns > ns) break;
      this.put(edge);
      count++;
    }
    this.waiting.splice(0, count);
  }

  private put({ ns, id, high }: Edge): void {
    if (this.last.get(id) === high) return;
    this.last.set(id, high);
    // The dump must not go back in time, not even by a rounding.
    const time = Math.max(Math.round(ns), this.nowNs);
    if (time !== this.nowNs) {
      this.nowNs = time;
      this.text += `#${time}\n`;
    }
    this.text += `${high ? "1" : "0"}${id}\n`;
    if (this.text.length > FLUSH_BYTES) this.flush();
  }

  private flush(): void {
    writeAll(this.file, this.path, Buffer.from(this.text));
    this.text = "";
  }
}

class Probe implements SpiSlave {
  onInterrupt: (low: boolean) => void = () => undefined;

  constructor(
    private readonly chip: SpiSlave,
    private readonly vcd: VcdWriter,
  ) {
    chip.onInterrupt = (low) => {
      vcd.pin("n", !low);
      this.onInterrupt(low);
    };
  }

  get interrupt(): boolean {
    return this.chip.interrupt;
  }

  select(): void {
    this.vcd.pin("c", false);
    this.chip.select();
  }

  deselect(): void {
    this.vcd.pin("c", true);
    this.chip.deselect();
  }

  exchange(mosi: number): number {
    const miso = this.chip.exchange(mosi);
    this.vcd.byte(mosi, miso);
    return miso;
  }

  reset(low: boolean): void {
    this.vcd.pin("r", !low);
    this.chip.reset(low);
  }
}
