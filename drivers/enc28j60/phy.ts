/** The PHY registers, behind MIIM (DS39662E 3.3). Bank 0 is selected before and after. */
import { delayNs } from "board";
import {
  MICMD,
  MICMD_MIIRD,
  MICMD_MIISCAN,
  MIRDH,
  MIRDL,
  MIREGADR,
  MISTAT,
  MISTAT_BUSY,
  MIWRH,
  MIWRL,
  PHSTAT2,
} from "./registers";
import { readMac, selectBank, writeMac } from "./spi";

/** Length of one MIIM transaction. */
const TRANSACTION_NS: u32 = 10_240;
/** Times that BUSY is read before the PHY is given up; each takes some microseconds. */
const BUSY_POLLS: u32 = 16;

/** Waits for MISTAT.BUSY to go; false if it does not. Leaves bank 3 selected. */
function waitIdle(): bool {
  selectBank(3);
  for (let i: u32 = 0; i < BUSY_POLLS; i++) {
    delayNs(TRANSACTION_NS);
    if ((readMac(MISTAT) & MISTAT_BUSY) == 0) return true;
  }
  return false;
}

/** Writes a PHY register; false if the MII does not finish. */
export function phyWrite(register: u32, value: u32): bool {
  selectBank(2);
  writeMac(MIREGADR, register);
  writeMac(MIWRL, value & 0xff);
  writeMac(MIWRH, value >> 8);
  const done = waitIdle();
  selectBank(0);
  return done;
}

/** Reads a PHY register, while no scan runs; a value that no register has if the MII does not finish. */
export function phyRead(register: u32): u32 {
  selectBank(2);
  writeMac(MIREGADR, register);
  writeMac(MICMD, MICMD_MIIRD);
  const done = waitIdle();
  selectBank(2);
  writeMac(MICMD, 0);
  const value = readMac(MIRDL) | (readMac(MIRDH) << 8);
  selectBank(0);
  return done ? value : 0xffffffff;
}

/** Ends the scan, for other registers. */
export function linkScanStop(): void {
  selectBank(2);
  writeMac(MICMD, 0);
  waitIdle();
  selectBank(0);
}

/**
 * Lets the MII read PHSTAT2 over and over, every 10.24 us, so that asking for the link needs no transaction of its own
 * and no waiting (DS39662E 3.3.3). No other PHY register can be reached until linkScanStop, and the first reading takes
 * 10.24 us.
 */
export function linkScanStart(): void {
  selectBank(2);
  writeMac(MIREGADR, PHSTAT2);
  writeMac(MICMD, MICMD_MIISCAN);
  selectBank(0);
}

/** The latest high byte of PHSTAT2: 7 bytes on the bus. */
export function linkScanRead(): u32 {
  selectBank(2);
  const status = readMac(MIRDH);
  selectBank(0);
  return status;
}
