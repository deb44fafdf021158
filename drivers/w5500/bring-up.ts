/** Reset and configuration (datasheet 5.5.1 for the reset times, 4 for the registers). Every wait is bounded. */
import { chipReset, delayUs } from "board";
import { OPTIONS } from "options";
import { receiveReset } from "./receive";
import { Recovery } from "./recovery";
import {
  COMMON_READ,
  COMMON_WRITE,
  IMR,
  INTLEVEL,
  MR,
  MR_PB,
  MR_RST,
  PHYCFGR,
  PHYCFGR_OPMD,
  PHYCFGR_RST,
  S0_READ,
  S0_WRITE,
  SHAR,
  SIMR,
  SOCKET_STEP,
  SOCK_CLOSED,
  SOCK_MACRAW,
  Sn_CR,
  Sn_CR_CLOSE,
  Sn_CR_OPEN,
  Sn_IMR,
  Sn_IR,
  Sn_IR_RECV,
  Sn_IR_SENDOK,
  Sn_MR,
  Sn_MR_MACRAW_FILTERED,
  Sn_MR_MMB,
  Sn_RXBUF_SIZE,
  Sn_SR,
  VERSION,
  VERSIONR,
} from "./registers";
import { closeStream, read16, read8, write16, write8, writeBytes } from "./spi";
import { transmitReset } from "./transmit";

/** RSTn low at least 500 us, PLL locked 1 ms after it is high. */
const RESET_LOW_US: u32 = 600;
const PLL_LOCK_US: u32 = 1100;
const SOFT_RESET_POLLS: u32 = 50;
const COMMAND_POLLS: u32 = 50;
const POLL_US: u32 = 100;

/** Frames to groups are for multicast DNS, and for sockets that have joined one; elsewhere they would only fill bus and memory. */
const GROUPS: bool = OPTIONS.MDNS != 0 || OPTIONS.MULTICAST_GROUPS != 0;
const MODE: u32 = GROUPS ? Sn_MR_MACRAW_FILTERED : Sn_MR_MACRAW_FILTERED | Sn_MR_MMB;

/** MAC address, then four zeros: SHAR and SIPR, which lie one behind the other. */
const IDENTITY_BYTES: u32 = 10;
const IDENTITY: usize = memory.data(IDENTITY_BYTES, 4);

/** Keeps the MAC address for this and every later set-up. */
export function setMac(mac: usize): void {
  memory.copy(IDENTITY, mac, 6);
}

/** Resets by pin. */
export function hardReset(): void {
  closeStream();
  chipReset(true);
  delayUs(RESET_LOW_US);
  chipReset(false);
  delayUs(PLL_LOCK_US);
}

/** Waits up to `ms` for the version number, which some chips show late. */
export function waitForVersion(ms: u32): bool {
  for (let i: u32 = 0; i < ms; i++) {
    if (read8(VERSIONR, COMMON_READ) == VERSION) return true;
    delayUs(1000);
  }
  return read8(VERSIONR, COMMON_READ) == VERSION;
}

/** Resets by register: everything is back at its default, the PHY keeps its link. */
export function softReset(): bool {
  write8(MR, COMMON_WRITE, MR_RST);
  for (let i: u32 = 0; i < SOFT_RESET_POLLS; i++) {
    if ((read8(MR, COMMON_READ) & MR_RST) == 0) return true;
    delayUs(POLL_US);
  }
  return false;
}

/** Gives a command to socket 0 and waits until it is taken and the socket is in the state wanted. */
function command(code: u32, state: u32): bool {
  write8(Sn_CR, S0_WRITE, code);
  for (let i: u32 = 0; i < COMMAND_POLLS; i++) {
    if (read8(Sn_CR, S0_READ) == 0 && read8(Sn_SR, S0_READ) == state) return true;
    delayUs(POLL_US);
  }
  return false;
}

/** Opens socket 0 in MACRAW mode: all pointers 0, nothing received, nothing to send. */
function openSocket(): bool {
  write8(Sn_MR, S0_WRITE, MODE);
  write8(Sn_IMR, S0_WRITE, Sn_IR_RECV);
  receiveReset();
  transmitReset();
  return command(Sn_CR_OPEN, SOCK_MACRAW);
}

/** Closes socket 0 and opens it again; its flags are cleared between. */
export function reopenSocket(): bool {
  if (!command(Sn_CR_CLOSE, SOCK_CLOSED)) return false;
  write8(Sn_IR, S0_WRITE, 0x1f);
  return openSocket();
}

function identityHolds(): bool {
  for (let i: u32 = 0; i < IDENTITY_BYTES; i += 2) {
    const wanted = ((<u32>load<u8>(IDENTITY + i)) << 8) | (<u32>load<u8>(IDENTITY + i + 1));
    if (read16(SHAR + i, COMMON_READ) != wanted) return false;
  }
  return true;
}

/**
 * What it takes to mend the chip's configuration: all that is written and never changes, and what is needed as the reset left it.
 * One upset bit of it can make the chip deaf for ever without any other sign. About 100 bytes on the bus.
 */
export function configurationUpset(): Recovery {
  // PHYCFGR: not in reset, mode by the pins. Only the chip's reset pin is sure to bring that back.
  const phy = read8(PHYCFGR, COMMON_READ);
  if ((phy & (PHYCFGR_RST | PHYCFGR_OPMD)) != PHYCFGR_RST) return Recovery.RESET;
  const intact =
    read8(MR, COMMON_READ) == MR_PB &&
    identityHolds() &&
    read16(INTLEVEL, COMMON_READ) == 0 &&
    read8(IMR, COMMON_READ) == 0 &&
    read8(SIMR, COMMON_READ) == 1 &&
    read8(Sn_MR, S0_READ) == MODE &&
    (read8(Sn_IMR, S0_READ) & ~Sn_IR_SENDOK) == Sn_IR_RECV;
  if (!intact) return Recovery.REINIT;
  for (let n: u32 = 0; n < 8; n++) {
    const sizes = read16(Sn_RXBUF_SIZE, S0_READ + n * SOCKET_STEP);
    if (sizes != (n == 0 ? 0x1010 : 0)) return Recovery.REINIT;
  }
  return Recovery.NONE;
}

/**
 * Sets the chip up after a reset: no address for the hardware stack and no answers to ping, so that it stays silent next
 * to ours; all memory for socket 0; INTn for received frames.
 */
export function configure(): bool {
  write8(MR, COMMON_WRITE, MR_PB);
  writeBytes(SHAR, COMMON_WRITE, IDENTITY, IDENTITY_BYTES);
  // Sockets 1 to 7 first, so that never more than 16 KB are given away.
  for (let n: u32 = 1; n < 8; n++) write16(Sn_RXBUF_SIZE, S0_WRITE + n * SOCKET_STEP, 0);
  write16(Sn_RXBUF_SIZE, S0_WRITE, 0x1010);
  if (!openSocket()) return false;
  write8(SIMR, COMMON_WRITE, 1);
  return true;
}
