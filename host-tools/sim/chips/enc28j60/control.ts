import type { Bist } from "./bist.js";
import type { Core } from "./core.js";
import type { Dma } from "./dma.js";
import type { FlowControl } from "./flow-control.js";
import type { Mii } from "./mii.js";
import type { Phy } from "./phy.js";
import type { Receiver } from "./receiver.js";
import type { Transmitter } from "./transmitter.js";
import type { Wire } from "./wire.js";
import {
  ECON1,
  ECON2,
  EFLOCON,
  EIR,
  ESTAT,
  MACON3,
  R,
  REGISTERS,
  groupOf,
  isReservedAddress,
} from "./registers.js";

/** The parts that control registers act on. */
export interface Parts {
  phy: Phy;
  mii: Mii;
  wire: Wire;
  receiver: Receiver;
  transmitter: Transmitter;
  dma: Dma;
  bist: Bist;
  flow: FlowControl;
}

const hex = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;

/** Flags of EIR and bits of ESTAT that the host may clear and not set. */
const EIR_CLEARABLE = EIR.DMAIF | EIR.TXIF | EIR.TXERIF | EIR.RXERIF;
const ESTAT_CLEARABLE = ESTAT.BUFER | ESTAT.LATECOL | ESTAT.TXABRT;

/** Registers that must not change while a transmission is requested (DS39662E 7.1, table 7-2). */
const FROZEN_BY_TXRTS = new Set<number>([
  R.ETXSTL, R.ETXSTH, R.ETXNDL, R.ETXNDH, R.MACON1, R.MACON3, R.MACON4,
  R.MABBIPG, R.MAIPGL, R.MAIPGH, R.MACLCON1, R.MACLCON2, R.MAMXFLL, R.MAMXFLH,
]); // prettier-ignore
/** Registers that must not change while the DMA runs. */
const FROZEN_BY_DMA = new Set<number>([
  R.EDMASTL, R.EDMASTH, R.EDMANDL, R.EDMANDH, R.EDMADSTL, R.EDMADSTH,
]); // prettier-ignore
const RECEIVE_BOUNDS = new Set<number>([R.ERXSTL, R.ERXSTH, R.ERXNDL, R.ERXNDH]);

/** Reads and writes of control registers, with everything that follows from them. */
export class Control {
  /** ERXRDPTL as written; it takes effect with ERXRDPTH. */
  private readPointerLow = 0;

  constructor(
    private readonly core: Core,
    private readonly parts: Parts,
  ) {}

  /** After a reset of all registers. */
  reset(): void {
    this.readPointerLow = this.core.registers[R.ERXRDPTL] as number;
  }

  /** Index of a register in the bank that ECON1 selects. */
  index(address: number): number {
    if (address >= 0x1b) return address;
    return ((this.core.registers[R.ECON1] as number) & ECON1.BSEL) * 32 + address;
  }

  /** Notes what is wrong with an access; gives false if there is no such register. */
  private check(index: number, what: string): boolean {
    const { core } = this;
    const place = `bank ${index >> 5} address ${hex(index & 0x1f)}`;
    if (isReservedAddress(index)) {
      core.violation(`${what} of a reserved register (${place})`);
      return false;
    }
    if (!REGISTERS[index]) {
      core.violation(`${what} of an unimplemented register (${place})`);
      return false;
    }
    return true;
  }

  /**
   * MAC and MII registers need the clocks to run (DS39662E 11, 14). After a system reset only the PHY's clock stands
   * still (erratum 2): an access in that time is reported, and works, as hosts in the field prove that do not wait.
   */
  private reachable(index: number, what: string): boolean {
    if (groupOf(index) === "ETH" || this.core.ready) return true;
    const name = REGISTERS[index]?.name ?? "?";
    this.core.violation(
      `${what} of ${name} in power save or before the chip is ready after a reset`,
    );
    return this.core.clockReady;
  }

  /** A MAC or MII access that goes wrong because SCK is slow and asynchronous (erratum 1). */
  private garbles(index: number): boolean {
    if (groupOf(index) === "ETH" || this.core.options.spiHz >= 8_000_000) return false;
    return this.core.strikes(1, "macAccess");
  }

  /** Value of a register as RCR gives it. */
  read(index: number): number {
    if (!this.check(index, "read") || !this.reachable(index, "read")) return 0;
    const value = this.value(index);
    return this.garbles(index) ? value ^ (1 << this.core.random.below(8)) : value;
  }

  private value(index: number): number {
    const { core, parts } = this;
    if (index === R.EIR) {
      const doubtful = core.eir & EIR.PKTIF && core.packetFlagDoubtful;
      const hidden = doubtful && core.strikes(6, "pktif");
      return hidden ? core.eir & ~EIR.PKTIF : core.eir;
    }
    if (index === R.MIRDL || index === R.MIRDH) parts.mii.sample();
    return this.peek(index);
  }

  /** Value of a register, without the effects of reading it. */
  peek(index: number): number {
    const { core, parts } = this;
    switch (index) {
      case R.EIR:
        return core.eir;
      case R.ERDPTL:
        return core.erdpt & 0xff;
      case R.ERDPTH:
        return core.erdpt >> 8;
      case R.EWRPTL:
        return core.ewrpt & 0xff;
      case R.EWRPTH:
        return core.ewrpt >> 8;
      case R.ESTAT:
        return (
          ((core.registers[R.ESTAT] as number) & ESTAT_CLEARABLE) |
          (core.interruptPending ? ESTAT.INT : 0) |
          (parts.receiver.busy ? ESTAT.RXBUSY : 0) |
          (core.clockReady ? ESTAT.CLKRDY : 0)
        );
      case R.MISTAT:
        return parts.mii.status;
      case R.EFLOCON:
        return (
          ((core.registers[R.EFLOCON] as number) & EFLOCON.FCEN) |
          (core.fullDuplex ? EFLOCON.FULDPXS : 0)
        );
      default:
        return core.registers[index] as number;
    }
  }

  /** WCR: the register takes the value. */
  write(index: number, value: number): void {
    if (!this.check(index, "write") || !this.reachable(index, "write")) return;
    const facts = REGISTERS[index]!;
    if (facts.readOnly === 0xff || facts.readOnly === facts.implemented) {
      this.core.violation(`write of ${facts.name}, which is read-only`);
      return;
    }
    if (index === R.ESTAT) {
      this.core.violation("WCR on ESTAT, whose bits are cleared by BFC only");
      return;
    }
    if (this.garbles(index)) return;
    this.store(index, value);
  }

  /** BFS: bits of a register are set. */
  setBits(index: number, mask: number): void {
    if (!this.bitField(index, "BFS")) return;
    if (index === R.ESTAT) return this.core.violation("BFS on ESTAT, whose bits only clear");
    if (index === R.EIR && mask & EIR_CLEARABLE) {
      return this.core.violation("BFS sets interrupt flags, which only the chip does");
    }
    this.store(index, this.peek(index) | mask);
  }

  /** BFC: bits of a register are cleared. */
  clearBits(index: number, mask: number): void {
    if (!this.bitField(index, "BFC")) return;
    const { core } = this;
    if (index === R.EIR) {
      core.flags &= ~(mask & EIR_CLEARABLE);
      core.updateInterrupt();
    } else if (index === R.ESTAT) {
      core.registers[R.ESTAT] = (core.registers[R.ESTAT] as number) & ~(mask & ESTAT_CLEARABLE);
    } else {
      this.store(index, this.peek(index) & ~mask);
    }
  }

  private bitField(index: number, what: string): boolean {
    if (!this.check(index, what) || !this.reachable(index, what)) return false;
    const facts = REGISTERS[index]!;
    if (facts.readOnly === facts.implemented) {
      this.core.violation(`${what} on ${facts.name}, which is read-only`);
      return false;
    }
    if (facts.group === "ETH") return true;
    this.core.violation(`${what} on ${facts.name}: only ETH registers take it`);
    return this.core.options.bitFieldOnMac ?? true;
  }

  private store(index: number, value: number): void {
    const { core } = this;
    const facts = REGISTERS[index]!;
    if (value & facts.reserved) {
      core.violation(`reserved bits ${hex(value & facts.reserved)} of ${facts.name} set`);
    }
    const before = this.peek(index);
    const writable = facts.implemented & ~facts.readOnly & ~facts.reserved;
    value = (before & ~writable) | (value & writable);
    this.checkFrozen(index, before, value);
    core.registers[index] = value;
    this.follow(index, before, value);
  }

  private checkFrozen(index: number, before: number, value: number): void {
    const { core, parts } = this;
    const name = REGISTERS[index]!.name;
    if (before === value && !RECEIVE_BOUNDS.has(index)) return;
    if (FROZEN_BY_TXRTS.has(index) && core.bit(R.ECON1, ECON1.TXRTS)) {
      core.violation(`${name} is changed while TXRTS is set`);
    }
    if (parts.bist.running && (index === R.EBSTSD || (index === R.EBSTCON && value & 1))) {
      core.violation(`${name} is changed while the self-test fills the memory`);
    }
    if (FROZEN_BY_DMA.has(index) && core.bit(R.ECON1, ECON1.DMAST)) {
      core.violation(`${name} is changed while DMAST is set`);
    }
    const receiving = core.bit(R.ECON1, ECON1.RXEN) || parts.receiver.busy;
    if (RECEIVE_BOUNDS.has(index) && receiving) {
      core.violation(`${name} is written while reception is on`);
    }
    if (index === R.MACON3 && (before ^ value) & MACON3.FULDPX && receiving) {
      core.violation("MACON3.FULDPX is changed while reception is on");
    }
  }

  /** What a write sets off. */
  private follow(index: number, before: number, value: number): void {
    const { core, parts } = this;
    switch (index) {
      case R.ERDPTL:
      case R.ERDPTH:
        core.erdpt = replaceByte(core.erdpt, index - R.ERDPTL, value);
        return;
      case R.EWRPTL:
      case R.EWRPTH:
        core.ewrpt = replaceByte(core.ewrpt, index - R.EWRPTL, value);
        return;
      case R.ERXSTL:
      case R.ERXSTH:
      case R.ERXNDL:
      case R.ERXNDH:
        return parts.receiver.boundsWritten();
      case R.ERXRDPTL:
        // Latched: reads go on giving the pointer in force.
        this.readPointerLow = value;
        core.registers[R.ERXRDPTL] = before;
        return;
      case R.ERXRDPTH:
        core.registers[R.ERXRDPTL] = this.readPointerLow;
        if (core.has(14) && (this.readPointerLow & 1) === 0) {
          core.violation(`ERXRDPT is even (${hex(core.pair(R.ERXRDPTL))}): erratum 14`);
        }
        return;
      case R.EIE:
        return core.updateInterrupt();
      case R.EIR:
        core.flags &= value;
        return core.updateInterrupt();
      case R.ECON1:
        return this.followEcon1(before, value);
      case R.ECON2:
        return this.followEcon2(before, value);
      case R.MICMD:
        return parts.mii.command(before, value);
      case R.MIWRH:
        return parts.mii.write();
      case R.EFLOCON:
        return parts.flow.written();
      case R.EBSTCON:
        return parts.bist.written();
      case R.ECOCON:
        if (value > 5) core.violation(`ECOCON ${value}: 6 and 7 are reserved`);
    }
  }

  private followEcon1(before: number, value: number): void {
    const { core, parts } = this;
    const rising = value & ~before;
    const falling = before & ~value;
    if (value & ECON1.RXRST) {
      if (rising & ECON1.RXRST) parts.receiver.cancel();
      value &= ~ECON1.RXEN;
    }
    if (value & ECON1.TXRST) {
      if (rising & ECON1.TXRST) parts.transmitter.hold();
      if (rising & ECON1.TXRTS) core.violation("TXRTS is set while TXRST holds the transmitter");
      value &= ~ECON1.TXRTS;
    }
    core.registers[R.ECON1] = value;
    if (falling & ECON1.TXRST) parts.transmitter.release();
    if (rising & value & ECON1.RXEN) this.checkReceive();
    if (rising & value & ECON1.TXRTS) {
      this.checkTransmit();
      if (!parts.dma.running) parts.transmitter.start();
    } else if (falling & ECON1.TXRTS) {
      parts.transmitter.cancel();
    }
    if (before & value & ECON1.DMAST && (before ^ value) & ECON1.CSUMEN) {
      core.violation("CSUMEN is changed while DMAST is set");
    }
    if (rising & ECON1.DMAST) {
      if (!core.bit(R.ECON1, ECON1.TXRTS)) parts.dma.start();
    } else if (falling & ECON1.DMAST) {
      parts.dma.cancel();
    }
  }

  private checkReceive(): void {
    const { core } = this;
    const start = core.pair(R.ERXSTL);
    const end = core.pair(R.ERXNDL);
    const read = core.pair(R.ERXRDPTL);
    if (!core.ready) core.violation("RXEN is set before the chip is ready after a reset");
    if (core.has(5) && start !== 0) core.violation("ERXST is not 0000: erratum 5");
    if (start & 1) core.violation("ERXST is odd");
    if (end <= start) core.violation("ERXND is not behind ERXST");
    if (read < start || read > end) core.violation("ERXRDPT lies outside ERXST..ERXND");
    if (core.fullDuplex !== this.parts.phy.fullDuplex) {
      core.violation("MACON3.FULDPX differs from PHCON1.PDPXMD");
    }
  }

  private checkTransmit(): void {
    const { core } = this;
    if (!core.ready) core.violation("TXRTS is set before the chip is ready after a reset");
    const start = core.pair(R.ETXSTL);
    const last = core.pair(R.ETXNDL) + 7;
    if (core.pair(R.ETXNDL) <= start) core.violation("ETXND is not behind ETXST");
    if (core.bit(R.MACON3, MACON3.PHDREN)) core.violation("MACON3.PHDREN is not modelled");
    const overlaps = start <= core.pair(R.ERXNDL) && last >= core.pair(R.ERXSTL);
    if (core.bit(R.ECON1, ECON1.RXEN) && (overlaps || last > 0x1fff)) {
      core.violation("frame and status vector reach into the receive buffer");
    }
  }

  private followEcon2(before: number, value: number): void {
    const { core, parts } = this;
    if (value & ECON2.PKTDEC) {
      const count = core.registers[R.EPKTCNT] as number;
      if (count === 0) core.violation("PKTDEC with EPKTCNT 0");
      else core.registers[R.EPKTCNT] = count - 1;
      core.packetFlagDoubtful = count > 1;
      core.registers[R.ECON2] = value & ~ECON2.PKTDEC;
      core.updateInterrupt();
    }
    if (~before & value & ECON2.PWRSV) {
      if (core.bit(R.ECON1, ECON1.RXEN) || parts.receiver.busy) {
        core.violation("power save while reception is on");
      }
      if (core.bit(R.ECON1, ECON1.TXRTS)) core.violation("power save while TXRTS is set");
      core.stopOscillator();
      parts.receiver.cancel();
      parts.phy.clockChanged();
    } else if (before & ~value & ECON2.PWRSV) {
      core.startOscillator();
      parts.phy.clockChanged();
    }
  }
}

/** A 13-bit pointer with its low (0) or high (1) byte replaced. */
function replaceByte(pointer: number, which: number, value: number): number {
  return which === 0 ? (pointer & 0x1f00) | value : (pointer & 0x00ff) | ((value & 0x1f) << 8);
}
