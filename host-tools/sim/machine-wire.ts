import { WIRE_OVERHEAD_BYTES } from "../net/link.js";
import { MIN_FRAME_BYTES } from "../net/packets.js";
import type { PcapWriter } from "../net/pcap.js";
import type { Clock, EthernetPort } from "./types.js";

/** Room in the port of the switch at the other end. */
const QUEUE_BYTES = 256 * 1024;

/**
 * The cable of a device, seen from the device: frames arrive one behind the other at the speed of the wire, and
 * everything that passes is captured with the device's time. Sending takes its time inside the chip model.
 */
export class Wire {
  /** Set by the world: the device has sent this frame, which is only lent for the call. */
  onTransmit: (frame: Uint8Array) => void = () => undefined;
  /** Frames that found the queue of the switch port full. */
  dropped = 0;
  private freeNs = 0;
  private queuedBytes = 0;

  constructor(
    private readonly clock: Clock,
    private readonly port: EthernetPort,
    private readonly linkBps: number,
    private readonly capture?: PcapWriter,
  ) {
    port.onTransmit = (frame) => {
      this.capture?.write(clock.nowNs, frame);
      this.onTransmit(frame);
    };
  }

  /** A frame for the device, which now belongs to the wire. Short ones are padded, as every sender must do. */
  toDevice(given: Uint8Array, fcsGood: boolean): void {
    const frame = given.length < MIN_FRAME_BYTES ? padded(given) : given;
    if (this.queuedBytes + frame.length > QUEUE_BYTES) {
      this.dropped++;
      return;
    }
    const { clock } = this;
    const bytes = frame.length + WIRE_OVERHEAD_BYTES;
    this.freeNs = Math.max(this.freeNs, clock.nowNs) + (bytes * 8e9) / this.linkBps;
    this.queuedBytes += frame.length;
    clock.schedule(this.freeNs - clock.nowNs, () => {
      this.queuedBytes -= frame.length;
      this.capture?.write(clock.nowNs, frame);
      this.port.receive(frame, fcsGood);
    });
  }
}

function padded(frame: Uint8Array): Uint8Array {
  const whole = new Uint8Array(MIN_FRAME_BYTES);
  whole.set(frame);
  return whole;
}
