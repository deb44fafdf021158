import { parseAddress } from "../net/addresses.js";
import type { SwitchPort } from "../net/switch.js";
import type { Device } from "./device.js";
import type { Lan } from "./lan.js";
import { describe, parseFrame, type Parsed } from "./wire-parse.js";
import { Peer } from "./wire-peer.js";

/** A network card in the test's hands: frames are built by the test, and what comes is kept and taken apart. */
export class Station {
  /** Frames that came and that nobody has waited for yet. */
  readonly received: Parsed[] = [];
  /** Says where its address is when it is asked. */
  answersArp = true;
  private readonly port: SwitchPort;

  /** Made by `Lan.station`. */
  constructor(
    private readonly lan: Lan,
    readonly mac: string,
    readonly address: string,
  ) {
    this.port = lan.ethernet.attach(`station ${mac}`, (frame) => {
      const parsed = parseFrame(new Uint8Array(frame));
      this.received.push(parsed);
      if (this.answersArp) this.answerArp(parsed);
    });
  }

  private answerArp({ arp, source }: Parsed): void {
    if (arp?.operation !== 1 || arp.targetAddress !== parseAddress(this.address)) return;
    const asker = new Peer(this.mac, arp.targetAddress, source, arp.senderAddress);
    this.lan.clock.schedule(0, () => this.port.send(asker.arpReply()));
  }

  /** Builders of frames from this station to a device: `to(device).tcp({ … })`, `.udp`, `.echo`, `.arpRequest` … */
  to(device: Device): Peer {
    return new Peer(this.mac, parseAddress(this.address), device.mac, device.addressNumber);
  }

  send(frame: Uint8Array): void {
    this.port.send(frame);
  }

  /** Waits for a frame that fits; those before it are thrown away. */
  async expect(
    fits: (frame: Parsed) => unknown,
    what = "a frame that fits",
    limitMs?: number,
  ): Promise<Parsed> {
    let found: Parsed | undefined;
    const look = (): boolean => {
      while (found === undefined && this.received.length > 0) {
        const frame = this.received.shift() as Parsed;
        if (fits(frame)) found = frame;
      }
      return found !== undefined;
    };
    await this.lan.until(look, what, limitMs);
    const frame = found as unknown as Parsed;
    if (frame.problems.length > 0) throw new Error(`a malformed frame: ${describe(frame)}`);
    return frame;
  }

  /** Lets time pass and fails when a frame that fits comes: for what must be answered with silence. */
  async silent(ms: number, fits: (frame: Parsed) => unknown = () => true): Promise<void> {
    this.received.length = 0;
    await this.lan.sleep(ms);
    const frame = this.received.find((one) => fits(one));
    if (frame) throw new Error(`a frame where none was expected: ${describe(frame)}`);
  }

  /** Takes the station off the network. */
  detach(): void {
    this.port.detach();
  }
}
