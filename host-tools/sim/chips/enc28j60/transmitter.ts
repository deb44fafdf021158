import { BYTE_NS, MEMORY_BYTES, type Core } from "./core.js";
import { fcsOf } from "./crc.js";
import { macAddress } from "./filters.js";
import { controlKind, isBroadcast, isMulticast, lengthIsWrong, typeOf } from "./frames.js";
import type { Phy } from "./phy.js";
import type { Receiver } from "./receiver.js";
import { ECON1, EIR, ESTAT, MACON3, MACON4, R } from "./registers.js";
import { backoffSlots, frameNs, type Wire, type WireTransmitter } from "./wire.js";

/** Per packet control byte (DS39662E figure 7-1). */
const POVERRIDE = 0x01;
const PCRCEN = 0x02;
const PPADEN = 0x04;
const PHUGEEN = 0x08;

const TSV_BYTES = 7;
const JAM_NS = 4 * BYTE_NS;
const PREAMBLE_NS = 8 * BYTE_NS;
/** Excessive deferral: 24 287 bit times. */
const DEFERRAL_NS = 2_428_700;
/** Idle stations send link pulses every 16 ms. */
const LINK_PULSE_NS = 16_000_000;
/** One quantum of a PAUSE frame: 512 bit times. */
const PAUSE_QUANTUM_NS = 51_200;

type Outcome = "sent" | "collision" | "late" | "giant" | "stuck";

/** A frame as it goes over the wire. */
interface Outgoing {
  /** From the destination address to the FCS. */
  bytes: Uint8Array;
  fcsGood: boolean;
  /** Longer than MAMXFL without permission. */
  giant: boolean;
}

/** The transmit logic: ETXST..ETXND onto the wire, status vector behind it (DS39662E 7.1). */
export class Transmitter implements WireTransmitter {
  private outgoing: Outgoing | undefined;
  private outcome: Outcome = "sent";
  private collisions = 0;
  /** Bytes of the collided attempts. */
  private wasted = 0;
  private deferred = false;
  /** The last late collision was a link pulse (erratum 13). */
  private falseCollision = false;
  /** Erratum 12: nothing is sent any more until TXRST. */
  private stalled = false;
  private aborted = false;
  private pausedUntilNs = 0;
  private readonly pulsePhaseNs: number;
  private cancelDeferral: (() => void) | undefined;
  private pauseFrames: Uint8Array[] = [];
  private sendingPause = false;
  /** The frame that is being sent comes back to the receiver. */
  private looping = false;
  /** Set by the chip: a frame (without FCS) has been sent. */
  onFrame: (frame: Uint8Array) => void = () => undefined;
  /** Set by the chip: TXRTS has become 0. */
  onIdle: () => void = () => undefined;

  constructor(
    private readonly core: Core,
    private readonly phy: Phy,
    private readonly wire: Wire,
    private readonly receiver: Receiver,
  ) {
    this.pulsePhaseNs = core.random.below(LINK_PULSE_NS);
  }

  /** TXRTS is set: a transmission is under way or waits. */
  private get requested(): boolean {
    return this.core.bit(R.ECON1, ECON1.TXRTS);
  }

  reset(): void {
    this.stop();
    this.stalled = false;
    this.aborted = false;
    this.pausedUntilNs = 0;
    this.pauseFrames = [];
  }

  /** TXRTS has been set and the memory port is free. */
  start(): void {
    this.clear();
    if (this.stalled) return;
    const { clock } = this.core;
    this.deferred = this.wire.occupied;
    this.wire.requestTransmit(Math.max(this.pausedUntilNs, clock.nowNs + this.core.untilReadyNs));
    if (!this.core.fullDuplex && !this.core.bit(R.MACON4, MACON4.DEFER)) {
      this.cancelDeferral = clock.schedule(DEFERRAL_NS, () => {
        this.cancelDeferral = undefined;
        this.wire.withdrawTransmit();
        this.abort(2 ** 27);
      });
    }
  }

  /** The host has cleared TXRTS. */
  cancel(): void {
    this.stop();
    this.core.raise(EIR.TXIF);
    this.onIdle();
  }

  /**
   * TXRST has been set: everything stops; the stall of erratum 12 goes, and with it TXABRT and LATECOL. The sheet only has
   * them cleared by BFC, but drivers that never do that send on after an abort and a transmit reset.
   */
  hold(): void {
    this.stop();
    this.stalled = false;
    const { registers } = this.core;
    registers[R.ESTAT] = (registers[R.ESTAT] as number) & ~(ESTAT.TXABRT | ESTAT.LATECOL);
    if (this.requested) this.onIdle();
  }

  /** TXRST has been cleared again, which may raise TXERIF (erratum 12). */
  release(): void {
    if (this.aborted && this.core.strikes(12, "stall")) this.core.raise(EIR.TXERIF);
    this.aborted = false;
  }

  /** A PAUSE frame has come (full duplex): the next frame waits. */
  pause(quanta: number): void {
    this.pausedUntilNs = this.core.clock.nowNs + quanta * PAUSE_QUANTUM_NS;
    if (this.requested && !this.wire.busy.transmitting && !this.stalled) {
      this.wire.requestTransmit(this.pausedUntilNs);
    }
  }

  /** Flow control sends a PAUSE frame of its own, before anything else. */
  sendPause(frame: Uint8Array): void {
    this.pauseFrames.push(frame);
    this.wire.requestTransmit(0);
  }

  begin(): number {
    const pause = this.pauseFrames[0];
    if (pause) {
      this.sendingPause = true;
      return frameNs(pause.length + 4);
    }
    this.cancelDeferral?.();
    this.cancelDeferral = undefined;
    const outgoing = this.readFrame();
    this.outgoing = outgoing;
    const { outcome, bytes } = this.plan(outgoing);
    this.outcome = outcome;
    if (this.loops && outcome === "sent") {
      this.looping = true;
      this.receiver.begin(outgoing.bytes.subarray(0, -4), outgoing.fcsGood);
    }
    if (outcome === "sent") return frameNs(outgoing.bytes.length);
    this.wasted += outcome === "collision" ? bytes : 0;
    return PREAMBLE_NS + bytes * BYTE_NS + (outcome === "giant" ? 0 : JAM_NS);
  }

  end(): void {
    if (this.sendingPause) return this.endPause();
    switch (this.outcome) {
      case "sent":
        return this.sent();
      case "collision": {
        const slots = this.countCollision();
        if (slots !== undefined) {
          const wait = this.wire.skipsBackoff ? 0 : slots * 51_200;
          this.wire.requestTransmit(this.core.clock.nowNs + wait);
        }
        return;
      }
      case "late":
        return this.abort(2 ** 29, this.falseCollision);
      case "giant":
        return this.abort(2 ** 30);
      case "stuck":
        // The MAC has lost itself: TXRTS stays set.
        return;
    }
  }

  collide(): number | undefined {
    return this.countCollision();
  }

  private clear(): void {
    this.cancelDeferral?.();
    this.cancelDeferral = undefined;
    this.outgoing = undefined;
    this.collisions = 0;
    this.wasted = 0;
    this.deferred = false;
    this.falseCollision = false;
  }

  private stop(): void {
    this.wire.withdrawTransmit();
    this.sendingPause = false;
    if (this.looping) this.receiver.cancel();
    this.looping = false;
    this.clear();
  }

  /** Own frames come back: PHY loopback, or half duplex without HDLDIS. */
  private get loops(): boolean {
    return this.phy.loopback || (!this.core.fullDuplex && this.phy.halfDuplexLoopback);
  }

  /** Takes the frame out of memory, pads it and appends the FCS as MACON3 or the control byte say. */
  private readFrame(): Outgoing {
    const { core } = this;
    const start = core.pair(R.ETXSTL);
    const length = (core.pair(R.ETXNDL) - start) & (MEMORY_BYTES - 1);
    const control = core.ram[start] as number;
    const override = (control & POVERRIDE) !== 0;
    const macon3 = core.registers[R.MACON3] as number;
    const appendFcs = override ? (control & PCRCEN) !== 0 : (macon3 & MACON3.TXCRCEN) !== 0;
    const huge = override ? (control & PHUGEEN) !== 0 : (macon3 & MACON3.HFRMEN) !== 0;
    const data = Array.from(
      { length },
      (_, i) => core.ram[(start + 1 + i) & (MEMORY_BYTES - 1)] as number,
    );
    const padTo = override ? (control & PPADEN ? 60 : 0) : paddedBytes(macon3, data);
    if (padTo > 0 && !appendFcs) core.violation("padding needs TXCRCEN (or PCRCEN)");
    while (data.length < padTo) data.push(0);
    let fcsGood = true;
    if (appendFcs) {
      const fcs = fcsOf(Uint8Array.from(data));
      for (let i = 0; i < 4; i++) data.push((fcs >>> (8 * i)) & 0xff);
    } else {
      fcsGood = hasGoodFcs(data);
    }
    const giant = data.length > core.pair(R.MAMXFLL) && !huge;
    return { bytes: Uint8Array.from(data), fcsGood, giant };
  }

  /** What will become of this attempt, and after how many bytes of the frame. */
  private plan({ bytes, giant }: Outgoing): { outcome: Outcome; bytes: number } {
    const { core } = this;
    if (core.takeFault("stuckTransmits")) return { outcome: "stuck", bytes: bytes.length };
    if (giant) return { outcome: "giant", bytes: core.pair(R.MAMXFLL) };
    if (core.fullDuplex) return { outcome: "sent", bytes: bytes.length };
    const window = core.registers[R.MACLCON2] as number;
    if (core.takeFault("collisions")) {
      return { outcome: "collision", bytes: core.random.below(Math.min(window, bytes.length)) };
    }
    if (core.takeFault("lateCollisions")) {
      return { outcome: "late", bytes: Math.min(window + 1, bytes.length) };
    }
    const pulse = this.linkPulseAt(bytes.length);
    if (pulse === undefined) return { outcome: "sent", bytes: bytes.length };
    this.falseCollision = pulse > window;
    return { outcome: pulse > window ? "late" : "collision", bytes: pulse };
  }

  /** Erratum 13: bytes of the frame sent when a link pulse is taken for a collision. */
  private linkPulseAt(bytes: number): number | undefined {
    if (!this.phy.connected) return undefined;
    const now = this.core.clock.nowNs;
    const first = Math.ceil((now - this.pulsePhaseNs) / LINK_PULSE_NS) * LINK_PULSE_NS;
    const at = (first + this.pulsePhaseNs - now - PREAMBLE_NS) / BYTE_NS;
    if (at < 0 || at >= bytes || !this.core.strikes(13, "linkPulse")) return undefined;
    return Math.floor(at);
  }

  /** Counts a collision; gives the backoff in slots, or aborts after RETMAX retransmissions. */
  private countCollision(): number | undefined {
    this.collisions++;
    if (this.collisions > (this.core.registers[R.MACLCON1] as number)) {
      this.abort(2 ** 28);
      return undefined;
    }
    return backoffSlots(this.core, this.collisions);
  }

  private sent(): void {
    const { bytes, fcsGood } = this.outgoing as Outgoing;
    this.writeStatus(2 ** 23 + (fcsGood ? 0 : 2 ** 20) + (this.deferred ? 2 ** 26 : 0));
    if (this.looping) this.endLoop();
    const wired = this.phy.connected && !this.phy.transmitDisabled && fcsGood;
    this.complete(EIR.TXIF);
    if (wired) this.onFrame(bytes.slice(0, -4));
  }

  private endLoop(): void {
    this.looping = false;
    const lost = this.core.strikes(this.phy.loopback ? 10 : 9, "loopback");
    if (lost) this.receiver.cancel();
    else this.receiver.end();
  }

  /** The chip gives up: TXABRT, TXERIF, and in half duplex the errata of aborts. */
  private abort(reason: number, falseCollision = false): void {
    const { core } = this;
    this.writeStatus(reason);
    const late = reason === 2 ** 29;
    const shown = core.strikes(15, "latecol") ? !late : late;
    core.registers[R.ESTAT] =
      (core.registers[R.ESTAT] as number) | ESTAT.TXABRT | (shown ? ESTAT.LATECOL : 0);
    if (!core.fullDuplex) {
      this.aborted = true;
      this.stalled = core.strikes(12, "stall");
    }
    if (falseCollision && core.random.chance(core.rates.linkPulseStuck)) core.raise(EIR.TXERIF);
    else this.complete(EIR.TXIF | EIR.TXERIF);
  }

  private complete(flags: number): void {
    const { core } = this;
    core.registers[R.ECON1] = (core.registers[R.ECON1] as number) & ~ECON1.TXRTS;
    this.clear();
    core.raise(flags);
    this.onIdle();
  }

  private endPause(): void {
    this.sendingPause = false;
    const frame = this.pauseFrames.shift() as Uint8Array;
    if (this.phy.connected && !this.phy.transmitDisabled) this.onFrame(frame);
    if (this.pauseFrames.length > 0) this.wire.requestTransmit(0);
    else if (this.requested && !this.stalled) this.wire.requestTransmit(this.pausedUntilNs);
  }

  /** The transmit status vector (DS39662E table 7-1) behind ETXND. */
  private writeStatus(result: number): void {
    const { core } = this;
    const bytes = this.outgoing?.bytes ?? new Uint8Array(0);
    const type = typeOf(bytes);
    const low =
      bytes.length +
      Math.min(this.collisions, 15) * 2 ** 16 +
      (lengthIsWrong(core, bytes) ? 2 ** 21 : 0) +
      (type > 1500 ? 2 ** 22 : 0) +
      (isMulticast(bytes) ? 2 ** 24 : 0) +
      (isBroadcast(bytes) ? 2 ** 25 : 0) +
      result;
    const high = (bytes.length + this.wasted) & 0xffff;
    const control = controlKind(bytes, macAddress(core));
    const top =
      (control !== "none" ? 1 : 0) |
      (control === "pause" ? 2 : 0) |
      (this.wire.jammed ? 4 : 0) |
      (type === 0x8100 ? 8 : 0);
    const status = [low, low >>> 8, low >>> 16, low >>> 24, high, high >> 8, top];
    let address = core.pair(R.ETXNDL);
    for (let i = 0; i < TSV_BYTES; i++) {
      address = (address + 1) & (MEMORY_BYTES - 1);
      core.ram[address] = status[i] as number;
    }
  }
}

/** Length to which MACON3.PADCFG pads a frame, without FCS. */
function paddedBytes(macon3: number, data: readonly number[]): number {
  switch ((macon3 & MACON3.PADCFG) >> 5) {
    case 0b001:
      return 60;
    case 0b011:
    case 0b111:
      return 64;
    case 0b101:
      return data[12] === 0x81 && data[13] === 0x00 ? 64 : 60;
    default:
      return 0;
  }
}

function hasGoodFcs(data: readonly number[]): boolean {
  if (data.length < 4) return false;
  const fcs = fcsOf(Uint8Array.from(data), data.length - 4);
  return [0, 1, 2, 3].every((i) => data[data.length - 4 + i] === ((fcs >>> (8 * i)) & 0xff));
}
