/**
 * ENC28J60 instructions, registers and bits by their data sheet names (DS39662E tables 3-1, 3-2 and 4-1). Addresses are
 * those inside a bank; ETH registers are read with `readEth`, MAC and MII registers with `readMac` (spi.ts).
 */

// Instructions (DS39662E table 4-1); the register's address is added to the first four.
export const RCR: u32 = 0x00;
export const WCR: u32 = 0x40;
export const BFS: u32 = 0x80;
export const BFC: u32 = 0xa0;
export const RBM: u32 = 0x3a;
export const WBM: u32 = 0x7a;
export const SRC: u32 = 0xff;

// All banks
export const EIE: u32 = 0x1b;
export const EIR: u32 = 0x1c;
export const ESTAT: u32 = 0x1d;
export const ECON2: u32 = 0x1e;
export const ECON1: u32 = 0x1f;

// Bank 0: pointers, low byte first
export const ERDPT: u32 = 0x00;
export const EWRPT: u32 = 0x02;
export const ETXST: u32 = 0x04;
export const ETXND: u32 = 0x06;
export const ERXST: u32 = 0x08;
export const ERXND: u32 = 0x0a;
export const ERXRDPT: u32 = 0x0c;
export const ERXWRPT: u32 = 0x0e;

// Bank 1
export const ERXFCON: u32 = 0x18;
export const EPKTCNT: u32 = 0x19;

// Bank 2 (MAC and MII)
export const MACON1: u32 = 0x00;
export const MACON3: u32 = 0x02;
export const MACON4: u32 = 0x03;
export const MABBIPG: u32 = 0x04;
export const MAIPGL: u32 = 0x06;
export const MAIPGH: u32 = 0x07;
export const MACLCON1: u32 = 0x08;
/** Its reset value: a frame is given up after 15 retransmissions. */
export const MACLCON1_RESET: u32 = 0x0f;
export const MACLCON2: u32 = 0x09;
export const MAMXFLL: u32 = 0x0a;
export const MAMXFLH: u32 = 0x0b;
export const MICMD: u32 = 0x12;
export const MIREGADR: u32 = 0x14;
export const MIWRL: u32 = 0x16;
export const MIWRH: u32 = 0x17;
export const MIRDL: u32 = 0x18;
export const MIRDH: u32 = 0x19;

// Bank 3
/** MAADR5: the first of six address registers, which hold octets 5, 6, 3, 4, 1, 2 of the MAC in this order. */
export const MAADR5: u32 = 0x00;
export const MISTAT: u32 = 0x0a;
export const EREVID: u32 = 0x12;
export const EFLOCON: u32 = 0x17;

// PHY registers
export const PHCON1: u32 = 0x00;
export const PHCON2: u32 = 0x10;
export const PHSTAT2: u32 = 0x11;
export const PHLCON: u32 = 0x14;

// EIE and EIR: enables and flags have the same places
export const EIE_INTIE: u32 = 0x80;
export const EIE_PKTIE: u32 = 0x40;
export const EIE_TXIE: u32 = 0x08;
export const EIE_TXERIE: u32 = 0x02;
export const EIR_DMAIF: u32 = 0x20;
export const EIR_TXIF: u32 = 0x08;
export const EIR_TXERIF: u32 = 0x02;
export const EIR_RXERIF: u32 = 0x01;

export const ESTAT_BUFER: u32 = 0x40;
export const ESTAT_LATECOL: u32 = 0x10;
/** Unimplemented, so it reads 0; 1 says that nothing drives MISO. */
export const ESTAT_UNIMPLEMENTED: u32 = 0x08;
export const ESTAT_TXABRT: u32 = 0x02;
export const ESTAT_CLKRDY: u32 = 0x01;

export const ECON2_PKTDEC: u32 = 0x40;
export const ECON2_AUTOINC: u32 = 0x80;
export const ECON2_PWRSV: u32 = 0x20;

export const ECON1_TXRST: u32 = 0x80;
export const ECON1_RXRST: u32 = 0x40;
export const ECON1_TXRTS: u32 = 0x08;
export const ECON1_RXEN: u32 = 0x04;
export const ECON1_BSEL: u32 = 0x03;

export const ERXFCON_UCEN: u32 = 0x80;
export const ERXFCON_CRCEN: u32 = 0x20;
export const ERXFCON_MCEN: u32 = 0x02;
export const ERXFCON_BCEN: u32 = 0x01;

export const MACON1_TXPAUS: u32 = 0x08;
export const MACON1_RXPAUS: u32 = 0x04;
export const MACON1_MARXEN: u32 = 0x01;

/** PADCFG 001: short frames are padded to 60 bytes with zeros. */
export const MACON3_PADCFG0: u32 = 0x20;
export const MACON3_TXCRCEN: u32 = 0x10;
export const MACON3_FRMLNEN: u32 = 0x02;
export const MACON3_FULDPX: u32 = 0x01;

export const MACON4_DEFER: u32 = 0x40;

export const EFLOCON_FCEN: u32 = 0x03;

export const MICMD_MIIRD: u32 = 0x01;
export const MICMD_MIISCAN: u32 = 0x02;
export const MISTAT_BUSY: u32 = 0x01;

export const PHCON1_PDPXMD: u32 = 0x0100;
export const PHCON2_HDLDIS: u32 = 0x0100;
/** High byte of PHSTAT2: LSTAT (bit 10) and DPXSTAT (bit 9). */
export const PHSTAT2H_LSTAT: u32 = 0x04;
export const PHSTAT2H_DPXSTAT: u32 = 0x02;

// Second half of the receive status vector: its bits 16 to 31 (DS39662E table 7-3)
export const RSVH_CRC_ERROR: u32 = 0x0010;
export const RSVH_RECEIVED_OK: u32 = 0x0080;
export const RSVH_ZERO: u32 = 0x8000;

/** Transmit status vector, byte 3: late collision, its bit 29 (DS39662E table 7-1). */
export const TSV3_LATE_COLLISION: u32 = 0x20;
