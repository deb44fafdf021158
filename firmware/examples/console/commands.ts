/** Commands of the console. */
import {
  putAddress,
  putBytes,
  putCharacter,
  putMac,
  putNumber,
  putText,
} from "as-tcpip/firmware/services/writer";
import { AF_INET, SockAddrIn, getaddrinfo, inet_pton, ntohl } from "as-tcpip/net";
import {
  NEIGHBOURS,
  NETWORKS,
  NicCounter,
  POOLS,
  neighbourAddress,
  neighbourMac,
  neighbourNetwork,
  networkAddress,
  networkCounter,
  networkDns,
  networkGateway,
  networkLink,
  networkMac,
  networkMask,
  poolName,
  poolSize,
  poolUsed,
  socketInBytes,
  socketIsOpen,
  socketIsTcp,
  socketLocalAddress,
  socketLocalPort,
  socketNetwork,
  socketOutBytes,
  socketPeerAddress,
  socketPeerPort,
  socketStateName,
  uptimeSeconds,
} from "as-tcpip/netstat";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";
import { pause } from "../common";
import { clientGone, lineBegin, lineEnd, putColumn, say } from "./output";
import { ping } from "./ping";

const ADDRESS: usize = memory.data(4, 4);
const RESULT: usize = memory.data(8, 4);
const PINGS: u32 = 4;

/** The command line: word by word, the rest. */
let at: usize = 0;
let left: u32 = 0;

/** True, and the word is passed over, when the line goes on with it. */
function word(wanted: Text): bool {
  const bytes = textBytes(wanted);
  if (left < bytes || (left > bytes && load<u8>(at + <usize>bytes) != 0x20)) return false;
  for (let i: u32 = 0; i < bytes; i++) {
    if (load<u8>(at + <usize>i) != load<u8>(textAddress(wanted) + <usize>i)) return false;
  }
  at += <usize>bytes;
  left -= bytes;
  spaces();
  return true;
}

function spaces(): void {
  while (left != 0 && load<u8>(at) == 0x20) {
    at += 1;
    left -= 1;
  }
}

function putPlace(address: u32, port: u32): void {
  if (address == 0) putCharacter(0x2a);
  else putAddress(address);
  putCharacter(0x3a);
  if (port == 0) putCharacter(0x2a);
  else putNumber(port);
}

function netstat(): void {
  say(text("proto  in    out   local                 peer                  state"));
  for (let i: u32 = 0; i < poolSize(0); i++) {
    if (!socketIsOpen(i)) continue;
    lineBegin();
    putText(socketIsTcp(i) ? text("tcp") : text("other"));
    putColumn(7);
    putNumber(socketInBytes(i));
    putColumn(13);
    putNumber(socketOutBytes(i));
    putColumn(19);
    putPlace(socketLocalAddress(i), socketLocalPort(i));
    putColumn(41);
    putPlace(socketPeerAddress(i), socketPeerPort(i));
    putColumn(63);
    putText(socketStateName(i));
    if (NETWORKS > 1 && socketNetwork(i) >= 0) {
      putCharacter(0x20);
      putText(deviceName(<u32>socketNetwork(i)));
    }
    lineEnd();
  }
  for (let pool: u32 = 0; pool < POOLS; pool++) {
    lineBegin();
    putText(poolName(pool));
    putColumn(10);
    putNumber(poolUsed(pool));
    putText(text(" of "));
    putNumber(poolSize(pool));
    lineEnd();
  }
}

function pair(name: Text, address: u32): void {
  lineBegin();
  putText(name);
  putColumn(10);
  putAddress(address);
  lineEnd();
}

/** What the chip of an interface has received, sent, and had no room for. */
function frames(number: u32): void {
  lineBegin();
  putText(text("frames"));
  putColumn(10);
  putNumber(networkCounter(number, NicCounter.RX_FRAMES));
  putText(text(" in, "));
  putNumber(networkCounter(number, NicCounter.TX_FRAMES));
  putText(text(" out, "));
  putNumber(networkCounter(number, NicCounter.RX_OVERFLOW));
  putText(text(" lost"));
  lineEnd();
}

function deviceName(number: u32): Text {
  return number == 0 ? text("eth0") : text("eth1");
}

function ifconfig(): void {
  for (let number: u32 = 0; number < NETWORKS; number++) {
    if (NETWORKS > 1) say(deviceName(number));
    const link = networkLink(number);
    lineBegin();
    putText(text("link"));
    putColumn(10);
    putText(
      (link & 1) == 0 ? text("down") : (link & 2) != 0 ? text("100 Mbit/s") : text("10 Mbit/s"),
    );
    lineEnd();
    lineBegin();
    putText(text("mac"));
    putColumn(10);
    putMac(networkMac(number));
    lineEnd();
    pair(text("address"), networkAddress(number));
    pair(text("mask"), networkMask(number));
    pair(text("router"), networkGateway(number));
    pair(text("dns"), networkDns(number));
    frames(number);
  }
}

/** A line of `route`: a network and its bits of mask, or `default` (0), by a router or none. */
function routeLine(network: u32, bits: u32, router: u32, device: Text): void {
  lineBegin();
  if (bits == 0) putText(text("default"));
  else {
    putAddress(network);
    putCharacter(0x2f);
    putNumber(bits);
  }
  putColumn(20);
  if (router == 0) putCharacter(0x2a);
  else putAddress(router);
  putColumn(37);
  putText(device);
  lineEnd();
}

function route(): void {
  say(text("network             router           device"));
  routeLine(0x7f000000, 8, 0, text("lo"));
  for (let number: u32 = 0; number < NETWORKS; number++) {
    const address = networkAddress(number);
    const mask = networkMask(number);
    if (address != 0) routeLine(address & mask, <u32>popcnt<u32>(mask), 0, deviceName(number));
    if (networkGateway(number) != 0) routeLine(0, 0, networkGateway(number), deviceName(number));
  }
}

function arp(): void {
  for (let i: u32 = 0; i < NEIGHBOURS; i++) {
    const address = neighbourAddress(i);
    if (address == 0) continue;
    lineBegin();
    putAddress(address);
    putColumn(17);
    putMac(neighbourMac(i));
    if (NETWORKS > 1) {
      putColumn(36);
      putText(deviceName(neighbourNetwork(i)));
    }
    lineEnd();
  }
}

function pings(): void {
  if (inet_pton(AF_INET, at, left, ADDRESS) != 1) return say(text("ping ADDRESS"));
  const address = ntohl(load<u32>(ADDRESS));
  for (let sequence: u32 = 1; sequence <= PINGS && !clientGone(); sequence++) {
    const ms = ping(address, sequence);
    lineBegin();
    putAddress(address);
    putText(text(": "));
    if (ms < 0) {
      putText(text("no answer (error "));
      putNumber(<u32>-ms);
      putCharacter(0x29);
    } else {
      putNumber(<u32>ms);
      putText(text(" ms"));
    }
    lineEnd();
    if (ms >= 0 && sequence < PINGS) pause(1000);
  }
}

function nslookup(): void {
  if (left == 0) return say(text("nslookup NAME"));
  const record = changetype<SockAddrIn>(RESULT);
  const found = getaddrinfo(at, left, 0, record, 1);
  lineBegin();
  putBytes(at, left);
  putText(text(": "));
  if (found > 0) putAddress(ntohl(record.sinAddr));
  else {
    putText(text("not found (error "));
    putNumber(<u32>-found);
    putCharacter(0x29);
  }
  lineEnd();
}

function uptime(): void {
  lineBegin();
  putNumber(uptimeSeconds());
  putText(text(" s"));
  lineEnd();
}

/** Runs a command line; false when the client wants to leave. */
export function command(line: usize, bytes: u32): bool {
  at = line;
  left = bytes;
  spaces();
  while (left != 0 && load<u8>(at + <usize>(left - 1)) == 0x20) left -= 1;
  if (left == 0) return true;
  if (word(text("netstat"))) netstat();
  else if (word(text("ifconfig"))) ifconfig();
  else if (word(text("arp"))) arp();
  else if (word(text("route"))) route();
  else if (word(text("ping"))) pings();
  else if (word(text("nslookup"))) nslookup();
  else if (word(text("uptime"))) uptime();
  else if (word(text("quit")) || word(text("exit"))) return false;
  else say(text("netstat, ifconfig, arp, route, ping ADDRESS, nslookup NAME, uptime, quit"));
  return true;
}
