/** What is known of the link and of the chip's life; refreshed by `nicPoll`. */
import { NicCounter } from "../nic-counters";
import { count } from "../counters";
import {
  COMMON_READ,
  PHYCFGR,
  PHYCFGR_DPX,
  PHYCFGR_LNK,
  PHYCFGR_SPD,
  S0_READ,
  SOCK_MACRAW,
  Sn_SR,
  VERSION,
  VERSIONR,
} from "./registers";
import { read8 } from "./spi";

const UP: u32 = 1;
const MBITS_100: u32 = 2;
const FULL_DUPLEX: u32 = 4;

let state: u32 = 0;

/** Bits: 1 up, 2 100 Mbit/s, 4 full duplex. */
export function nicLink(): u32 {
  return state;
}

export function linkIsUp(): bool {
  return (state & UP) != 0;
}

export function linkMbits100(): bool {
  return (state & MBITS_100) != 0;
}

/** True on a link where a frame may have to wait for others. */
export function linkIsHalfDuplex(): bool {
  return (state & (UP | FULL_DUPLEX)) == UP;
}

function setState(value: u32): void {
  if (((value ^ state) & UP) != 0) count(NicCounter.LINK_CHANGES);
  state = value;
}

/** Reads PHYCFGR: speed and duplex mean something only with a link (datasheet 4.1). */
export function linkRefresh(): void {
  const phy = read8(PHYCFGR, COMMON_READ);
  if ((phy & PHYCFGR_LNK) == 0) return setState(0);
  const speed = (phy & PHYCFGR_SPD) != 0 ? MBITS_100 : 0;
  setState(UP | speed | ((phy & PHYCFGR_DPX) != 0 ? FULL_DUPLEX : 0));
}

/** The chip is gone, and the link with it. */
export function linkLost(): void {
  setState(0);
}

/** True if the chip answers with its version and its socket is open; one garbled read does not count. */
export function chipIsWell(): bool {
  for (let i = 0; i < 3; i++) {
    if (read8(VERSIONR, COMMON_READ) == VERSION && read8(Sn_SR, S0_READ) == SOCK_MACRAW)
      return true;
  }
  return false;
}
