import type { Core } from "./core.js";
import { macAddress } from "./filters.js";
import { EFLOCON, MACON1, R } from "./registers.js";
import type { Transmitter } from "./transmitter.js";
import type { Wire } from "./wire.js";

const QUANTUM_NS = 51_200;

/**
 * Flow control by EFLOCON (DS39662E 10). Full duplex: PAUSE frames, once or again and again. Half duplex: the medium is
 * jammed while FCEN0 is set; the wire asks for that itself.
 */
export class FlowControl {
  private cancelNext: (() => void) | undefined;

  constructor(
    private readonly core: Core,
    private readonly transmitter: Transmitter,
    private readonly wire: Wire,
  ) {}

  reset(): void {
    this.cancelNext?.();
    this.cancelNext = undefined;
  }

  /** EFLOCON has been written. */
  written(): void {
    this.reset();
    if (!this.core.fullDuplex) return this.wire.pump();
    switch ((this.core.registers[R.EFLOCON] as number) & EFLOCON.FCEN) {
      case 0b01:
        this.send(this.core.pair(R.EPAUSL));
        this.turnOff();
        return;
      case 0b10:
        return this.repeat();
      case 0b11:
        this.send(0);
        this.turnOff();
    }
  }

  private turnOff(): void {
    this.core.registers[R.EFLOCON] = (this.core.registers[R.EFLOCON] as number) & ~EFLOCON.FCEN;
  }

  /** One PAUSE frame now and the next before the first has run out. */
  private repeat(): void {
    const quanta = this.core.pair(R.EPAUSL);
    this.send(quanta);
    const delay = Math.max(1, quanta / 2) * QUANTUM_NS;
    this.cancelNext = this.core.clock.schedule(delay, () => this.repeat());
  }

  private send(quanta: number): void {
    if (!this.core.bit(R.MACON1, MACON1.TXPAUS)) {
      this.core.violation("EFLOCON asks for PAUSE frames, but MACON1.TXPAUS is clear");
      return;
    }
    const frame = new Uint8Array(60);
    frame.set([0x01, 0x80, 0xc2, 0x00, 0x00, 0x01]);
    frame.set(macAddress(this.core), 6);
    frame.set([0x88, 0x08, 0x00, 0x01, quanta >> 8, quanta & 0xff], 12);
    this.transmitter.sendPause(frame);
  }
}
