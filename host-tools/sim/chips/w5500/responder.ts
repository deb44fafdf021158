import { checksum, put16 } from "../../../net/packets.js";
import { etherType } from "./macraw.js";

const ARP = 0x0806;
const IPV4 = 0x0800;
const ICMP = 1;
const ECHO_REQUEST = 8;

/** Addresses that the hardware stack answers for. */
export interface Identity {
  /** SHAR. */
  mac: Uint8Array;
  /** SIPR. */
  ip: Uint8Array;
}

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);

/** True when SIPR is set, so that the hardware stack answers. */
export function answers(identity: Identity): boolean {
  return identity.ip.some((byte) => byte !== 0);
}

/** ARP from another station that claims our address (IR.CONFLICT). */
export function isConflict(frame: Uint8Array, { mac, ip }: Identity): boolean {
  return (
    etherType(frame) === ARP &&
    equal(ip, frame.subarray(28, 32)) &&
    !equal(mac, frame.subarray(22, 28))
  );
}

/**
 * What the hardware stack sends by itself: a reply to an ARP request for SIPR, and to an ICMP echo request unless ping
 * is blocked. It does so next to a socket in MACRAW mode, which is why a host stack keeps SIPR at 0.
 */
export function hardwareReply(
  frame: Uint8Array,
  identity: Identity,
  pingBlocked: boolean,
): Uint8Array | undefined {
  const type = etherType(frame);
  if (type === ARP) return arpReply(frame, identity);
  if (type === IPV4 && !pingBlocked) return echoReply(frame, identity);
  return undefined;
}

function arpReply(frame: Uint8Array, { mac, ip }: Identity): Uint8Array | undefined {
  const request = frame[20] === 0 && frame[21] === 1;
  if (!request || !equal(ip, frame.subarray(38, 42))) return undefined;
  const reply = new Uint8Array(60);
  reply.set(frame.subarray(22, 28), 0);
  reply.set(mac, 6);
  reply.set(frame.subarray(12, 20), 12);
  reply.set([0, 2], 20);
  reply.set(mac, 22);
  reply.set(ip, 28);
  reply.set(frame.subarray(22, 32), 32);
  return reply;
}

function echoReply(frame: Uint8Array, { mac, ip }: Identity): Uint8Array | undefined {
  if (!equal(mac, frame) || frame[14] !== 0x45) return undefined;
  const fragment = (((frame[20] as number) << 8) | (frame[21] as number)) & 0x3fff;
  const total = ((frame[16] as number) << 8) | (frame[17] as number);
  const fits = total >= 28 && 14 + total <= frame.length;
  if (fragment !== 0 || frame[23] !== ICMP || !fits) return undefined;
  if (!equal(ip, frame.subarray(30, 34)) || frame[34] !== ECHO_REQUEST) return undefined;
  const reply = new Uint8Array(Math.max(60, 14 + total));
  reply.set(frame.subarray(0, 14 + total));
  reply.set(frame.subarray(6, 12), 0);
  reply.set(mac, 6);
  reply.set([0x80], 22);
  reply.set(ip, 26);
  reply.set(frame.subarray(26, 30), 30);
  reply.set([0], 34);
  putChecksum(reply, 14, 20, 24);
  putChecksum(reply, 34, total - 20, 36);
  return reply;
}

/** Internet checksum (RFC 1071) of `bytes` from `at`, written to `field`. */
function putChecksum(frame: Uint8Array, at: number, bytes: number, field: number): void {
  put16(frame, field, 0);
  put16(frame, field, checksum(frame, at, bytes));
}
