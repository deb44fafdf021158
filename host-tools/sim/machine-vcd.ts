import { closeSync, writeSync } from "node:fs";
import { openForWriting } from "../net/pcap.js";
import type { Clock, SpiSlave } from "./types.js";

const FLUSH_BYTES = 1 << 16;

/** Signals of the dump: identifier, bits, name. */
const SIGNALS = [
  ["c", 1, "CSn"],
  ["k", 1, "SCK"],
  ["o", 1, "MOSI"],
  ["i", 1, "MISO"],
  ["n", 1, "INTn"],
  ["r", 1, "RSTn"],
  ["O", 8, "mosi_byte"],
  ["I", 8, "miso_byte"],
] as const;

/**
 * Writes what happens on the SPI bus as a value change dump (IEEE 1364 18), in nanoseconds of simulated time: the pins bit
 * by bit (SPI mode 0), as a logic analyser would see them, and the bytes as vectors for reading.
 */
export class VcdWriter {
  private readonly file: number;
  private text = "";
  private nowNs = -1;
  private readonly last = new Map<string, string>();

  constructor(
    path: string,
    private readonly clock: Clock,
    private readonly spiHz: number,
  ) {
    this.file = openForWriting(path);
    this.text = "$timescale 1ns $end\n$scope module spi $end\n";
    for (const [id, bits, name] of SIGNALS) this.text += `$var wire ${bits} ${id} ${name} $end\n`;
    this.text += "$upscope $end\n$enddefinitions $end\n";
    this.at(0, "c", "1");
    this.at(0, "k", "0");
    this.at(0, "n", "1");
    this.at(0, "r", "1");
  }

  /** Puts the writer between a bus and a chip. */
  probe(chip: SpiSlave): SpiSlave {
    return new Probe(chip, this);
  }

  /** A pin has changed now. */
  pin(id: "c" | "n" | "r", high: boolean): void {
    this.at(this.clock.nowNs, id, high ? "1" : "0");
  }

  /** A byte has gone both ways; its last bit ends now. */
  byte(mosi: number, miso: number): void {
    const halfNs = 5e8 / this.spiHz;
    const startNs = this.clock.nowNs - 16 * halfNs;
    this.at(startNs, "O", `b${mosi.toString(2)} `);
    this.at(startNs, "I", `b${miso.toString(2)} `);
    for (let bit = 0; bit < 8; bit++) {
      const mask = 0x80 >> bit;
      this.at(startNs + 2 * bit * halfNs, "k", "0");
      this.at(startNs + 2 * bit * halfNs, "o", mosi & mask ? "1" : "0");
      this.at(startNs + 2 * bit * halfNs, "i", miso & mask ? "1" : "0");
      this.at(startNs + (2 * bit + 1) * halfNs, "k", "1");
    }
    this.at(this.clock.nowNs, "k", "0");
  }

  close(): void {
    this.flush();
    closeSync(this.file);
  }

  private at(ns: number, id: string, value: string): void {
    if (this.last.get(id) === value) return;
    this.last.set(id, value);
    // The dump must not go back in time, not even by a rounding.
    const time = Math.max(Math.round(ns), this.nowNs);
    if (time !== this.nowNs) {
      this.nowNs = time;
      this.text += `#${time}\n`;
    }
    this.text += `${value}${id}\n`;
    if (this.text.length > FLUSH_BYTES) this.flush();
  }

  private flush(): void {
    if (this.text !== "") writeSync(this.file, this.text);
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
