/**
 * SPI instructions of the ENC28J60 (DS39662E 4.2), one per CSn low period. A burst over the packet memory stays open
 * from call to call, so that a frame that is read in pieces costs one instruction; any other instruction closes it first.
 *
 * Bank 0 is selected whenever the driver is not inside `setup.ts`, `phy.ts`, `gap.ts` or `packetCount`.
 */
import { delayNs, spiDeselect, spiGet, spiPut, spiRead, spiSelect, spiWrite } from "board";
import {
  BFC,
  BFS,
  ECON1,
  ECON2,
  ECON2_PKTDEC,
  EPKTCNT,
  RBM,
  RCR,
  SRC,
  WBM,
  WCR,
} from "./registers";

const enum Burst {
  NONE = 0,
  READ = 1,
  WRITE = 2,
}

/** CSn hold after the last clock of a MAC or MII access (DS39662E table 16-6). */
const CS_HOLD_MAC_NS: u32 = 210;
/** Times that a MAC register is written until it reads back right (erratum 1). */
const WRITES_MAX: u32 = 4;
/** Time for the INT pin to follow a cleared flag: a few clocks of 25 MHz, generously. */
const INT_SETTLE_NS: u32 = 200;

let burst: u32 = Burst.NONE;
let bank: u32 = 0;

/** Ends the open burst over packet memory, if any. */
export function burstEnd(): void {
  if (burst == Burst.NONE) return;
  burst = Burst.NONE;
  spiDeselect();
}

/** Reads from ERDPT, which moves on and wraps with the receive buffer. The burst stays open. */
export function bufferRead(to: usize, bytes: u32): void {
  if (burst != Burst.READ) {
    burstEnd();
    spiSelect();
    spiPut(RBM);
    burst = Burst.READ;
  }
  spiRead(to, bytes);
}

/** Writes at EWRPT, which moves on. The burst stays open. */
export function bufferWrite(from: usize, bytes: u32): void {
  if (burst != Burst.WRITE) {
    burstEnd();
    spiSelect();
    spiPut(WBM);
    burst = Burst.WRITE;
  }
  spiWrite(from, bytes);
}

function instruction(opcode: u32, data: u32): void {
  burstEnd();
  spiSelect();
  spiPut(opcode);
  spiPut(data);
  spiDeselect();
}

/** RCR of an ETH register. */
export function readEth(address: u32): u32 {
  burstEnd();
  spiSelect();
  spiPut(RCR | address);
  const value = spiGet();
  spiDeselect();
  return value;
}

/** RCR of a pair of ETH registers. */
export function readEth16(address: u32): u32 {
  return readEth(address) | (readEth(address + 1) << 8);
}

/** RCR of a MAC or MII register: a dummy byte comes first, and CSn is held longer. */
export function readMac(address: u32): u32 {
  burstEnd();
  spiSelect();
  spiPut(RCR | address);
  spiGet();
  const value = spiGet();
  delayNs(CS_HOLD_MAC_NS);
  spiDeselect();
  return value;
}

/** WCR of an ETH register. */
export function writeEth(address: u32, value: u32): void {
  instruction(WCR | address, value);
}

/** WCR of a pair of ETH registers, low byte first as ERXRDPT demands (DS39662E 6.1). */
export function writeEth16(address: u32, value: u32): void {
  instruction(WCR | address, value & 0xff);
  instruction(WCR | (address + 1), value >> 8);
}

/** WCR of a MAC or MII register. */
export function writeMac(address: u32, value: u32): void {
  burstEnd();
  spiSelect();
  spiPut(WCR | address);
  spiPut(value);
  delayNs(CS_HOLD_MAC_NS);
  spiDeselect();
}

/** Writes a MAC register of the current bank until it reads back right. */
export function writeVerified(address: u32, value: u32): bool {
  for (let i: u32 = 0; i < WRITES_MAX; i++) {
    writeMac(address, value);
    if (readMac(address) == value) return true;
  }
  return false;
}

/** BFS: sets bits of an ETH register. */
export function setBits(address: u32, mask: u32): void {
  instruction(BFS | address, mask);
}

/** BFC: clears bits of an ETH register. */
export function clearBits(address: u32, mask: u32): void {
  instruction(BFC | address, mask);
}

/** BFC on a register that holds the INT pin low; the pin can be believed afterwards. */
export function clearFlags(address: u32, mask: u32): void {
  instruction(BFC | address, mask);
  delayNs(INT_SETTLE_NS);
}

/** ECON2.PKTDEC: one packet less in EPKTCNT; the INT pin can be believed afterwards. */
export function packetDone(): void {
  instruction(BFS | ECON2, ECON2_PKTDEC);
  delayNs(INT_SETTLE_NS);
}

/** Selects a bank of control registers, with as few instructions as that takes. */
export function selectBank(wanted: u32): void {
  const drop = bank & ~wanted;
  const add = wanted & ~bank;
  if (drop != 0) clearBits(ECON1, drop);
  if (add != 0) setBits(ECON1, add);
  bank = wanted;
}

/** EPKTCNT: packets in the receive buffer. PKTIF would be shorter to read but is not reliable (erratum 6). */
export function packetCount(): u32 {
  selectBank(1);
  const count = readEth(EPKTCNT);
  selectBank(0);
  return count;
}

/** SRC: system reset. Everything behind it must wait (erratum 2: 1 ms). */
export function systemReset(): void {
  burstEnd();
  spiSelect();
  spiPut(SRC);
  spiDeselect();
  bank = 0;
}

/** Forgets what the driver believes of CSn and bank, before a reset. */
export function spiForget(): void {
  burst = Burst.NONE;
  spiDeselect();
  bank = 0;
}
