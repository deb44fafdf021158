/**
 * Frame device over an ENC28J60. What a stack sees is in this file, in `receive.ts` and in `transmit.ts`; the contract
 * (streams instead of frame buffers) is the same for all drivers.
 *
 * Recovery goes up a ladder, each rung counted: the receive logic is reset when a header makes no sense, the transmit
 * logic when a frame fails or is never reported, and the whole chip is started again when that does not help or when it
 * has lost its configuration.
 */
import { log1 } from "board";
import { NicCounter } from "../nic-counters";
import { count, nicCounter } from "../counters";
import { interruptMissed, interruptPending, interruptPolled } from "./interrupt";
import { linkScanRead } from "./phy";
import { TX_BYTES_MAX } from "./layout";
import {
  receiveFree,
  receiveStrikes,
  receiveStrikesClear,
  receiveTight,
  receivedBytes,
} from "./receive";
import {
  ECON1,
  ECON1_BSEL,
  ECON1_RXEN,
  ECON1_RXRST,
  ECON1_TXRST,
  EIE,
  EIR,
  EIR_RXERIF,
  ESTAT,
  ESTAT_BUFER,
  PHSTAT2H_DPXSTAT,
  PHSTAT2H_LSTAT,
} from "./registers";
import { EIE_IN_USE, chipStart, chipVersion, configurationHolds } from "./setup";
import { clearBits, packetCount, readEth } from "./spi";
import {
  TX_WATCH_MS,
  transmitSending,
  transmitService,
  transmitStrikes,
  transmitStrikesClear,
  transmitWatch,
} from "./transmit";
import { txReady as slotReady, txBegin as slotBegin } from "./transmit";
import { rxBegin as frameBegin } from "./receive";

export { nicCounter };
export { RX_BYTES } from "./layout";
export { rxRead, rxSkip, rxEnd, rxPutBack } from "./receive";
export { txWrite, txEnd, txCancel } from "./transmit";

/** Bits of `nicLink`. */
const LINK_UP: u32 = 1;
const LINK_FULL_DUPLEX: u32 = 4;

/** How often the chip is looked at without cause; more often while there is no link. */
const HEALTH_MS: u32 = 250;
const HEALTH_NO_LINK_MS: u32 = 50;
/** Every so many looks, 4 s at the most, all registers that were written are compared: a power of two. */
const AUDIT_LOOKS: u32 = 16;
/** How long a chip that cannot be started is left alone. */
const RESTART_MS: u32 = 1000;
/** Resets of one half of the chip, without success in between, after which the whole chip is started again. */
const STRIKES_MAX: u32 = 3;

const MAC: usize = memory.data(8, 4);

let working: bool = false;
let link: u32 = 0;
/** The next look at the chip is due; `dueNow` stands for a time that is not known yet. */
let dueMs: u32 = 0;
let dueNow: bool = true;
let looks: u32 = 0;

/**
 * Resets and configures the chip.
 * @param mac address of the six bytes of the station's MAC address
 * @returns 0, -ENODEV (no ENC28J60 answers), -ETIMEDOUT (its MII does not)
 */
export function nicInit(mac: usize): i32 {
  memory.copy(MAC, mac, 6);
  return start();
}

function start(): i32 {
  const result = chipStart(MAC);
  working = result == 0;
  setLink(0);
  dueNow = true;
  receiveStrikesClear();
  transmitStrikesClear();
  return result;
}

/** Third rung of recovery. */
function restart(nowMs: u32): void {
  count(NicCounter.REINITS);
  const worked = working;
  const result = start();
  // A chip that stays away is told of once, and again when it is back.
  if (worked || result == 0) log1("warn: ENC28J60 started again: %d", result);
  if (result == 0) return;
  dueNow = false;
  dueMs = nowMs + RESTART_MS;
}

function setLink(now: u32): void {
  if (now == link) return;
  link = now;
  count(NicCounter.LINK_CHANGES);
}

/** Each turn of the main loop: completion of sends, memory back to the chip, supervision. */
export function nicPoll(nowMs: u32): void {
  if (working) {
    if (transmitSending() && interruptPending()) transmitService();
    transmitWatch(nowMs);
    receiveFree();
    if (receiveStrikes() >= STRIKES_MAX || transmitStrikes() >= STRIKES_MAX) restart(nowMs);
  }
  if (!dueNow && <i32>(nowMs - dueMs) < 0) return;
  dueNow = false;
  dueMs = nowMs + HEALTH_MS;
  if (!working || !healthy()) {
    restart(nowMs);
    return;
  }
  lookAtLink();
  // Once a bit read wrong on the bus is no upset yet.
  looks++;
  if (looks % AUDIT_LOOKS == 0 && !configurationHolds(MAC) && !configurationHolds(MAC)) {
    restart(nowMs);
    return;
  }
  if (link == 0) dueMs = nowMs + HEALTH_NO_LINK_MS;
}

/** The configuration is still there; overflows are counted and the INT pin is checked on the way. */
function healthy(): bool {
  const econ1 = readEth(ECON1);
  if ((econ1 & (ECON1_RXEN | ECON1_RXRST | ECON1_TXRST | ECON1_BSEL)) != ECON1_RXEN) return false;
  if (readEth(EIE) != EIE_IN_USE) return false;
  if ((readEth(EIR) & EIR_RXERIF) != 0) {
    // Nothing is to be repaired: the chip goes on as soon as there is room.
    count(NicCounter.RX_OVERFLOW);
    clearBits(EIR, EIR_RXERIF);
    clearBits(ESTAT, ESTAT_BUFER);
  }
  if (!interruptPolled() && !interruptPending() && packetCount() != 0 && !interruptPending()) {
    interruptMissed();
  }
  return true;
}

function lookAtLink(): void {
  const status = linkScanRead();
  const duplex = (status & PHSTAT2H_DPXSTAT) != 0 ? LINK_FULL_DUPLEX : 0;
  setLink((status & PHSTAT2H_LSTAT) != 0 ? LINK_UP | duplex : 0);
}

/** Bit 0: link up; bit 2: full duplex. As of the last look. */
export function nicLink(): u32 {
  return link;
}

/** EREVID. */
export function nicVersion(): u32 {
  return chipVersion();
}

/** Milliseconds until `nicPoll` wants to run again even if INT stays high. */
export function nicDeadline(nowMs: u32): u32 {
  if (dueNow) return 0;
  if (working && interruptPolled()) return 1;
  const left = dueMs - nowMs;
  const wait: u32 = <i32>left < 0 ? 0 : left;
  return working && transmitSending() && wait > TX_WATCH_MS ? TX_WATCH_MS : wait;
}

/** How often the chip has told that received frames found no room; seen by the check each 250 ms. */
export function rxOverflows(): u32 {
  return nicCounter(NicCounter.RX_OVERFLOW);
}

/** Opens the oldest received frame: its length without FCS, 0 if there is none. */
export function rxBegin(): u32 {
  return working ? frameBegin() : 0;
}

/** A frame of 1514 bytes could be begun now. */
export function txReady(): bool {
  return working && slotReady(TX_BYTES_MAX);
}

/**
 * An answer to the open frame, or to the one that was put back, could be begun now: no longer than that, or no longer than an error. Also true
 * when it must not wait for room, which would cost those behind it: the memory for received frames is nearly full.
 */
export function txAnswers(): bool {
  return working && (slotReady(receivedBytes()) || receiveTight());
}

/** Opens a frame of exactly `bytes` bytes, 14 to 1514 without FCS; false if there is no room now. */
export function txBegin(bytes: u32): bool {
  return working && slotBegin(bytes);
}
