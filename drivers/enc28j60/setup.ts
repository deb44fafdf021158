/** Reset and configuration (DS39662E 6 and 11.2), in an order that no erratum disturbs. */
import { chipReset, delayNs, delayUs } from "board";
import {
  ECON1,
  ECON1_RXEN,
  ECON2,
  ECON2_PWRSV,
  EIE,
  EIE_INTIE,
  EIE_PKTIE,
  EIE_TXERIE,
  EIE_TXIE,
  EIR,
  EIR_DMAIF,
  EIR_RXERIF,
  EIR_TXERIF,
  EIR_TXIF,
  EREVID,
  ERXFCON,
  ERXFCON_BCEN,
  ERXFCON_CRCEN,
  ERXFCON_MCEN,
  ERXFCON_UCEN,
  ESTAT,
  ESTAT_CLKRDY,
  ESTAT_UNIMPLEMENTED,
  MAADR5,
  MABBIPG,
  MACLCON2,
  MACON1,
  MACON1_MARXEN,
  MACON1_RXPAUS,
  MACON1_TXPAUS,
  MACON3,
  MACON3_FRMLNEN,
  MACON3_FULDPX,
  MACON3_PADCFG0,
  MACON3_TXCRCEN,
  MACON4,
  MACON4_DEFER,
  MAIPGH,
  MAIPGL,
  MAMXFLH,
  MAMXFLL,
  PHCON1,
  PHCON1_PDPXMD,
  PHCON2,
  PHCON2_HDLDIS,
  PHLCON,
} from "./registers";
import { interruptReset } from "./interrupt";
import { FRAME_BYTES_MAX } from "./layout";
import { linkScanStart, phyWrite } from "./phy";
import { receiveSetup } from "./receive";
import {
  clearBits,
  readEth,
  readMac,
  selectBank,
  setBits,
  spiForget,
  systemReset,
  writeEth,
  writeMac,
} from "./spi";
import { transmitSetup } from "./transmit";

/** Linux numbers. */
const ENODEV: i32 = 19;
const ETIMEDOUT: i32 = 110;

/** Half duplex unless the build says that the link partner is forced to 10 Mbit/s full duplex. */
const FULL_DUPLEX: bool = OPT_ENC28J60_FULL_DUPLEX != 0;

/** Interrupts in use. RXERIF and the link are looked at now and then (nic.ts). */
export const EIE_IN_USE: u32 = EIE_INTIE | EIE_PKTIE | EIE_TXIE | EIE_TXERIE;

/** RESET low, at least 400 ns, and what the chip then needs before anything else. */
const RESET_LOW_NS: u32 = 1000;
const RESET_HIGH_US: u32 = 1000;
/** Oscillator start-up after power save (erratum 19 wants it before SRC). */
const START_UP_US: u32 = 300;
/** After SRC the PHY's clock stands still and CLKRDY does not show it (erratum 2). */
const AFTER_SRC_US: u32 = 1100;
/** Times that a MAC register is written until it reads back right (erratum 1). */
const WRITES_MAX: u32 = 4;
/** LEDA link, LEDB activity, stretched. */
const PHLCON_IN_USE: u32 = 0x3476;

let version: u32 = 0;

/** EREVID as read at the last start: 2 B1, 4 B4, 5 B5, 6 B7. */
export function chipVersion(): u32 {
  return version;
}

/**
 * Resets the chip and configures it for the given MAC address, reception on: 0, -ENODEV if there is no ENC28J60 or it
 * does not keep what is written, -ETIMEDOUT if its MII does not answer.
 */
export function chipStart(mac: usize): i32 {
  spiForget();
  interruptReset();
  chipReset(true);
  delayNs(RESET_LOW_NS);
  chipReset(false);
  delayUs(RESET_HIGH_US);
  clearBits(ECON2, ECON2_PWRSV);
  delayUs(START_UP_US);
  systemReset();
  delayUs(AFTER_SRC_US);
  const status = readEth(ESTAT);
  if ((status & (ESTAT_UNIMPLEMENTED | ESTAT_CLKRDY)) != ESTAT_CLKRDY) return -ENODEV;
  selectBank(3);
  version = readEth(EREVID);
  selectBank(0);
  if (version == 0 || version > 0x1f) return -ENODEV;
  receiveSetup();
  transmitSetup();
  if (!setupMac(mac)) return -ENODEV;
  if (!setupPhy()) return -ETIMEDOUT;
  clearBits(EIR, EIR_DMAIF | EIR_TXIF | EIR_TXERIF | EIR_RXERIF);
  writeEth(EIE, EIE_IN_USE);
  setBits(ECON1, ECON1_RXEN);
  return 0;
}

/** Writes a MAC register of the current bank until it reads back right. */
function writeVerified(address: u32, value: u32): bool {
  for (let i: u32 = 0; i < WRITES_MAX; i++) {
    writeMac(address, value);
    if (readMac(address) == value) return true;
  }
  return false;
}

/** Filters, MAC (DS39662E 6.5) and address. Gaps and duplex belong together. */
function setupMac(mac: usize): bool {
  selectBank(1);
  const groups: u32 = OPT_MDNS != 0 ? ERXFCON_MCEN : 0;
  writeEth(ERXFCON, ERXFCON_UCEN | ERXFCON_CRCEN | ERXFCON_BCEN | groups);
  selectBank(2);
  const pause: u32 = FULL_DUPLEX ? MACON1_TXPAUS | MACON1_RXPAUS : 0;
  const duplex: u32 = FULL_DUPLEX ? MACON3_FULDPX : 0;
  const done: bool =
    writeVerified(MACON1, MACON1_MARXEN | pause) &&
    writeVerified(MACON3, MACON3_PADCFG0 | MACON3_TXCRCEN | MACON3_FRMLNEN | duplex) &&
    writeVerified(MACON4, MACON4_DEFER) &&
    writeVerified(MABBIPG, FULL_DUPLEX ? 0x15 : 0x12) &&
    writeVerified(MAIPGL, 0x12) &&
    writeVerified(MAIPGH, 0x0c) &&
    // A wide collision window makes of most false late collisions ordinary ones (erratum 13).
    writeVerified(MACLCON2, 0x3f) &&
    writeVerified(MAMXFLL, FRAME_BYTES_MAX & 0xff) &&
    writeVerified(MAMXFLH, FRAME_BYTES_MAX >> 8);
  selectBank(3);
  let addressed: bool = true;
  // Registers 0 to 5 hold octets 5, 6, 3, 4, 1, 2.
  for (let i: u32 = 0; i < 6 && addressed; i++) {
    addressed = writeVerified(MAADR5 + i, <u32>load<u8>(mac + <usize>((i & 1) + 4 - (i & 6))));
  }
  selectBank(0);
  return done && addressed;
}

/** Duplex, no loopback (erratum 9), LEDs; then the MII watches the link. */
function setupPhy(): bool {
  const done =
    phyWrite(PHCON1, FULL_DUPLEX ? PHCON1_PDPXMD : 0) &&
    phyWrite(PHCON2, FULL_DUPLEX ? 0 : PHCON2_HDLDIS) &&
    phyWrite(PHLCON, PHLCON_IN_USE);
  linkScanStart();
  return done;
}
