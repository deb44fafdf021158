import { Random } from "../../random.js";
import type { Core } from "./core.js";
import type { WireActivity } from "./wire.js";

/** PHY registers (DS39662E table 3-3). */
export const PHY = {
  PHCON1: 0x00,
  PHSTAT1: 0x01,
  PHID1: 0x02,
  PHID2: 0x03,
  PHCON2: 0x10,
  PHSTAT2: 0x11,
  PHIE: 0x12,
  PHIR: 0x13,
  PHLCON: 0x14,
} as const;

const PRST = 0x8000;
const PLOOPBK = 0x4000;
const PPWRSV = 0x0800;
const PDPXMD = 0x0100;
const FRCLNK = 0x4000;
const TXDIS = 0x2000;
const HDLDIS = 0x0100;
const PLNKIE = 0x0010;
const PGEIE = 0x0002;
const PLNKIF = 0x0010;
const PGIF = 0x0004;
/** What PHIR and PHLCON have beside their flags and settings: reserved, and of no known value (DS39662E table 3-3). */
const PHIR_UNKNOWN = 0xffff & ~(PLNKIF | PGIF);
const PHLCON_UNKNOWN = 0x0001;

/** Bits that the host may write, by register; a register that is not here is read-only or does not exist. */
const WRITABLE = new Map<number, number>([
  [PHY.PHCON1, PRST | PLOOPBK | PPWRSV | PDPXMD],
  [PHY.PHCON2, FRCLNK | TXDIS | 0x0400 | HDLDIS],
  [PHY.PHIE, PLNKIE | PGEIE],
  [PHY.PHLCON, 0x3ffe],
]);

/** Link pulses come every 16 ms and a few of them must come before the link counts as good. */
const LINK_UP_NS = 50_000_000;
/** Without link pulses or frames the link is given up after 50 to 150 ms. */
const LINK_DOWN_NS = 100_000_000;
/** PHCON1.PRST clears itself when the PHY's reset is over. */
const PHY_RESET_NS = 100_000;

/** The 10BASE-T transceiver: its 16-bit registers, which only MIIM reaches, and the state of the link. */
export class Phy {
  private control1 = 0;
  private control2 = 0;
  private interruptEnable = 0;
  private leds = 0;
  private plugged = false;
  private up = false;
  private linkFailed = false;
  private linkChanged = false;
  private cancelChange: (() => void) | undefined;
  private cancelReset: (() => void) | undefined;
  /** Set by the chip: what the wire is doing, for PHSTAT2. */
  activity: () => WireActivity = () => ({
    transmitting: false,
    receiving: false,
    colliding: false,
  });
  /** Set by the chip: the link has gone. */
  onLinkLost: () => void = () => undefined;

  /** What the bits of no known value read as. */
  private readonly unknown: number;

  constructor(private readonly core: Core) {
    this.unknown = new Random(core.options.seed ^ 0x9e1d).u32() & 0xffff;
  }

  /** PHSTAT2.LSTAT. */
  get linked(): boolean {
    return this.up || (this.control2 & FRCLNK) !== 0;
  }

  /** Frames pass between the wire and the MAC, in both directions. */
  get connected(): boolean {
    return this.plugged && this.linked && !this.loopback && this.powered;
  }

  get transmitDisabled(): boolean {
    return (this.control2 & TXDIS) !== 0;
  }

  /** PHCON1.PLOOPBK: the PHY gives back what it is given to send. */
  get loopback(): boolean {
    return (this.control1 & PLOOPBK) !== 0;
  }

  /** Sent frames come back to the receiver as well: half duplex without HDLDIS. */
  get halfDuplexLoopback(): boolean {
    return (this.control1 & PDPXMD) === 0 && (this.control2 & HDLDIS) === 0;
  }

  get fullDuplex(): boolean {
    return (this.control1 & PDPXMD) !== 0;
  }

  private get powered(): boolean {
    return this.core.ready && (this.control1 & (PPWRSV | PRST)) === 0;
  }

  /** The cable is plugged in or out. */
  setPlugged(plugged: boolean): void {
    this.plugged = plugged;
    this.followLink();
  }

  /** All registers to their defaults and the link looked for anew: power-on and system reset. */
  reset(): void {
    const strap = this.core.options.ledB ?? "half";
    const full = strap === "none" ? this.core.random.chance(0.5) : strap === "full";
    this.control1 = full ? PDPXMD : 0;
    this.control2 = 0;
    this.interruptEnable = 0;
    this.leds = 0x3422 | (this.unknown & PHLCON_UNKNOWN);
    this.linkChanged = false;
    this.cancelReset?.();
    this.cancelReset = undefined;
    this.dropLink();
    this.linkFailed = false;
    this.linkChanged = false;
    this.updateInterrupt();
    this.followLink();
  }

  /** The PHY has lost its clock or got it back (power save). */
  clockChanged(): void {
    if (!this.core.ready) this.dropLink();
    this.followLink();
  }

  private dropLink(): void {
    this.cancelChange?.();
    this.cancelChange = undefined;
    if (this.up) this.changeLink(false);
  }

  private changeLink(up: boolean): void {
    this.up = up;
    if (!up) this.linkFailed = true;
    this.linkChanged = true;
    this.updateInterrupt();
    if (!up) this.onLinkLost();
  }

  /** Lets the link follow cable and clock, after the time that takes. */
  private followLink(): void {
    this.cancelChange?.();
    this.cancelChange = undefined;
    const working = (this.control1 & (PPWRSV | PRST)) === 0;
    const wanted = this.plugged && working && this.core.untilReadyNs < Infinity;
    if (wanted === this.up) return;
    const delay = wanted ? this.core.untilReadyNs + LINK_UP_NS : LINK_DOWN_NS;
    this.cancelChange = this.core.clock.schedule(delay, () => {
      this.cancelChange = undefined;
      this.changeLink(wanted);
    });
  }

  /** PGIF and LINKIF shadow PLNKIF when both PHY enables are set (DS39662E 12.1.5). */
  private updateInterrupt(): void {
    this.core.linkFlag = this.globalFlag && (this.interruptEnable & PGEIE) !== 0;
    this.core.updateInterrupt();
  }

  private get globalFlag(): boolean {
    return this.linkChanged && (this.interruptEnable & PLNKIE) !== 0;
  }

  /** A register as MIIM reads it; PHSTAT1 and PHIR forget what they have latched. */
  read(register: number): number {
    switch (register) {
      case PHY.PHCON1:
        return this.control1;
      case PHY.PHSTAT1: {
        const value = 0x1800 | (this.linked && !this.linkFailed ? 0x0004 : 0);
        this.linkFailed = false;
        return value;
      }
      case PHY.PHID1:
        return 0x0083;
      case PHY.PHID2:
        return 0x1400;
      case PHY.PHCON2:
        return this.control2;
      case PHY.PHSTAT2: {
        const { transmitting, receiving, colliding } = this.activity();
        return (
          (transmitting ? 0x2000 : 0) |
          (receiving ? 0x1000 : 0) |
          (colliding ? 0x0800 : 0) |
          (this.linked ? 0x0400 : 0) |
          (this.fullDuplex ? 0x0200 : 0)
        );
      }
      case PHY.PHIE:
        return this.interruptEnable;
      case PHY.PHIR: {
        const value = (this.linkChanged ? PLNKIF : 0) | (this.globalFlag ? PGIF : 0);
        this.linkChanged = false;
        this.updateInterrupt();
        return value | (this.unknown & PHIR_UNKNOWN);
      }
      case PHY.PHLCON:
        return this.leds;
      default:
        this.core.violation(
          `read of PHY register 0x${register.toString(16)}, which does not exist`,
        );
        return 0;
    }
  }

  /** A register as MIIM writes it. */
  write(register: number, value: number): void {
    const writable = WRITABLE.get(register);
    if (writable === undefined) {
      this.core.violation(`write of PHY register 0x${register.toString(16)}: read-only or missing`);
      return;
    }
    if (value & ~writable) {
      const bits = (value & ~writable).toString(16);
      this.core.violation(`reserved bits 0x${bits} of PHY register 0x${register.toString(16)} set`);
    }
    this.writeBits(register, value & writable);
  }

  /** An upset: bits turn over by themselves. */
  upset(register: number, bits: number): void {
    this.writeBits(register, this.read(register) ^ bits);
  }

  private writeBits(register: number, value: number): void {
    switch (register) {
      case PHY.PHCON1:
        if (value & PRST) return this.softReset();
        this.control1 = value;
        if (value & PPWRSV) this.dropLink();
        this.followLink();
        return;
      case PHY.PHCON2:
        this.control2 = value;
        return;
      case PHY.PHIE:
        this.interruptEnable = value;
        this.updateInterrupt();
        return;
      default:
        if ((value & 0x3000) !== 0x3000) this.core.violation("PHLCON bits 13 and 12 must be 1");
        this.leds = value;
    }
  }

  private softReset(): void {
    this.reset();
    this.control1 |= PRST;
    this.dropLink();
    this.cancelReset = this.core.clock.schedule(PHY_RESET_NS, () => {
      this.cancelReset = undefined;
      this.control1 &= ~PRST;
      this.followLink();
    });
  }
}
