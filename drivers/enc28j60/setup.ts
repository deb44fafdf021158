/** Reset and configuration (DS39662E 6 and 11.2), in an order that no erratum disturbs. */
import { chipReset, delayNs, delayUs } from "board";
import { OPTIONS } from "options";
import {
  ECON1,
  ECON1_RXEN,
  ECON2,
  ECON2_AUTOINC,
  ECON2_PWRSV,
  EFLOCON,
  EFLOCON_FCEN,
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
  ERXND,
  ERXST,
  ESTAT,
  ESTAT_CLKRDY,
  ESTAT_UNIMPLEMENTED,
  MAADR5,
  MABBIPG,
  MACLCON1,
  MACLCON1_RESET,
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
import { HALF_DUPLEX, gapOf, gapReset } from "./gap";
import { interruptReset } from "./interrupt";
import { FRAME_BYTES_MAX, RX_END } from "./layout";
import { linkScanStart, linkScanStop, phyRead, phyWrite } from "./phy";
import { receiveSetup } from "./receive";
import {
  clearBits,
  readEth,
  readEth16,
  readMac,
  selectBank,
  setBits,
  spiForget,
  systemReset,
  writeEth,
  writeVerified,
} from "./spi";
import { transmitHolds, transmitSetup } from "./transmit";

/** Linux numbers. */
const ENODEV: i32 = 19;
const ETIMEDOUT: i32 = 110;

/** Interrupts in use. RXERIF and the link are looked at now and then (nic.ts). */
export const EIE_IN_USE: u32 = EIE_INTIE | EIE_PKTIE | EIE_TXIE | EIE_TXERIE;

/** RESET low, at least 400 ns, and what the chip then needs before anything else. */
const RESET_LOW_NS: u32 = 1000;
const RESET_HIGH_US: u32 = 1000;
/** Oscillator start-up after power save (erratum 19 wants it before SRC). */
const START_UP_US: u32 = 300;
/** After SRC the PHY's clock stands still and CLKRDY does not show it (erratum 2). */
const AFTER_SRC_US: u32 = 1100;
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
  gapReset();
  transmitSetup();
  if (!setupMac(mac)) return -ENODEV;
  if (!setupPhy()) return -ETIMEDOUT;
  clearBits(EIR, EIR_DMAIF | EIR_TXIF | EIR_TXERIF | EIR_RXERIF);
  writeEth(EIE, EIE_IN_USE);
  setBits(ECON1, ECON1_RXEN);
  return 0;
}

/** MAC registers that are set up, all in bank 2 (DS39662E 6.5). */
const MAC_SETTINGS: u32 = 9;
/** Frames to groups are for multicast DNS, and for sockets that have joined one. */
const GROUPS: u32 = OPTIONS.MDNS != 0 || OPTIONS.MULTICAST_GROUPS != 0 ? ERXFCON_MCEN : 0;
const FILTER: u32 = ERXFCON_UCEN | ERXFCON_CRCEN | ERXFCON_BCEN | GROUPS;
const PAUSE: u32 = HALF_DUPLEX ? 0 : MACON1_TXPAUS | MACON1_RXPAUS;
const DUPLEX: u32 = HALF_DUPLEX ? 0 : MACON3_FULDPX;
const PHCON1_IN_USE: u32 = HALF_DUPLEX ? 0 : PHCON1_PDPXMD;
const PHCON2_IN_USE: u32 = HALF_DUPLEX ? PHCON2_HDLDIS : 0;

/** The `i`-th of them, in the order of writing, and the value behind it: value << 8 | address. */
function macSetting(i: u32): u32 {
  switch (i) {
    case 0:
      return ((MACON1_MARXEN | PAUSE) << 8) | MACON1;
    case 1:
      return ((MACON3_PADCFG0 | MACON3_TXCRCEN | MACON3_FRMLNEN | DUPLEX) << 8) | MACON3;
    case 2:
      return (MACON4_DEFER << 8) | MACON4;
    case 3:
      return (gapOf(MABBIPG) << 8) | MABBIPG;
    case 4:
      return (gapOf(MAIPGL) << 8) | MAIPGL;
    case 5:
      return (gapOf(MAIPGH) << 8) | MAIPGH;
    case 6:
      // A wide collision window makes of most false late collisions ordinary ones (erratum 13).
      return (0x3f << 8) | MACLCON2;
    case 7:
      return ((FRAME_BYTES_MAX & 0xff) << 8) | MAMXFLL;
    default:
      return ((FRAME_BYTES_MAX >> 8) << 8) | MAMXFLH;
  }
}

/** Octet of the address that register `i` from MAADR5 on holds: octets 5, 6, 3, 4, 1, 2. */
function macOctet(mac: usize, i: u32): u32 {
  return <u32>load<u8>(mac + <usize>((i & 1) + 4 - (i & 6)));
}

/** Filters, MAC and address. Gaps and duplex belong together. */
function setupMac(mac: usize): bool {
  selectBank(1);
  writeEth(ERXFCON, FILTER);
  selectBank(2);
  let done: bool = true;
  for (let i: u32 = 0; i < MAC_SETTINGS && done; i++) {
    const setting = macSetting(i);
    done = writeVerified(setting & 0xff, setting >> 8);
  }
  selectBank(3);
  for (let i: u32 = 0; i < 6 && done; i++) done = writeVerified(MAADR5 + i, macOctet(mac, i));
  selectBank(0);
  return done;
}

/** Duplex, no loopback (erratum 9), LEDs; then the MII watches the link. */
function setupPhy(): bool {
  const done =
    phyWrite(PHCON1, PHCON1_IN_USE) &&
    phyWrite(PHCON2, PHCON2_IN_USE) &&
    phyWrite(PHLCON, PHLCON_IN_USE);
  linkScanStart();
  return done;
}

/**
 * Whether the chip still has the configuration: all that is written and never changes, and what is needed as the reset left it.
 * One upset bit of it can make the chip deaf for ever without any other sign. About 150 bytes on the bus.
 */
export function configurationHolds(mac: usize): bool {
  // Pointers as receive.ts has written them, and the buffers' pointers counting up by themselves.
  let holds: bool =
    readEth16(ERXST) == 0 &&
    readEth16(ERXND) == RX_END &&
    (readEth(ECON2) & (ECON2_AUTOINC | ECON2_PWRSV)) == ECON2_AUTOINC &&
    transmitHolds();
  selectBank(1);
  if (readEth(ERXFCON) != FILTER) holds = false;
  selectBank(2);
  for (let i: u32 = 0; i < MAC_SETTINGS; i++) {
    const setting = macSetting(i);
    if (readMac(setting & 0xff) != setting >> 8) holds = false;
  }
  if (readMac(MACLCON1) != MACLCON1_RESET) holds = false;
  selectBank(3);
  for (let i: u32 = 0; i < 6; i++) if (readMac(MAADR5 + i) != macOctet(mac, i)) holds = false;
  if ((readEth(EFLOCON) & EFLOCON_FCEN) != 0) holds = false;
  linkScanStop();
  if (phyRead(PHCON1) != PHCON1_IN_USE || phyRead(PHCON2) != PHCON2_IN_USE) holds = false;
  linkScanStart();
  return holds;
}
