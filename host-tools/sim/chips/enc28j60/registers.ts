/**
 * Control registers of the ENC28J60 as the data sheet has them (DS39662E tables 3-1 and 3-2): where each lies, to which
 * group it belongs, what it holds after reset and which of its bits exist.
 *
 * A register is named by one number, its index: bank << 5 | address. The registers that all banks share (EIE, EIR, ESTAT,
 * ECON2, ECON1 at 0x1B to 0x1F) have the index of bank 0.
 */

/** ETH registers answer at once and take BFS and BFC; MAC and MII registers send a dummy byte first and take neither. */
export type Group = "ETH" | "MAC" | "MII";

export interface RegisterFacts {
  name: string;
  group: Group;
  /** Value after power-on and system reset. */
  reset: number;
  /** Bits that exist; the others read 0. */
  implemented: number;
  /** Existing bits that the host cannot change. */
  readOnly: number;
  /** Bits marked "reserved": the host keeps their reset value. */
  reserved: number;
}

/** Index of each register. */
export const R = {
  ERDPTL: 0x00,
  ERDPTH: 0x01,
  EWRPTL: 0x02,
  EWRPTH: 0x03,
  ETXSTL: 0x04,
  ETXSTH: 0x05,
  ETXNDL: 0x06,
  ETXNDH: 0x07,
  ERXSTL: 0x08,
  ERXSTH: 0x09,
  ERXNDL: 0x0a,
  ERXNDH: 0x0b,
  ERXRDPTL: 0x0c,
  ERXRDPTH: 0x0d,
  ERXWRPTL: 0x0e,
  ERXWRPTH: 0x0f,
  EDMASTL: 0x10,
  EDMASTH: 0x11,
  EDMANDL: 0x12,
  EDMANDH: 0x13,
  EDMADSTL: 0x14,
  EDMADSTH: 0x15,
  EDMACSL: 0x16,
  EDMACSH: 0x17,
  EIE: 0x1b,
  EIR: 0x1c,
  ESTAT: 0x1d,
  ECON2: 0x1e,
  ECON1: 0x1f,
  EHT0: 0x20,
  EPMM0: 0x28,
  EPMCSL: 0x30,
  EPMCSH: 0x31,
  EPMOL: 0x34,
  EPMOH: 0x35,
  ERXFCON: 0x38,
  EPKTCNT: 0x39,
  MACON1: 0x40,
  MACON3: 0x42,
  MACON4: 0x43,
  MABBIPG: 0x44,
  MAIPGL: 0x46,
  MAIPGH: 0x47,
  MACLCON1: 0x48,
  MACLCON2: 0x49,
  MAMXFLL: 0x4a,
  MAMXFLH: 0x4b,
  MICMD: 0x52,
  MIREGADR: 0x54,
  MIWRL: 0x56,
  MIWRH: 0x57,
  MIRDL: 0x58,
  MIRDH: 0x59,
  MAADR5: 0x60,
  MAADR6: 0x61,
  MAADR3: 0x62,
  MAADR4: 0x63,
  MAADR1: 0x64,
  MAADR2: 0x65,
  EBSTSD: 0x66,
  EBSTCON: 0x67,
  EBSTCSL: 0x68,
  EBSTCSH: 0x69,
  MISTAT: 0x6a,
  EREVID: 0x72,
  ECOCON: 0x75,
  EFLOCON: 0x77,
  EPAUSL: 0x78,
  EPAUSH: 0x79,
} as const;

export const EIE = { INTIE: 0x80 } as const;
export const EIR = {
  PKTIF: 0x40,
  DMAIF: 0x20,
  LINKIF: 0x10,
  TXIF: 0x08,
  TXERIF: 0x02,
  RXERIF: 0x01,
} as const;
export const ESTAT = {
  INT: 0x80,
  BUFER: 0x40,
  LATECOL: 0x10,
  RXBUSY: 0x04,
  TXABRT: 0x02,
  CLKRDY: 0x01,
} as const;
export const ECON2 = { AUTOINC: 0x80, PKTDEC: 0x40, PWRSV: 0x20, VRPS: 0x08 } as const;
export const ECON1 = {
  TXRST: 0x80,
  RXRST: 0x40,
  DMAST: 0x20,
  CSUMEN: 0x10,
  TXRTS: 0x08,
  RXEN: 0x04,
  BSEL: 0x03,
} as const;
export const ERXFCON = {
  UCEN: 0x80,
  ANDOR: 0x40,
  CRCEN: 0x20,
  PMEN: 0x10,
  MPEN: 0x08,
  HTEN: 0x04,
  MCEN: 0x02,
  BCEN: 0x01,
} as const;
export const MACON1 = { TXPAUS: 0x08, RXPAUS: 0x04, PASSALL: 0x02, MARXEN: 0x01 } as const;
export const MACON3 = {
  PADCFG: 0xe0,
  TXCRCEN: 0x10,
  PHDREN: 0x08,
  HFRMEN: 0x04,
  FRMLNEN: 0x02,
  FULDPX: 0x01,
} as const;
export const MACON4 = { DEFER: 0x40, BPEN: 0x20, NOBKOFF: 0x10 } as const;
export const MICMD = { MIISCAN: 0x02, MIIRD: 0x01 } as const;
export const MISTAT = { NVALID: 0x04, SCAN: 0x02, BUSY: 0x01 } as const;
export const EBSTCON = { TMSEL: 0x0c, TME: 0x02, BISTST: 0x01 } as const;
export const EFLOCON = { FULDPXS: 0x04, FCEN: 0x03 } as const;

/** What differs from "ETH, reset 0, eight bits that the host may write": [reset, implemented, read-only, reserved]. */
const SPECIAL: Partial<Record<keyof typeof R, [number, number, number?, number?]>> = {
  ERDPTL: [0xfa, 0xff],
  ERDPTH: [0x05, 0x1f],
  EWRPTH: [0, 0x1f],
  ETXSTH: [0, 0x1f],
  ETXNDH: [0, 0x1f],
  ERXSTL: [0xfa, 0xff],
  ERXSTH: [0x05, 0x1f],
  ERXNDL: [0xff, 0xff],
  ERXNDH: [0x1f, 0x1f],
  ERXRDPTL: [0xfa, 0xff],
  ERXRDPTH: [0x05, 0x1f],
  ERXWRPTL: [0, 0xff, 0xff],
  ERXWRPTH: [0, 0x1f, 0x1f],
  EDMASTH: [0, 0x1f],
  EDMANDH: [0, 0x1f],
  EDMADSTH: [0, 0x1f],
  EDMACSL: [0, 0xff, 0xff],
  EDMACSH: [0, 0xff, 0xff],
  EIE: [0, 0xff, 0, 0x04],
  EIR: [0, 0x7f, 0x50, 0x04],
  ESTAT: [0, 0xf7, 0x85, 0x20],
  ECON2: [0x80, 0xf8, 0, 0x10],
  EPMOH: [0, 0x1f],
  ERXFCON: [0xa1, 0xff],
  EPKTCNT: [0, 0xff, 0xff],
  MACON1: [0, 0x1f, 0, 0x10],
  MACON4: [0, 0x73, 0x03, 0x03],
  MABBIPG: [0, 0x7f],
  MAIPGL: [0, 0x7f],
  MAIPGH: [0, 0x7f],
  MACLCON1: [0x0f, 0x0f],
  MACLCON2: [0x37, 0x3f],
  MAMXFLH: [0x06, 0xff],
  MICMD: [0, 0x03],
  MIREGADR: [0, 0x1f],
  MIRDL: [0, 0xff, 0xff],
  MIRDH: [0, 0xff, 0xff],
  EBSTCSL: [0, 0xff, 0xff],
  EBSTCSH: [0, 0xff, 0xff],
  MISTAT: [0, 0x0f, 0x0f, 0x08],
  EREVID: [0, 0x1f, 0x1f],
  ECOCON: [0x04, 0x07],
  EFLOCON: [0, 0x07, 0x04],
  EPAUSH: [0x10, 0xff],
};

/** Group by place: bank 2 belongs to the MAC and, from 0x10 on, to the MII; so do the addresses and MISTAT in bank 3. */
export function groupOf(index: number): Group {
  const bank = index >> 5;
  const address = index & 0x1f;
  if (address >= 0x1b || bank < 2) return "ETH";
  if (bank === 2) return address < 0x10 ? "MAC" : "MII";
  if (address <= 0x05) return "MAC";
  return address === 0x0a ? "MII" : "ETH";
}

function describe(name: keyof typeof R, index: number): RegisterFacts {
  const [reset, implemented, readOnly, reserved] = SPECIAL[name] ?? [0, 0xff];
  return {
    name,
    group: groupOf(index),
    reset,
    implemented,
    readOnly: readOnly ?? 0,
    reserved: reserved ?? 0,
  };
}

function table(): (RegisterFacts | undefined)[] {
  const facts = new Array<RegisterFacts | undefined>(128).fill(undefined);
  for (const [name, index] of Object.entries(R)) {
    facts[index] = describe(name as keyof typeof R, index);
  }
  for (let k = 1; k < 8; k++) {
    facts[R.EHT0 + k] = { ...describe("EHT0", R.EHT0), name: `EHT${k}` };
    facts[R.EPMM0 + k] = { ...describe("EPMM0", R.EPMM0), name: `EPMM${k}` };
  }
  return facts;
}

/** Facts by index; undefined where there is no register (unimplemented, reads 0) or a reserved one. */
export const REGISTERS: readonly (RegisterFacts | undefined)[] = table();

/** Addresses that hold something which the data sheet calls reserved: not to be touched. */
export function isReservedAddress(index: number): boolean {
  const bank = index >> 5;
  const address = index & 0x1f;
  if (address === 0x1a) return true;
  if (bank === 1) return address === 0x16 || address === 0x17;
  if (bank === 2) return [0x01, 0x0c, 0x0d, 0x0e, 0x10, 0x11, 0x15].includes(address);
  return bank === 3 && address === 0x16;
}
