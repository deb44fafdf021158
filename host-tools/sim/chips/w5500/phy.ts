import type { Clock } from "../../types.js";
import type { LinkPartner, Violation } from "./options.js";
import { PHYCFGR_DPX, PHYCFGR_LNK, PHYCFGR_OPMD, PHYCFGR_RST, PHYCFGR_SPD } from "./registers.js";

const POWER_DOWN = 6;

interface Mode {
  mbits: 10 | 100;
  fullDuplex: boolean;
  negotiates: boolean;
}

/** Modes by OPMDC or PMODE (datasheet 4.1, PHYCFGR); 5 is not used, 6 is power down. */
const MODES: (Mode | undefined)[] = [
  { mbits: 10, fullDuplex: false, negotiates: false },
  { mbits: 10, fullDuplex: true, negotiates: false },
  { mbits: 100, fullDuplex: false, negotiates: false },
  { mbits: 100, fullDuplex: true, negotiates: false },
  { mbits: 100, fullDuplex: false, negotiates: true },
  undefined,
  undefined,
  { mbits: 100, fullDuplex: true, negotiates: true },
];

export interface PhyOptions {
  clock: Clock;
  pmode: number;
  partner: LinkPartner;
  autoNegotiationMs: number;
  forcedLinkMs: number;
  violation: Violation;
  /** The link came or went. */
  onLink: (up: boolean) => void;
}

/**
 * The PHY with its configuration register. A mode is taken over when PHYCFGR.RST goes from 0 to 1; the link comes after
 * the time that negotiation takes, and goes at once.
 */
export class Phy {
  up = false;
  mbits: 10 | 100 = 10;
  private fullDuplex = false;
  private config = 0;
  private mode: Mode | undefined;
  private cable = true;
  private held = false;
  private cancel: (() => void) | undefined;
  private partner: LinkPartner;

  constructor(private readonly options: PhyOptions) {
    this.partner = options.partner;
    this.powerUp();
  }

  /** After RSTn or power-on: the mode of the pins, link down. */
  powerUp(): void {
    this.held = false;
    this.softReset();
    this.restart();
  }

  /** In hardware reset there is no link. */
  hold(): void {
    this.held = true;
    this.restart();
  }

  /** MR.RST: the register returns to its default; a mode that was in force stays until the PHY itself is reset. */
  softReset(): void {
    this.config = PHYCFGR_RST | (this.options.pmode << 3);
  }

  setCable(plugged: boolean): void {
    if (this.cable === plugged) return;
    this.cable = plugged;
    this.restart();
  }

  /** The link partner is another one, or can do something else from now on: the link is lost and comes anew. */
  setPartner(partner: LinkPartner): void {
    this.partner = partner;
    this.restart();
  }

  /** Time of one byte on the wire. */
  get byteNs(): number {
    return 8e3 / this.mbits;
  }

  /** OPMDC reads as the pins have it while OPMD is 0. */
  read(): number {
    if (!this.up) return this.config;
    const duplex = this.fullDuplex ? PHYCFGR_DPX : 0;
    return this.config | duplex | (this.mbits === 100 ? PHYCFGR_SPD : 0) | PHYCFGR_LNK;
  }

  write(value: number): void {
    const before = this.config;
    const byRegister = (value & PHYCFGR_OPMD) !== 0;
    const code = byRegister ? (value >> 3) & 7 : this.options.pmode;
    this.config = (value & (PHYCFGR_RST | PHYCFGR_OPMD)) | (code << 3);
    if (code === 5) {
      this.options.violation("reserved-value", "PHYCFGR: OPMDC 101 is not used");
    }
    const wasReset = (before & PHYCFGR_RST) === 0;
    const isReset = (value & PHYCFGR_RST) === 0;
    if (wasReset !== isReset) this.restart();
  }

  /** Begins again: link down, then up after its time if everything is there. */
  private restart(): void {
    this.cancel?.();
    this.cancel = undefined;
    if (this.up) {
      this.up = false;
      this.options.onLink(false);
    }
    if (this.held || !(this.config & PHYCFGR_RST)) return;
    const code = (this.config >> 3) & 7;
    this.mode = code === POWER_DOWN ? undefined : MODES[code];
    const mode = this.mode;
    const { partner } = this;
    const { clock } = this.options;
    if (!this.cable || !mode || (!mode.negotiates && mode.mbits > partner.mbits)) return;
    const ms = mode.negotiates ? this.options.autoNegotiationMs : this.options.forcedLinkMs;
    this.cancel = clock.schedule(ms * 1e6, () => {
      this.cancel = undefined;
      this.mbits = mode.negotiates && partner.mbits === 10 ? 10 : mode.mbits;
      this.fullDuplex = mode.fullDuplex && (!mode.negotiates || partner.fullDuplex);
      this.up = true;
      this.options.onLink(true);
    });
  }
}
