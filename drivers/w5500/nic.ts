/**
 * Frame device over the W5500: socket 0 in MACRAW mode, the chip's own TCP/IP stack asleep. Frames stay in the chip's
 * memory and are read and written in place; there is no frame buffer in the MCU.
 */
import { NicCounter } from "../nic-counters";
import {
  configurationUpset,
  configure,
  hardReset,
  reopenSocket,
  setMac,
  softReset,
  waitForVersion,
} from "./bring-up";
import { count, nicCounter } from "../counters";
import { chipIsWell, linkLost, linkRefresh, nicLink } from "./link";
import { receiveCheck, receiveForgive, receiveIsPending, receiveIsPolled } from "./receive";
import { Recovery, needRecovery, recoveryDone, recoveryNeeded } from "./recovery";
import { COMMON_READ, VERSIONR } from "./registers";
import { closeStream, read8 } from "./spi";
import { transmitIsWaiting, transmitProgress, transmitWake } from "./transmit";

export { BUFFER_BYTES as RX_BYTES } from "./registers";
export { nicCounter };
export { nicLink } from "./link";
export { rxBegin, rxEnd, rxPutBack, rxRead, rxSkip } from "./receive";
export { txBegin, txCancel, txEnd, txReady, txReady as txAnswers, txWrite } from "./transmit";

const ENODEV: i32 = 19;
const ETIMEDOUT: i32 = 110;
/** The link, the chip's health and frames without an interrupt are looked for this often: no interrupt tells of the cable. */
const CHECK_MS: u32 = 250;
/** Without a link somebody waits for it. */
const CHECK_NO_LINK_MS: u32 = 50;
/** Every so many checks, 4 s at the most, all registers that were written are compared: a power of two. */
const AUDIT_CHECKS: u32 = 16;
/** A chip that is gone is called this often. */
const RETRY_MS: u32 = 1000;
/** Trouble that comes back within this time needs a stronger remedy. */
const AGAIN_MS: u32 = 1000;
const VERSION_WAIT_MS: u32 = 100;
/** While the device runs a call must be short. */
const VERSION_WAIT_RUNNING_MS: u32 = 2;

let version: u32 = 0;
let checkedMs: u32 = 0;
let checks: u32 = 0;
/** The last repair: when, and how strong. */
let mendedMs: u32 = 0;
let lastRung: Recovery = Recovery.NONE;
/** The chip did not come back: it is called again from time to time. */
let gone: bool = false;

/**
 * Resets and configures the chip. `mac`: address of six bytes, copied. Gives 0, -ENODEV (no W5500 answers) or -ETIMEDOUT
 * (it answers, but does not take the configuration). Takes up to about 0.1 s.
 */
export function nicInit(mac: usize): i32 {
  setMac(mac);
  recoveryDone();
  receiveForgive();
  gone = false;
  lastRung = Recovery.NONE;
  hardReset();
  const answers = waitForVersion(VERSION_WAIT_MS);
  version = read8(VERSIONR, COMMON_READ);
  if (!answers) return -ENODEV;
  if (!softReset() || !configure()) return -ETIMEDOUT;
  linkRefresh();
  return 0;
}

/** VERSIONR as read by `nicInit`: 4. */
export function nicVersion(): u32 {
  return version;
}

/** Resets the chip by register (the link survives) or by pin, and sets it up anew. */
function reinit(byPin: bool): bool {
  if (byPin) hardReset();
  if (!waitForVersion(VERSION_WAIT_RUNNING_MS) || !softReset() || !configure()) return false;
  count(NicCounter.REINITS);
  receiveForgive();
  return true;
}

/** Mends what has been found broken, with a stronger remedy each time that trouble comes back soon. */
function recover(nowMs: u32): void {
  let rung: i32 = recoveryNeeded();
  if (!gone && nowMs - mendedMs < AGAIN_MS && rung <= lastRung) {
    rung = min<i32>(lastRung + 1, Recovery.RESET);
  }
  let mended = rung == Recovery.REOPEN && reopenSocket();
  // A chip that was gone has had its reset by pin, and may have needed longer than one call may take.
  if (!mended && (gone || rung < Recovery.RESET)) {
    rung = Recovery.REINIT;
    mended = reinit(false);
  }
  if (!mended) {
    rung = Recovery.RESET;
    mended = reinit(true);
  }
  lastRung = rung;
  mendedMs = nowMs;
  gone = !mended;
  if (!mended) return linkLost();
  recoveryDone();
  // A frame that hung may have hung because the cable was pulled.
  linkRefresh();
}

/** Each turn of the main loop: sends what waits, looks after the link and the chip, mends what is broken. */
export function nicPoll(nowMs: u32): void {
  closeStream();
  if (recoveryNeeded() != Recovery.NONE) {
    if (!gone || nowMs - mendedMs >= RETRY_MS) recover(nowMs);
    return;
  }
  transmitProgress();
  if (nowMs - checkedMs < checkPeriod()) return;
  checkedMs = nowMs;
  if (!chipIsWell()) return needRecovery(Recovery.REINIT);
  linkRefresh();
  receiveCheck();
  checks++;
  if (checks % AUDIT_CHECKS == 0) {
    const rung = configurationUpset();
    // Seen again, it is no read that went wrong.
    if (rung != Recovery.NONE && configurationUpset() != Recovery.NONE) needRecovery(rung);
  }
}

/** Milliseconds until `nicPoll` wants to run again; INTn low wants it at once. To be asked before sleeping. */
export function nicDeadline(nowMs: u32): u32 {
  closeStream();
  if (recoveryNeeded() != Recovery.NONE) return gone ? left(nowMs, mendedMs, RETRY_MS) : 0;
  if (receiveIsPending()) return 0;
  if (receiveIsPolled()) return 1;
  if (transmitIsWaiting()) transmitWake();
  return left(nowMs, checkedMs, checkPeriod());
}

function checkPeriod(): u32 {
  return (nicLink() & 1) != 0 ? CHECK_MS : CHECK_NO_LINK_MS;
}

/** Milliseconds until `periodMs` have passed since `sinceMs`. */
function left(nowMs: u32, sinceMs: u32, periodMs: u32): u32 {
  const passed = nowMs - sinceMs;
  return passed >= periodMs ? 0 : periodMs - passed;
}

/** How often the receive buffer was so full that a frame may have found no room. */
export function rxOverflows(): u32 {
  return nicCounter(NicCounter.RX_OVERFLOW);
}
