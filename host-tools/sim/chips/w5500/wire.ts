import type { Clock } from "../../types.js";
import { FCS_BYTES, GAP_BYTES, PREAMBLE_BYTES } from "./macraw.js";

/** The transmit side of the MAC: one frame at a time, each with preamble, FCS and gap. */
export class Wire {
  private busyUntilNs = 0;
  private readonly cancels = new Set<() => void>();

  constructor(
    private readonly clock: Clock,
    private readonly onTransmit: (frame: Uint8Array) => void,
  ) {}

  /** Sends a frame when the medium is free; `done` is called after the gap behind it, never if the link goes. */
  send(frame: Uint8Array, byteNs: number, done: () => void): void {
    const startNs = Math.max(this.clock.nowNs, this.busyUntilNs);
    const endNs = startNs + (PREAMBLE_BYTES + frame.length + FCS_BYTES) * byteNs;
    this.busyUntilNs = endNs + GAP_BYTES * byteNs;
    this.at(endNs, () => this.onTransmit(frame));
    this.at(this.busyUntilNs, done);
  }

  /** The link is gone: what was on its way is lost. */
  abort(): void {
    for (const cancel of this.cancels) cancel();
    this.cancels.clear();
    this.busyUntilNs = this.clock.nowNs;
  }

  private at(ns: number, action: () => void): void {
    const cancel = this.clock.schedule(Math.max(0, ns - this.clock.nowNs), () => {
      this.cancels.delete(cancel);
      action();
    });
    this.cancels.add(cancel);
  }
}
