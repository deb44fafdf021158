/** Register map of the W5500 (datasheet 4.1 common registers, 4.2 socket registers): addresses, bits, reset values. */

/** Common registers, block 0. */
export const Common = {
  MR: 0x00,
  GAR: 0x01,
  SUBR: 0x05,
  SHAR: 0x09,
  SIPR: 0x0f,
  INTLEVEL: 0x13,
  IR: 0x15,
  IMR: 0x16,
  SIR: 0x17,
  SIMR: 0x18,
  RTR: 0x19,
  RCR: 0x1b,
  PTIMER: 0x1c,
  PMAGIC: 0x1d,
  PHAR: 0x1e,
  PSID: 0x24,
  PMRU: 0x26,
  UIPR: 0x28,
  UPORTR: 0x2c,
  PHYCFGR: 0x2e,
  VERSIONR: 0x39,
} as const;

/** Socket registers, block 4n+1. */
export const Sn = {
  MR: 0x00,
  CR: 0x01,
  IR: 0x02,
  SR: 0x03,
  PORT: 0x04,
  DHAR: 0x06,
  DIPR: 0x0c,
  DPORT: 0x10,
  MSSR: 0x12,
  PROTO: 0x14,
  TOS: 0x15,
  TTL: 0x16,
  RXBUF_SIZE: 0x1e,
  TXBUF_SIZE: 0x1f,
  TX_FSR: 0x20,
  TX_RD: 0x22,
  TX_WR: 0x24,
  RX_RSR: 0x26,
  RX_RD: 0x28,
  RX_WR: 0x2a,
  IMR: 0x2c,
  FRAG: 0x2d,
  KPALVTR: 0x2f,
} as const;

export const MR_RST = 0x80;
export const MR_WOL = 0x20;
export const MR_PB = 0x10;
export const MR_PPPOE = 0x08;
export const MR_FARP = 0x02;
export const IR_CONFLICT = 0x80;
export const IR_UNREACH = 0x40;
/** Bits that IR and IMR have. */
export const IR_BITS = 0xf0;

export const PHYCFGR_RST = 0x80;
export const PHYCFGR_OPMD = 0x40;
export const PHYCFGR_DPX = 0x04;
export const PHYCFGR_SPD = 0x02;
export const PHYCFGR_LNK = 0x01;

export const SN_MR_PROTOCOL = 0x0f;
export const SN_MR_MACRAW = 0x04;
export const SN_MR_MFEN = 0x80;
export const SN_MR_BCASTB = 0x40;
/** In TCP mode: acknowledge at once; in UDP mode with MULTI: IGMP version 1. */
export const SN_MR_ND = 0x20;
export const SN_MR_MC = 0x20;
export const SN_MR_MULTI = 0x80;
export const SN_MR_UCASTB = 0x10;
export const SN_MR_MMB = 0x20;
export const SN_MR_MIP6B = 0x10;

export const SN_CR = {
  OPEN: 0x01,
  LISTEN: 0x02,
  CONNECT: 0x04,
  DISCON: 0x08,
  CLOSE: 0x10,
  SEND: 0x20,
  SEND_MAC: 0x21,
  SEND_KEEP: 0x22,
  RECV: 0x40,
} as const;
export const SN_IR_SENDOK = 0x10;
export const SN_IR_TIMEOUT = 0x08;
export const SN_IR_RECV = 0x04;
export const SN_IR_DISCON = 0x02;
export const SN_IR_CON = 0x01;
/** Bits that Sn_IR has. */
export const SN_IR_BITS = 0x1f;
export const SOCK_CLOSED = 0x00;
export const SOCK_INIT = 0x13;
export const SOCK_LISTEN = 0x14;
export const SOCK_SYNSENT = 0x15;
export const SOCK_SYNRECV = 0x16;
export const SOCK_ESTABLISHED = 0x17;
export const SOCK_FIN_WAIT = 0x18;
export const SOCK_CLOSING = 0x1a;
export const SOCK_TIME_WAIT = 0x1b;
export const SOCK_CLOSE_WAIT = 0x1c;
export const SOCK_LAST_ACK = 0x1d;
export const SOCK_UDP = 0x22;
export const SOCK_MACRAW = 0x42;
/** Sn_SR after OPEN, by the protocol in Sn_MR: TCP, UDP, IPRAW, MACRAW. */
export const OPENED = [SOCK_CLOSED, SOCK_INIT, SOCK_UDP, 0x32, SOCK_MACRAW] as const;

/** Value of VERSIONR. */
export const VERSION = 0x04;

/** One register as the datasheet lists it. */
interface Register {
  name: string;
  address: number;
  bytes: number;
  readOnly: boolean;
  /** Reset value, most significant byte first. */
  reset: number[];
}

const rw = (name: string, address: number, ...reset: number[]): Register => ({
  name,
  address,
  bytes: reset.length,
  readOnly: false,
  reset,
});
const ro = (name: string, address: number, ...reset: number[]): Register => ({
  ...rw(name, address, ...reset),
  readOnly: true,
});

const COMMON_REGISTERS: Register[] = [
  rw("MR", Common.MR, 0),
  rw("GAR", Common.GAR, 0, 0, 0, 0),
  rw("SUBR", Common.SUBR, 0, 0, 0, 0),
  rw("SHAR", Common.SHAR, 0, 0, 0, 0, 0, 0),
  rw("SIPR", Common.SIPR, 0, 0, 0, 0),
  rw("INTLEVEL", Common.INTLEVEL, 0, 0),
  rw("IR", Common.IR, 0),
  rw("IMR", Common.IMR, 0),
  ro("SIR", Common.SIR, 0),
  rw("SIMR", Common.SIMR, 0),
  rw("RTR", Common.RTR, 0x07, 0xd0),
  rw("RCR", Common.RCR, 0x08),
  rw("PTIMER", Common.PTIMER, 0x28),
  rw("PMAGIC", Common.PMAGIC, 0),
  rw("PHAR", Common.PHAR, 0, 0, 0, 0, 0, 0),
  rw("PSID", Common.PSID, 0, 0),
  rw("PMRU", Common.PMRU, 0xff, 0xff),
  ro("UIPR", Common.UIPR, 0, 0, 0, 0),
  ro("UPORTR", Common.UPORTR, 0, 0),
  rw("PHYCFGR", Common.PHYCFGR, 0xb8),
  ro("VERSIONR", Common.VERSIONR, VERSION),
];

const SOCKET_REGISTERS: Register[] = [
  rw("Sn_MR", Sn.MR, 0),
  rw("Sn_CR", Sn.CR, 0),
  rw("Sn_IR", Sn.IR, 0),
  ro("Sn_SR", Sn.SR, 0),
  rw("Sn_PORT", Sn.PORT, 0, 0),
  rw("Sn_DHAR", Sn.DHAR, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
  rw("Sn_DIPR", Sn.DIPR, 0, 0, 0, 0),
  rw("Sn_DPORT", Sn.DPORT, 0, 0),
  rw("Sn_MSSR", Sn.MSSR, 0, 0),
  rw("Sn_PROTO", Sn.PROTO, 0),
  rw("Sn_TOS", Sn.TOS, 0),
  rw("Sn_TTL", Sn.TTL, 0x80),
  rw("Sn_RXBUF_SIZE", Sn.RXBUF_SIZE, 0x02),
  rw("Sn_TXBUF_SIZE", Sn.TXBUF_SIZE, 0x02),
  ro("Sn_TX_FSR", Sn.TX_FSR, 0x08, 0x00),
  ro("Sn_TX_RD", Sn.TX_RD, 0, 0),
  rw("Sn_TX_WR", Sn.TX_WR, 0, 0),
  ro("Sn_RX_RSR", Sn.RX_RSR, 0, 0),
  rw("Sn_RX_RD", Sn.RX_RD, 0, 0),
  ro("Sn_RX_WR", Sn.RX_WR, 0, 0),
  rw("Sn_IMR", Sn.IMR, 0xff),
  rw("Sn_FRAG", Sn.FRAG, 0x40, 0x00),
  rw("Sn_KPALVTR", Sn.KPALVTR, 0),
];

/** A block of registers, byte by byte. */
export class RegisterMap {
  /** Bytes after reset. */
  readonly reset: Uint8Array;
  private readonly byAddress: (Register | undefined)[] = [];

  constructor(registers: Register[]) {
    for (const register of registers) {
      for (let i = 0; i < register.bytes; i++) this.byAddress[register.address + i] = register;
    }
    this.reset = new Uint8Array(this.byAddress.length);
    for (const register of registers) this.reset.set(register.reset, register.address);
  }

  /** Name of the register that a byte belongs to; undefined where the datasheet has none (reserved addresses too). */
  name(address: number): string | undefined {
    return this.byAddress[address]?.name;
  }

  readOnly(address: number): boolean {
    return this.byAddress[address]?.readOnly ?? true;
  }
}

export const COMMON_MAP = new RegisterMap(COMMON_REGISTERS);
export const SOCKET_MAP = new RegisterMap(SOCKET_REGISTERS);

/** RTR, in steps of 100 us (datasheet 4.1). */
export function retryNs(common: Uint8Array): number {
  const steps = ((common[Common.RTR] as number) << 8) | (common[Common.RTR + 1] as number);
  return steps * 100_000;
}
