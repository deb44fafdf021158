import type { ChipOptions } from "../../types.js";

/** What a host can do wrong. Each is reported unless it is tolerated. */
export type W5500Rule =
  /** SCLK above 33.3 MHz, which is all that is guaranteed (datasheet 5.5.4), or above 80 MHz, the design limit. */
  | "spi-clock"
  /** SCSn high for less than 30 ns between two frames (datasheet 5.5.4, TCS). */
  | "cs-high-time"
  /** A frame ended inside its header, without data, or inside a fixed-length access. */
  | "frame-cut"
  /** Block select bits that name no block (4n, n from 1). */
  | "reserved-block"
  /** A register address that the datasheet does not have, or reserves. */
  | "unknown-register"
  /** A write to a register that is read-only. */
  | "read-only-register"
  /** Reserved bits written as 1, or a size that does not exist. */
  | "reserved-value"
  /** RSTn low for less than 500 us (datasheet 5.5.1, TRC). */
  | "reset-time"
  /** An access in reset or before the PLL has locked. */
  | "not-ready"
  /** Sn_CR written while the chip is still taking the last command. */
  | "command-busy"
  /** A command that does not exist, or not in this state of the socket. */
  | "command"
  /** OPEN with a protocol that is not allowed here. */
  | "mode"
  /** More than 16 KB given to the sockets in one direction, a size changed while open, or memory of a socket without. */
  | "buffer-size"
  /** SEND with TX_WR further than the free size, which is also what a masked pointer looks like. */
  | "tx-pointer"
  /** RECV with RX_RD beyond RX_WR. */
  | "rx-pointer"
  /** A frame that Ethernet does not have: under 14 or over 1514 bytes (1518 with a VLAN tag). */
  | "tx-length"
  /** SEND or a new TX_WR while a frame is on the wire. */
  | "send-before-sendok"
  /** Memory of the frame on the wire overwritten. */
  | "overwrite-in-flight"
  /** A part of the chip that this model leaves out: the hardware sockets, PPPoE, wake on LAN. */
  | "not-modelled";

/** Faults that are known from the field. Numbers count down: the next so many occasions go wrong. */
export interface W5500Faults {
  /** Frames that are sent without SENDOK; TX_RD advances. */
  loseSendOk: number;
  /** Frames that are never finished: no SENDOK, TX_RD stays. */
  hangSend: number;
  /** Reads of Sn_RX_RSR between whose two bytes a frame arrives. */
  tornRsr: number;
  /** Received frames with a wrong length in front. */
  corruptLength: number;
  /** Interrupts that do not move the pin, until the next event. */
  loseInterrupt: number;
  /** After a reset VERSIONR reads 0 for so long, ns. */
  versionZeroNs: number;
  /** The chip does not answer: MISO stays at `absentLevel`, writes have no effect. */
  absent: boolean;
  /** 0x00 or 0xff: what a bus without a chip reads. */
  absentLevel: number;
}

export const NO_FAULTS: W5500Faults = {
  loseSendOk: 0,
  hangSend: 0,
  tornRsr: 0,
  corruptLength: 0,
  loseInterrupt: 0,
  versionZeroNs: 0,
  absent: false,
  absentLevel: 0xff,
};

/** What is at the other end of the cable. It negotiates, and takes either speed up to its own. */
export interface LinkPartner {
  mbits: 10 | 100;
  fullDuplex: boolean;
}

export interface W5500Options extends ChipOptions {
  /** Report what the host does wrong; default true. */
  strict?: boolean;
  /** Rules that are not reported even so. */
  tolerate?: readonly W5500Rule[];
  faults?: Partial<W5500Faults>;
  /** Multicast that passes with MFEN=1 and MMB=0, where sources disagree; default "ip": 01:00:5E and 33:33. */
  multicast?: "ip" | "all" | "none";
  /**
   * What SEND does without a link, or when the link goes: "wait" (default): SENDOK comes when the link is back, which
   * hosts that do not open the socket anew rely on; "hang": SENDOK never comes; "complete": it comes all the same.
   */
  sendWithoutLink?: "wait" | "hang" | "complete";
  /**
   * Sn_IR.RECV is set again when frames are left after RECV, as the W5100's sheet has it; default true. The W5500's sheet
   * only says that it is set when data comes: false, and a host that takes one frame for each interrupt stands still.
   */
  recvRemains?: boolean;
  /** Time that Sn_CR reads back after a command, ns; default 500. */
  commandNs?: number;
  /** Time that MR.RST reads back, ns; default 500. */
  softResetNs?: number;
  /** RSTn high to a locked PLL, ns; default 1 ms (datasheet 5.5.1, TPL). */
  pllLockNs?: number;
  /** Time to a link with auto-negotiation, ms; default 1500. */
  autoNegotiationMs?: number;
  /** Time to a link without it, ms; default 300. */
  forcedLinkMs?: number;
  /** Pins PMODE2..0; default 7, all capable with auto-negotiation. */
  pmode?: number;
  partner?: LinkPartner;
}

/** Reports a mistake of the host, unless it is tolerated. */
export type Violation = (rule: W5500Rule, message: string) => void;
