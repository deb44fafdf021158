import {
  boardInit,
  chipInterrupt,
  clockMs,
  entropy,
  log0,
  log1,
  log2,
  log3,
  sleepUntil,
  text,
  textAddress,
  textBytes,
  uniqueId,
  watchdogFeed,
} from "board";
import { nicDeadline, nicInit, nicLink, nicPoll, nicVersion } from "nic";
import { ACD, AUTO_IP, DHCP, INTERFACES, MDNS } from "../../stack/config";
import { mdnsGoodbye } from "../../stack/mdns/responder";
import { acdTakeConflict } from "../../stack/arp/acd";
import { DhcpTrouble, dhcpStart, dhcpTakeTrouble } from "../../stack/dhcp/client";
import {
  LeasedInterface,
  iface,
  interfaceAt,
  interfaceConflictMac,
  interfaceInit,
  interfaceMac,
  interfaceTentative,
  isLinkLocal,
} from "../../stack/interface";
import { readyChanges } from "../../stack/readiness";
import { stackDeadline, stackLinkChanged, stackPoll, stackStart } from "../../stack/stack";
import { Be } from "../../stack/wire/bytes";
import { keyedHash } from "../../stack/random";
import {
  SettingsFlag,
  settingsAddress,
  settingsDns,
  settingsGateway,
  settingsHas,
  settingsHostName,
  settingsHostNameBytes,
  settingsMac,
  settingsMask,
} from "./settings";
import { secondDeadline, secondPoll, secondStart } from "./second";

/**
 * The one loop: it knows the board, the chip's driver and the stack, and is the only one that reads the clock. Blocking calls
 * and poll() turn it until what they wait for has come; there is no other thread of control.
 */

const ID: usize = memory.data(8, 4);
let link: u32 = 0;
let leaseAsked: bool = false;
let leaseChanges: u32 = 0;
/** Leased address that was last told. */
let address: u32 = 0;
/** An address has come into use. */
let inUse: bool = false;

/**
 * Starts board, chip and stack. 0, or the error of the chip (-ENODEV: no chip answers; -ETIMEDOUT), the first one where there are two: of the
 * second the log tells.
 */
export function netStart(): i32 {
  boardInit();
  log0("info: as-tcpip on {board}, application {app}");
  const seed0 = entropy();
  const seed1 = entropy();
  stackStart(clockMs(), seed0, seed1);
  const named = settingsHas(SettingsFlag.HOST_NAME);
  const defaultName = text("as-tcpip");
  setInterface(
    named ? settingsHostName() : textAddress(defaultName),
    named ? settingsHostNameBytes() : textBytes(defaultName),
  );
  const mac = interfaceMac(iface);
  log2("info: mac %m", Be.load16(mac), Be.load32(mac + 2));
  const failed = nicInit(mac);
  if (failed != 0) {
    log1("error: the Ethernet chip does not answer (error %u); look at wiring and supply", -failed);
    return failed;
  }
  log1("info: {chip} answers, version 0x%x", nicVersion());
  if (settingsHas(SettingsFlag.STATIC_ADDRESS)) {
    interfaceTentative(iface, settingsAddress(), settingsMask(), settingsGateway(), settingsDns());
    log2("info: address %i gateway %i", iface.address, iface.gateway);
  }
  if (INTERFACES > 1) secondStart();
  return 0;
}

/** The MAC of the settings block, or one of our own making: locally administered, from the unique id where there is one. */
function setInterface(name: usize, nameBytes: u32): void {
  if (settingsHas(SettingsFlag.MAC)) {
    const mac = settingsMac();
    interfaceInit(iface, Be.load16(mac), Be.load32(mac + 2), name, nameBytes);
    return;
  }
  store<u32>(ID, 0);
  store<u32>(ID, 0, 4);
  let high: u32;
  let low: u32;
  if (uniqueId(ID) != 0) {
    // Not keyed: the same id must give the same MAC at each start.
    low = mix(load<u32>(ID) ^ mix(load<u32>(ID, 4)));
    high = mix(low ^ load<u32>(ID));
  } else {
    low = keyedHash(1, 0x4d4143, 0);
    high = keyedHash(2, 0x4d4143, 0);
  }
  interfaceInit(iface, 0x0200 | (high & 0xff), low, name, nameBytes);
}

function mix(value: u32): u32 {
  value = (value ^ (value >>> 16)) * 0x45d9f3b;
  value = (value ^ (value >>> 16)) * 0x45d9f3b;
  return value ^ (value >>> 16);
}

/** One line for each claim of an address of ours and each refusal, with its reason. */
function tellTrouble(nif: LeasedInterface): void {
  if (ACD && acdTakeConflict(nif)) {
    const mac = interfaceConflictMac(nif);
    log3(
      "warn: %i is in use by %m too",
      nif.acdConflictAddress,
      Be.load16(mac),
      Be.load32(mac + 2),
    );
  }
  if (!DHCP) return;
  const trouble = dhcpTakeTrouble(nif);
  if (trouble == DhcpTrouble.NONE) return;
  const about = nif.dhcpTroubleAbout;
  if (trouble == DhcpTrouble.REFUSED) log1("warn: the DHCP server refuses %i", about);
  else if (trouble == DhcpTrouble.EXPIRED) log1("warn: nobody has renewed the lease of %i", about);
  else log1("warn: DHCP offer of %i refused: its address, mask or lease time is unusable", about);
}

/** Tells of a link or a lease that has changed. */
function watchLink(): void {
  const present = nicLink();
  if (present != link) {
    link = present;
    const up = (present & 1) != 0;
    if (up) {
      const mbit: u32 = (present & 2) != 0 ? 100 : 10;
      if ((present & 4) != 0) log1("info: link up, %u Mbit/s full duplex", mbit);
      else log1("info: link up, %u Mbit/s half duplex", mbit);
    } else {
      log0("warn: link down");
    }
    stackLinkChanged(interfaceAt(0), up);
    // Not before there is a link: what is sent without one is lost.
    if (DHCP && up && !leaseAsked && !settingsHas(SettingsFlag.STATIC_ADDRESS)) {
      leaseAsked = true;
      dhcpStart(interfaceAt(0));
    }
  }
  if (!DHCP || iface.dhcpChanges == leaseChanges) return;
  leaseChanges = iface.dhcpChanges;
  if (iface.address == address) return;
  address = iface.address;
  if (address == 0) log0("warn: lease lost");
  else if (AUTO_IP && isLinkLocal(address))
    log1("info: no DHCP server answers; link-local address %i", address);
  else log3("info: lease %i from %i for %u s", address, iface.leaseServer, iface.leaseSeconds);
}

/** A static address counts when nobody else has claimed it (RFC 5227 2.1.1): from then on the device answers. */
function tellAddress(): void {
  if (inUse || iface.address == 0 || iface.tentative) return;
  inUse = true;
  if (settingsHas(SettingsFlag.STATIC_ADDRESS)) log1("info: address %i in use", iface.address);
}

/** Turns in which a goodbye finds room, or does not. */
const GOODBYE_TURNS: u32 = 16;

/** Before a restart or a long sleep: takes back on the link what was announced there, so that nobody looks for us in vain. */
export function netGoodbye(): void {
  if (!MDNS) return;
  for (let turns: u32 = 0; turns < GOODBYE_TURNS && !mdnsGoodbye(); turns++) netPoll(1);
}

/** Our address, host order; 0 while there is none. With two interfaces the first one's: `networkAddress` of `as-tcpip/netstat` has each. */
export function netAddress(): u32 {
  return iface.tentative ? 0 : iface.address;
}

/** The router of our network, the first one's, host order; 0 while there is none. */
export function netGateway(): u32 {
  return iface.tentative ? 0 : iface.gateway;
}

/** Turns so far, and the time of the last one. */
let turns: u32 = 0;
let turnMs: u32 = 0;

/** Turns of the network so far, wrapping. */
export function netTurns(): u32 {
  return turns;
}

/** Time of the last turn, ms. */
export function netTurnMs(): u32 {
  return turnMs;
}

/**
 * One turn: the chip, the stack, and then, if nothing has happened to any socket, sleep until something does or `timeoutMs`
 * has passed. Returns early rather than late.
 */
export function netPoll(timeoutMs: u32): void {
  const before = readyChanges();
  const nowMs = clockMs();
  turns += 1;
  turnMs = nowMs;
  watchdogFeed();
  nicPoll(nowMs);
  watchLink();
  if (INTERFACES > 1) secondPoll(nowMs);
  const more = stackPoll(nowMs);
  tellTrouble(interfaceAt(0));
  if (INTERFACES > 1) tellTrouble(interfaceAt(INTERFACES - 1));
  tellAddress();
  if (more || timeoutMs == 0 || readyChanges() != before || chipInterrupt()) return;
  let idleMs = min<u32>(min<u32>(stackDeadline(nowMs), nicDeadline(nowMs)), timeoutMs);
  if (INTERFACES > 1) idleMs = min<u32>(idleMs, secondDeadline(nowMs));
  if (idleMs != 0) sleepUntil(nowMs + idleMs);
}
