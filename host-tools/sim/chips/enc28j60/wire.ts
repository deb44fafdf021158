import { BYTE_NS, type Core } from "./core.js";
import { EFLOCON, MACON4, R } from "./registers.js";

/** Preamble and start frame delimiter. */
const PREAMBLE_BYTES = 8;
/** The link partner's gap between frames: 96 bit times. */
const GAP_NS = 9_600;
const SLOT_NS = 51_200;
/** Stations that start within this time of each other do not hear each other in time. */
const COLLISION_WINDOW_NS = 1_000;
/** A collision in the preamble: the preamble is finished and 32 bits of jam follow. */
const COLLISION_NS = (PREAMBLE_BYTES + 4) * BYTE_NS;
const REMOTE_ATTEMPTS = 16;

/** Time on the wire of a frame of `bytes` bytes, FCS included, without the gap. */
export function frameNs(bytes: number): number {
  return (PREAMBLE_BYTES + bytes) * BYTE_NS;
}

interface Arrival {
  frame: Uint8Array;
  fcsGood: boolean;
}

/** What the wire carries, as the PHY shows it in PHSTAT2. */
export interface WireActivity {
  transmitting: boolean;
  receiving: boolean;
  colliding: boolean;
}

/** The receiving half of the MAC, as the wire needs it. */
export interface WireReceiver {
  /** A frame (without FCS) begins to arrive. */
  begin(frame: Uint8Array, fcsGood: boolean): void;
  /** It has arrived. */
  end(): void;
  /** It has broken off. */
  cancel(): void;
}

/** The transmitting half of the MAC, as the wire needs it. */
export interface WireTransmitter {
  /** The wire is ours now: gives the time that this attempt takes. */
  begin(): number;
  /** That time is over. */
  end(): void;
  /** The attempt has met a collision right at its start: gives the backoff in slots, or undefined to give up. */
  collide(): number | undefined;
}

/**
 * The 10BASE-T segment between the chip and one link partner, which sends the frames that the LAN hands over: each takes
 * its time on the wire. In half duplex both stations share the medium (802.3 CSMA/CD: deference, gap, collisions,
 * backoff); in full duplex each has its own pair.
 */
export class Wire {
  receiver!: WireReceiver;
  transmitter!: WireTransmitter;
  /** Frames that the link partner had no room to hold back. */
  lost = 0;
  private readonly waiting: Arrival[] = [];
  private receiving = false;
  private transmitting = false;
  private wantsTransmit = false;
  private transmitNotBeforeNs = 0;
  private remoteNotBeforeNs = 0;
  private remoteCollisions = 0;
  private receiveEndNs = -GAP_NS;
  private transmitEndNs = -GAP_NS;
  private colliding = false;
  /** Slots that the MAC waits after the collision under way; undefined: it does not try again. */
  private backoff: number | undefined;
  private cancelPlan: (() => void) | undefined;
  private cancelEnd: (() => void) | undefined;

  constructor(
    private readonly core: Core,
    private readonly lineFrames: number,
  ) {}

  get busy(): WireActivity {
    const { transmitting, receiving, colliding } = this;
    return { transmitting, receiving, colliding };
  }

  /** The link partner has a frame to send. */
  submit(frame: Uint8Array, fcsGood: boolean): void {
    if (this.waiting.length >= this.lineFrames) {
      this.lost++;
      return;
    }
    this.waiting.push({ frame, fcsGood });
    this.pump();
  }

  /** The link has gone: frames that have not arrived never will. */
  disconnect(): void {
    this.waiting.length = 0;
    if (this.receiving) this.receiver.cancel();
    // What was planned for them must not come.
    this.pump();
  }

  /** The MAC wants to send, not before the given time; `transmitter.begin` is called when it may. */
  requestTransmit(notBeforeNs: number): void {
    this.wantsTransmit = true;
    this.transmitNotBeforeNs = notBeforeNs;
    this.pump();
  }

  /** The MAC does not want to send any more; what is on the wire breaks off. */
  withdrawTransmit(): void {
    this.wantsTransmit = false;
    this.backoff = undefined;
    if (this.transmitting && !this.colliding) {
      this.cancelEnd?.();
      this.transmitting = false;
      this.transmitEndNs = this.core.clock.nowNs;
    }
    this.pump();
  }

  /** The link partner uses the medium that both share: a sender must wait. */
  get occupied(): boolean {
    return !this.core.fullDuplex && (this.receiving || this.colliding);
  }

  /** Half duplex flow control: the medium is jammed, the link partner cannot send. */
  get jammed(): boolean {
    return !this.core.fullDuplex && this.core.bit(R.EFLOCON, EFLOCON.FCEN & 1);
  }

  /** MACON4: after a collision the MAC tries again at once, always (NOBKOFF) or while it jams the medium itself (BPEN). */
  get skipsBackoff(): boolean {
    const always = this.core.bit(R.MACON4, MACON4.NOBKOFF);
    return always || (this.jammed && this.core.bit(R.MACON4, MACON4.BPEN));
  }

  /** Gap before an own frame, from the MAC's registers (DS39662E 6.5): nibble times plus a fixed offset. */
  private localGapNs(): number {
    const back = this.core.registers[R.MABBIPG] as number;
    if (this.core.fullDuplex) return (back + 3) * (BYTE_NS / 2);
    const own = this.transmitEndNs >= this.receiveEndNs;
    const nibbles = own ? back : (this.core.registers[R.MAIPGL] as number);
    return (nibbles + 6) * (BYTE_NS / 2);
  }

  /** Plans whatever may start next. */
  pump(): void {
    this.cancelPlan?.();
    this.cancelPlan = undefined;
    const now = this.core.clock.nowNs;
    const full = this.core.fullDuplex;
    if (!full && (this.receiving || this.transmitting)) return;
    let local = Infinity;
    let remote = Infinity;
    if (this.wantsTransmit && !this.transmitting) {
      const free = full ? this.transmitEndNs : Math.max(this.transmitEndNs, this.receiveEndNs);
      local = Math.max(now, free + this.localGapNs(), this.transmitNotBeforeNs);
    }
    if (this.waiting.length > 0 && !this.receiving && !this.jammed) {
      const free = full ? this.receiveEndNs : Math.max(this.transmitEndNs, this.receiveEndNs);
      remote = Math.max(now, free + GAP_NS, this.remoteNotBeforeNs);
    }
    const at = Math.min(local, remote);
    if (at === Infinity) return;
    this.cancelPlan = this.core.clock.schedule(at - now, () => {
      this.cancelPlan = undefined;
      if (!full && Math.abs(local - remote) < COLLISION_WINDOW_NS) this.collide();
      else if (local <= remote) this.startTransmit();
      else this.startReceive();
      this.pump();
    });
  }

  private startReceive(): void {
    const { frame, fcsGood } = this.waiting.shift() as Arrival;
    this.remoteCollisions = 0;
    this.receiving = true;
    this.receiver.begin(frame, fcsGood);
    this.core.clock.schedule(frameNs(frame.length + 4), () => {
      this.receiving = false;
      this.receiveEndNs = this.core.clock.nowNs;
      this.receiver.end();
      this.pump();
    });
  }

  private startTransmit(): void {
    this.wantsTransmit = false;
    this.transmitting = true;
    const duration = this.transmitter.begin();
    this.cancelEnd = this.core.clock.schedule(duration, () => {
      this.transmitting = false;
      this.transmitEndNs = this.core.clock.nowNs;
      this.transmitter.end();
      this.pump();
    });
  }

  /** Both stations have started at once: both jam, then back off. */
  private collide(): void {
    this.transmitting = true;
    this.colliding = true;
    this.wantsTransmit = false;
    this.backoff = this.transmitter.collide();
    this.core.clock.schedule(COLLISION_NS, () => {
      const now = this.core.clock.nowNs;
      this.transmitting = false;
      this.colliding = false;
      this.transmitEndNs = now;
      this.backOffRemote(now);
      if (this.backoff !== undefined) {
        const slots = this.skipsBackoff ? 0 : this.backoff;
        this.requestTransmit(now + slots * SLOT_NS);
      }
      this.pump();
    });
  }

  private backOffRemote(now: number): void {
    this.remoteCollisions++;
    if (this.remoteCollisions >= REMOTE_ATTEMPTS) {
      this.waiting.shift();
      this.remoteCollisions = 0;
    } else {
      this.remoteNotBeforeNs = now + backoffSlots(this.core, this.remoteCollisions) * SLOT_NS;
    }
  }
}

/** Truncated binary exponential backoff: slots to wait after the n-th collision. */
export function backoffSlots(core: Core, collisions: number): number {
  return core.random.below(2 ** Math.min(collisions, 10));
}
