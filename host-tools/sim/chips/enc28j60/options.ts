import type { ChipOptions } from "../../types.js";

/** Silicon revisions; EREVID reads 2, 4, 5 and 6. */
export type Revision = "B1" | "B4" | "B5" | "B7";

/** Value of EREVID (DS80349C table 1). */
export const EREVID: Record<Revision, number> = { B1: 0x02, B4: 0x04, B5: 0x05, B7: 0x06 };

/**
 * Errata that the model shows, by their numbers in DS80349C:
 * 1 MAC and MII registers unreliable with SCK below 8 MHz; 2 CLKRDY set although the PHY is not ready after a reset;
 * 5 writing ERXST or ERXND may load 0000 into the write pointer; 6 PKTIF reads wrong; 9 half-duplex loopback loses
 * frames; 10 PHY loopback loses frames; 12 an abort stalls the transmit logic; 13 a link pulse is taken for a collision;
 * 14 an even ERXRDPT corrupts the receive memory; 15 LATECOL unreliable; 17 a DMA checksum aborts the arriving frame;
 * 18 the pattern filter passes other frames; 19 a system reset is ignored in power save.
 */
export const ERRATA = [1, 2, 5, 6, 9, 10, 12, 13, 14, 15, 17, 18, 19] as const;
export type Erratum = (typeof ERRATA)[number];

const ALL_REVISIONS: Erratum[] = [2, 5, 6, 9, 10, 12, 14, 15, 17, 18, 19];

/** Errata of each revision. */
export const ERRATA_OF: Record<Revision, readonly Erratum[]> = {
  B1: [1, ...ALL_REVISIONS],
  B4: [1, ...ALL_REVISIONS],
  B5: [13, ...ALL_REVISIONS],
  B7: [13, ...ALL_REVISIONS],
};

/** How often an erratum that happens "sometimes" does happen: a probability for each occasion. */
export interface ErratumRates {
  /** 1: a MAC or MII access goes wrong. */
  macAccess: number;
  /** 5: a write of ERXST or ERXND loads 0000. */
  writePointer: number;
  /** 6: a read of EIR shows PKTIF clear although packets wait, after a PKTDEC that has left some. */
  pktif: number;
  /** 9, 10: a looped frame is lost. */
  loopback: number;
  /** 12: an abort in half duplex leaves the transmit logic stalled; also: releasing TXRST sets TXERIF. */
  stall: number;
  /** 13: a link pulse during a transmission in half duplex is taken for a collision. */
  linkPulse: number;
  /** 13: such a false late collision leaves TXRTS set and TXIF clear. */
  linkPulseStuck: number;
  /**
   * 14: a frame that is accepted while ERXRDPT is even, and less than a frame ahead of its end, gets a wrong next packet
   * pointer. The sheet does not say when; hosts that always write even pointers work while the buffer is not near full.
   */
  evenReadPointer: number;
  /** 15: LATECOL is wrong after an abort. */
  latecol: number;
  /** 18: a frame that does not match passes the pattern filter. */
  pattern: number;
}

export const DEFAULT_RATES: ErratumRates = {
  macAccess: 1 / 16,
  writePointer: 1 / 2,
  pktif: 1 / 4,
  loopback: 1 / 2,
  stall: 1 / 2,
  linkPulse: 1 / 8,
  linkPulseStuck: 1 / 4,
  evenReadPointer: 1 / 64,
  latecol: 1 / 2,
  pattern: 1 / 16,
};

/** Faults that a test injects; counters count down as the fault happens. May be changed while the model runs. */
export interface Faults {
  /** So many transmission attempts meet a collision inside the collision window (half duplex). */
  collisions: number;
  /** So many transmissions meet a late collision (half duplex). */
  lateCollisions: number;
  /** So many transmissions never end: TXRTS stays set and no flag comes. */
  stuckTransmits: number;
  /** So many received frames get a next packet pointer that points elsewhere. */
  badNextPointers: number;
  /** So many received frames get a status vector with a wrong byte count. */
  badByteCounts: number;
  /** The INT pin stays high (true: broken wire) or low (false: short) whatever happens; undefined: it works. */
  interruptStuckHigh: boolean | undefined;
  /** The chip does not answer: MISO has this level on all bits; undefined: it works. */
  misoStuck: number | undefined;
}

export function noFaults(): Faults {
  return {
    collisions: 0,
    lateCollisions: 0,
    stuckTransmits: 0,
    badNextPointers: 0,
    badByteCounts: 0,
    interruptStuckHigh: undefined,
    misoStuck: undefined,
  };
}

export interface Enc28j60Options extends ChipOptions {
  /** Default B7. */
  revision?: Revision;
  /** Errata in force; default: those of the revision. */
  errata?: readonly Erratum[];
  rates?: Partial<ErratumRates>;
  /** Reports illegal accesses through `onViolation` (default). If false they are only kept in `violations`. */
  strict?: boolean;
  faults?: Partial<Faults>;
  /** LED on LEDB, which sets PHCON1.PDPXMD at reset; "none" leaves it to chance (DS39662E 2.6). */
  ledB?: "half" | "full" | "none";
  /**
   * BFS and BFC on MAC and MII registers, which the data sheet rules out: true (default) applies them, as silicon has
   * been seen to do; false ignores them. They are violations either way.
   */
  bitFieldOnMac?: boolean;
  /** Frames that the link partner holds back while the wire is busy; more are lost. Default 128. */
  lineFrames?: number;
}
