/** What the broker sends on an open connection: messages, and the answers to ours (MQTT 3.1.1 and 5, sections 3.3 to 3.11). */
import {
  IN,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  SUBACK,
  UNSUBACK,
  byteAt,
  isFive,
  packetBytes,
  packetCut,
  packetCutId,
  packetFirst,
  propertiesEnd,
  putAnswer,
  wordAt,
} from "./packets";
import {
  UNKNOWN_ID,
  sessionAcknowledged,
  sessionCompleted,
  sessionReceived,
  sessionReleases,
  sessionTakes,
} from "./session";
import { isTopicName } from "./topic";

/** What `mqttTurn` tells. */
export const enum Mqtt {
  NONE,
  /** Connected: subscribe now. */
  UP,
  /** Not connected any more, or not let in: `mqttReason`. It connects again by itself. */
  DOWN,
  /** A message: `mqttTopic`, `mqttPayload` … until the next turn. */
  MESSAGE,
  /** The message of QoS 1 or 2 has arrived: there is room for the next one. */
  DELIVERED,
  /** The answer to a subscription: `mqttReason` is the QoS, or 128 and more when it was refused. */
  SUBSCRIBED,
  /** The answer to `mqttUnsubscribe`. */
  UNSUBSCRIBED,
  /** The broker does not want the message of QoS 1 or 2 (MQTT 5): `mqttReason`. There is room for the next one. */
  REFUSED,
}

/** Reason codes of MQTT 5 (2.4). */
export const MALFORMED: u32 = 0x81;
export const PROTOCOL_ERROR: u32 = 0x82;
const TOO_MANY: u32 = 0x93;
export const TOO_LARGE: u32 = 0x95;

let reason: i32 = 0;
let dropped: u32 = 0;
let qos: u32 = 0;
let retained: bool = false;
let topicBytes: u32 = 0;
let payloadAt: u32 = 0;

/** Topic and text of the message, until the next turn. */
export function mqttTopic(): usize {
  return IN + 2;
}

export function mqttTopicBytes(): u32 {
  return topicBytes;
}

export function mqttPayload(): usize {
  return IN + <usize>payloadAt;
}

export function mqttPayloadBytes(): u32 {
  return packetBytes() - payloadAt;
}

/** QoS of the message. */
export function mqttQos(): u32 {
  return qos;
}

/** True when the broker had kept the message (RETAIN) and tells it because of a new subscription (3.3.1.3). */
export function mqttRetained(): bool {
  return retained;
}

/** Messages that were longer than there is room, and were dropped. */
export function mqttDropped(): u32 {
  return dropped;
}

/** Reason of the answer. */
export function incomingReason(): i32 {
  return reason;
}

/** Takes a packet: an event, or below 0 the reason code of what is wrong with it. */
export function incomingTake(): i32 {
  const first = packetFirst();
  if ((first & 0xf0) == PUBLISH) return message();
  const bytes = packetBytes();
  if (packetCut() || bytes < 2) return -(<i32>MALFORMED);
  if (first == SUBACK || first == UNSUBACK) return subscribed(first == SUBACK);
  if (!isFive() && bytes != 2) return -(<i32>MALFORMED);
  const id = wordAt(0);
  const why = bytes > 2 ? byteAt(2) : 0;
  switch (first) {
    case PUBACK:
      return ended(sessionAcknowledged(id), why);
    case PUBCOMP:
      // The broker may not know it any more: then it has passed it on before (4.3.3).
      return ended(sessionCompleted(id), 0);
    case PUBREC:
      return ended(sessionReceived(id, why), why);
    case PUBREL:
      putAnswer(PUBCOMP, id, sessionReleases(id) ? 0 : UNKNOWN_ID);
      return Mqtt.NONE;
  }
  return -(<i32>PROTOCOL_ERROR);
}

/** Our message has come to its end, or the answer was to none of ours. */
function ended(ours: bool, why: u32): i32 {
  if (!ours) return Mqtt.NONE;
  reason = <i32>why;
  return why < 0x80 ? Mqtt.DELIVERED : Mqtt.REFUSED;
}

/** SUBACK (3.9) or UNSUBACK (3.11). */
function subscribed(on: bool): i32 {
  const bytes = packetBytes();
  const at = isFive() ? propertiesEnd(2, bytes) : 2;
  // Each is about one filter; UNSUBACK of 3.1.1 says nothing of it.
  if (at == 0 || at + (on || isFive() ? 1 : 0) != bytes) return -(<i32>MALFORMED);
  reason = on ? <i32>byteAt(at) : 0;
  return on ? Mqtt.SUBSCRIBED : Mqtt.UNSUBSCRIBED;
}

/** PUBLISH (3.3). */
function message(): i32 {
  qos = (packetFirst() >>> 1) & 3;
  retained = (packetFirst() & 1) != 0;
  const bytes = packetBytes();
  if (qos == 3 || bytes < 2) return -(<i32>MALFORMED);
  topicBytes = wordAt(0);
  // We know of no topic aliases, so there is a topic.
  if (topicBytes == 0) return -(<i32>PROTOCOL_ERROR);
  if (packetCut()) return tooLong();
  payloadAt = 2 + topicBytes + (qos == 0 ? 0 : 2);
  if (payloadAt > bytes || !isTopicName(mqttTopic(), topicBytes)) return -(<i32>MALFORMED);
  const id = qos == 0 ? 0 : wordAt(payloadAt - 2);
  if (isFive()) payloadAt = propertiesEnd(payloadAt, bytes);
  if (payloadAt == 0) return -(<i32>MALFORMED);
  return accept(id);
}

/** A message without room is dropped; the broker is answered as if it was not, or would send it again and again. */
function tooLong(): i32 {
  dropped++;
  // With MQTT 5 it was told how long they may be.
  if (isFive()) return -(<i32>TOO_LARGE);
  const event = accept(qos == 0 ? 0 : packetCutId());
  return event < 0 ? event : Mqtt.NONE;
}

/** Answers a message; a message of QoS 2 is told once, however often it comes (4.3.3). */
function accept(id: u32): i32 {
  if (qos == 0) return Mqtt.MESSAGE;
  if (id == 0) return -(<i32>PROTOCOL_ERROR);
  if (qos == 1) {
    putAnswer(PUBACK, id, 0);
    return Mqtt.MESSAGE;
  }
  const taken = sessionTakes(id);
  if (taken < 0) return -(<i32>TOO_MANY);
  putAnswer(PUBREC, id, 0);
  return taken == 0 ? Mqtt.NONE : Mqtt.MESSAGE;
}
