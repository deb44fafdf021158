/**
 * Registers of the W5500 that the driver uses, under the datasheet's names. An access is the 16-bit address, a control
 * byte that names the block and the direction, then data whose address counts up by itself (datasheet 2.2).
 */

/** Control bytes: block and direction, variable length. */
export const COMMON_READ: u32 = 0x00;
export const COMMON_WRITE: u32 = 0x04;
export const S0_READ: u32 = 0x08;
export const S0_WRITE: u32 = 0x0c;
export const S0_TX_WRITE: u32 = 0x14;
export const S0_RX_READ: u32 = 0x18;
/** From the control byte of socket n to that of socket n+1. */
export const SOCKET_STEP: u32 = 0x20;

// Common registers (datasheet 4.1)
export const MR: u32 = 0x00;
export const SHAR: u32 = 0x09;
export const INTLEVEL: u32 = 0x13;
export const IMR: u32 = 0x16;
export const SIMR: u32 = 0x18;
export const PHYCFGR: u32 = 0x2e;
export const VERSIONR: u32 = 0x39;

export const MR_RST: u32 = 0x80;
/** Ping block: the hardware stack leaves echo requests alone. */
export const MR_PB: u32 = 0x10;
/** 0 holds the PHY in reset. */
export const PHYCFGR_RST: u32 = 0x80;
/** The mode is PHYCFGR's, not that of the pins. */
export const PHYCFGR_OPMD: u32 = 0x40;
export const PHYCFGR_DPX: u32 = 4;
export const PHYCFGR_SPD: u32 = 2;
export const PHYCFGR_LNK: u32 = 1;
export const VERSION: u32 = 0x04;

// Socket registers (datasheet 4.2)
export const Sn_MR: u32 = 0x00;
export const Sn_CR: u32 = 0x01;
export const Sn_IR: u32 = 0x02;
export const Sn_SR: u32 = 0x03;
export const Sn_RXBUF_SIZE: u32 = 0x1e;
export const Sn_TX_RD: u32 = 0x22;
export const Sn_TX_WR: u32 = 0x24;
export const Sn_RX_RSR: u32 = 0x26;
export const Sn_RX_RD: u32 = 0x28;
export const Sn_RX_WR: u32 = 0x2a;
export const Sn_IMR: u32 = 0x2c;

/** MACRAW, own address, broadcasts and groups only, no IPv6 (MFEN, MIP6B, P = 4). */
export const Sn_MR_MACRAW_FILTERED: u32 = 0x94;
/** Groups neither. */
export const Sn_MR_MMB: u32 = 0x20;
export const Sn_CR_OPEN: u32 = 0x01;
export const Sn_CR_CLOSE: u32 = 0x10;
export const Sn_CR_SEND: u32 = 0x20;
export const Sn_CR_RECV: u32 = 0x40;
export const Sn_IR_SENDOK: u32 = 0x10;
export const Sn_IR_RECV: u32 = 0x04;
export const SOCK_CLOSED: u32 = 0x00;
export const SOCK_MACRAW: u32 = 0x42;

/** Packet memory in each direction, all of it for socket 0. */
export const BUFFER_BYTES: u32 = 16384;
