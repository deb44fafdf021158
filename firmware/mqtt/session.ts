/**
 * What a session of MQTT keeps from one connection to the next (3.1.1 and 5, section 4.1): the message of QoS 1 or 2 that is under
 * way to the broker, and the identifiers of the messages of QoS 2 that have come and were not released yet.
 */
import { random32 } from "../../stack/random";
import {
  PUBLISH,
  PUBREL,
  noProperties,
  packetFits,
  putAnswer,
  putHead,
  putNoProperties,
  putRun,
  putString,
  putWord,
} from "./packets";

/** Where the kept message is: waits for PUBACK or PUBREC, or for PUBCOMP. */
const enum Step {
  NONE,
  PUBLISHED,
  RELEASED,
}

/** Longest topic and payload of a message of QoS 1 or 2 together. */
const KEPT_BYTES: u32 = 256;
const KEPT: usize = memory.data(KEPT_BYTES, 4);
/** Messages of QoS 2 that may be under way to us: "Receive Maximum" of MQTT 5; with 3.1.1 Mosquitto sends 20 at most. */
export const RECEIVE_MAXIMUM: u32 = 24;
const RECEIVED: usize = memory.data(RECEIVE_MAXIMUM * 2, 4);

let step: Step = Step.NONE;
let keptId: u32 = 0;
/** QoS and RETAIN, as in the first byte of PUBLISH. */
let keptFlags: u32 = 0;
/** It has been sent before: DUP, the next time. */
let keptSent: bool = false;
let keptTopicBytes: u32 = 0;
let keptBytes: u32 = 0;
let received: u32 = 0;
let lastId: u32 = 0;

/** A session without anything. Identifiers begin anywhere: the broker may still know those from before a restart. */
export function sessionBegin(): void {
  step = Step.NONE;
  received = 0;
  lastId = random32() & 0xffff;
}

/** The broker has no session of ours: the message is a new one. True when it had it already, and only the last steps were due. */
export function sessionLost(): bool {
  received = 0;
  keptSent = false;
  if (step != Step.RELEASED) return false;
  step = Step.NONE;
  return true;
}

/** The next identifier, not that of the kept message. */
export function sessionId(): u32 {
  do lastId = (lastId + 1) & 0xffff;
  while (lastId == 0 || (step != Step.NONE && lastId == keptId));
  return lastId;
}

/** True while a message is under way. */
export function sessionBusy(): bool {
  return step != Step.NONE;
}

/** True when a message of that size can be kept. */
export function sessionFits(bytes: u32): bool {
  return bytes <= KEPT_BYTES;
}

export function sessionKeep(topic: usize, bytes: u32, from: usize, length: u32, flags: u32): void {
  keptId = sessionId();
  keptFlags = flags;
  keptTopicBytes = bytes;
  keptBytes = length;
  memory.copy(KEPT, topic, bytes);
  memory.copy(KEPT + <usize>bytes, from, length);
  keptSent = false;
  step = Step.PUBLISHED;
}

/** Bytes of the kept message behind the head of its packet. */
function keptPacketBytes(): u32 {
  return 4 + keptTopicBytes + noProperties() + keptBytes;
}

/** True when the kept message is due, and longer than the broker takes. It is given up. */
export function sessionTooLong(longest: u32): bool {
  if (step != Step.PUBLISHED || keptPacketBytes() + 3 <= longest) return false;
  step = Step.NONE;
  return true;
}

/**
 * Sends what is due of the kept message: itself, with DUP when it was sent before (3.3.1.1), or its release. `most` is the highest
 * QoS and `retains` whether RETAIN is allowed, by the broker's word. False: no room yet.
 */
export function sessionSend(most: u32, retains: bool): bool {
  if (step == Step.RELEASED) putAnswer(PUBREL, keptId, 0);
  if (step != Step.PUBLISHED) return true;
  const bytes = keptPacketBytes();
  if (!packetFits(bytes)) return false;
  if (keptFlags >>> 1 > most) keptFlags = (keptFlags & 1) | (most << 1);
  if (!retains) keptFlags &= ~1;
  putHead(PUBLISH | keptFlags | (keptSent ? 8 : 0), bytes);
  putString(KEPT, keptTopicBytes);
  putWord(keptId);
  putNoProperties();
  putRun(KEPT + <usize>keptTopicBytes, keptBytes);
  keptSent = true;
  return true;
}

/** PUBACK: true when the kept message has been waiting for it. */
export function sessionAcknowledged(id: u32): bool {
  if (step != Step.PUBLISHED || id != keptId || keptFlags >>> 1 != 1) return false;
  step = Step.NONE;
  return true;
}

/** PUBREC, which is answered (4.3.3). True when the kept message was refused (MQTT 5) and has come to its end. */
export function sessionReceived(id: u32, why: u32): bool {
  const ours = step != Step.NONE && id == keptId && keptFlags >>> 1 == 2;
  if (why >= 0x80) {
    if (ours) step = Step.NONE;
    return ours;
  }
  if (ours) step = Step.RELEASED;
  putAnswer(PUBREL, id, ours ? 0 : UNKNOWN_ID);
  return false;
}

/** PUBCOMP: true when the kept message has been waiting for it. */
export function sessionCompleted(id: u32): bool {
  if (step != Step.RELEASED || id != keptId) return false;
  step = Step.NONE;
  return true;
}

/** Reason code of MQTT 5: packet identifier not found. */
export const UNKNOWN_ID: u32 = 0x92;

function place(id: u32): usize {
  for (let i: u32 = 0; i < received; i++) {
    const at = RECEIVED + <usize>(i << 1);
    if (<u32>load<u16>(at) == id) return at;
  }
  return 0;
}

/** A message of QoS 2 has come: 1 when it is new, 0 when it came before, -1 when there are too many of them. */
export function sessionTakes(id: u32): i32 {
  if (place(id) != 0) return 0;
  if (received == RECEIVE_MAXIMUM) return -1;
  store<u16>(RECEIVED + <usize>(received << 1), <u16>id);
  received++;
  return 1;
}

/** PUBREL: the identifier is free. False when no message had it. */
export function sessionReleases(id: u32): bool {
  const at = place(id);
  if (at == 0) return false;
  received--;
  store<u16>(at, load<u16>(RECEIVED + <usize>(received << 1)));
  return true;
}
