/** The opening of a connection: CONNECT, and what CONNACK says (MQTT 3.1.1 and 5, sections 3.1 and 3.2). */
import { EINVAL } from "../net/index";
import {
  CONNECT,
  LONGEST,
  byteAt,
  isFive,
  packetBytes,
  packetFits,
  lengthBytes,
  propertiesEnd,
  putByte,
  putHead,
  putNoProperties,
  putString,
  putWord,
  wordAt,
} from "./packets";
import { RECEIVE_MAXIMUM } from "./session";

/** The broker and who we are: address in host order. Texts stay where they are; lengths of 0 leave the last will or the user out. */
@unmanaged
export class MqttIdentity {
  address: u32;
  port: u16;
  keepAliveS: u16;
  id: usize;
  idBytes: u32;
  willTopic: usize;
  willTopicBytes: u32;
  will: usize;
  willBytes: u32;
  user: usize;
  userBytes: u32;
  password: usize;
  passwordBytes: u32;
  /** MQTT 5: seconds for which the broker keeps the session without a connection; 0xffffffff = for ever. */
  sessionS: u32;
  /** 5, or 4 for MQTT 3.1.1; 0 is 4. */
  level: u16;
  /** QoS of the last will, and whether it is retained (1). */
  willQos: u8;
  willRetain: u8;
}

/** Properties that CONNECT and CONNACK have (MQTT 5, 2.2.2.2). */
const enum Property {
  SESSION_EXPIRY = 0x11,
  ASSIGNED_IDENTIFIER = 0x12,
  SERVER_KEEP_ALIVE = 0x13,
  AUTHENTICATION_METHOD = 0x15,
  AUTHENTICATION_DATA = 0x16,
  PROBLEM_INFORMATION = 0x17,
  RESPONSE_INFORMATION = 0x1a,
  SERVER_REFERENCE = 0x1c,
  REASON = 0x1f,
  RECEIVE_MAXIMUM = 0x21,
  TOPIC_ALIAS_MAXIMUM = 0x22,
  MAXIMUM_QOS = 0x24,
  RETAIN_AVAILABLE = 0x25,
  USER_PROPERTY = 0x26,
  MAXIMUM_PACKET = 0x27,
  WILDCARDS_AVAILABLE = 0x28,
  IDENTIFIERS_AVAILABLE = 0x29,
  SHARED_AVAILABLE = 0x2a,
}

/** Bytes of the properties of CONNECT. */
const PROPERTIES: u32 = 5 + 3 + 2 + 5;
/** Properties of one CONNACK that are looked at. */
const MOST: u32 = 64;

/** What the broker allows (MQTT 5, 3.2.2.3). */
let brokerKeepAliveS: u32 = 0;
let brokerQos: u32 = 2;
let brokerRetains: bool = true;
let brokerLongest: u32 = 0;

export function connectKeepAliveS(): u32 {
  return brokerKeepAliveS;
}

/** The highest QoS that the broker takes. */
export function connectQos(): u32 {
  return brokerQos;
}

/** Whether the broker keeps messages with RETAIN. */
export function connectRetains(): bool {
  return brokerRetains;
}

/** The longest packet that the broker takes. */
export function connectLongest(): u32 {
  return brokerLongest;
}

/** CONNECT. With `fresh` the broker shall forget what it knows of an earlier session. False when it is too long for its room. */
export function connectAsk(me: MqttIdentity, fresh: bool): bool {
  const will = me.willTopicBytes != 0;
  const user = me.userBytes != 0;
  let bytes = 12 + me.idBytes + (isFive() ? 1 + PROPERTIES : 0);
  if (will) bytes += 4 + me.willTopicBytes + me.willBytes + (isFive() ? 1 : 0);
  if (user) bytes += 4 + me.userBytes + me.passwordBytes;
  if (!packetFits(bytes)) return false;
  putHead(CONNECT, bytes);
  // "MQTT" with its length.
  putWord(4);
  putWord(0x4d51);
  putWord(0x5454);
  putByte(isFive() ? 5 : 4);
  const last: u32 = will ? 4 | ((<u32>me.willQos) << 3) | ((<u32>me.willRetain) << 5) : 0;
  putByte(last | (user ? 0xc0 : 0) | (fresh ? 2 : 0));
  putWord(me.keepAliveS);
  if (isFive()) putProperties(me);
  putString(me.id, me.idBytes);
  if (will) {
    putNoProperties();
    putString(me.willTopic, me.willTopicBytes);
    putString(me.will, me.willBytes);
  }
  if (user) {
    putString(me.user, me.userBytes);
    putString(me.password, me.passwordBytes);
  }
  brokerKeepAliveS = me.keepAliveS;
  brokerQos = 2;
  brokerRetains = true;
  brokerLongest = u32.MAX_VALUE;
  return true;
}

/** How long the session lives, what we have room for, and that nobody here reads texts of reasons (3.1.2.11). */
function putProperties(me: MqttIdentity): void {
  putByte(PROPERTIES);
  putByte(Property.SESSION_EXPIRY);
  putWord(me.sessionS >>> 16);
  putWord(me.sessionS & 0xffff);
  putByte(Property.RECEIVE_MAXIMUM);
  putWord(RECEIVE_MAXIMUM);
  putByte(Property.PROBLEM_INFORMATION);
  putByte(0);
  putByte(Property.MAXIMUM_PACKET);
  putWord(0);
  putWord(LONGEST);
}

/** Reads CONNACK: 0 when we are let in, the broker's reason, or -EINVAL. */
export function connectAnswer(): i32 {
  const bytes = packetBytes();
  if (bytes < 2 || byteAt(0) > 1) return -EINVAL;
  const why = <i32>byteAt(1);
  if (why != 0) return why;
  if (!isFive()) return bytes == 2 ? 0 : -EINVAL;
  return properties(2, bytes);
}

/** Reads the properties, which fill the packet from there on; 0, or -EINVAL when they do not. */
function properties(start: u32, end: u32): i32 {
  if (propertiesEnd(start, end) != end) return -EINVAL;
  let at = start + lengthBytes(start);
  for (let count: u32 = 0; at < end && count < MOST; count++) {
    const id = byteAt(at++);
    const bytes = valueBytes(id, at, end);
    if (bytes == 0 || at + bytes > end) return -EINVAL;
    if (id == Property.SERVER_KEEP_ALIVE) brokerKeepAliveS = wordAt(at);
    if (id == Property.MAXIMUM_QOS) brokerQos = byteAt(at);
    if (id == Property.RETAIN_AVAILABLE) brokerRetains = byteAt(at) != 0;
    if (id == Property.MAXIMUM_PACKET) brokerLongest = (wordAt(at) << 16) | wordAt(at + 2);
    at += bytes;
  }
  return at == end ? 0 : -EINVAL;
}

/** Bytes of a property's value (MQTT 5, 2.2.2.2); 0 for one that a CONNACK cannot have. */
function valueBytes(id: u32, at: u32, end: u32): u32 {
  switch (id) {
    case Property.MAXIMUM_QOS:
    case Property.RETAIN_AVAILABLE:
    case Property.WILDCARDS_AVAILABLE:
    case Property.IDENTIFIERS_AVAILABLE:
    case Property.SHARED_AVAILABLE:
      return 1;
    case Property.SERVER_KEEP_ALIVE:
    case Property.RECEIVE_MAXIMUM:
    case Property.TOPIC_ALIAS_MAXIMUM:
      return 2;
    case Property.SESSION_EXPIRY:
    case Property.MAXIMUM_PACKET:
      return 4;
    case Property.USER_PROPERTY: {
      const name = textSize(at, end);
      const value = name == 0 ? 0 : textSize(at + name, end);
      return value == 0 ? 0 : name + value;
    }
    case Property.ASSIGNED_IDENTIFIER:
    case Property.RESPONSE_INFORMATION:
    case Property.SERVER_REFERENCE:
    case Property.REASON:
    case Property.AUTHENTICATION_METHOD:
    case Property.AUTHENTICATION_DATA:
      return textSize(at, end);
  }
  return 0;
}

/** Bytes of a text and its length; 0 when the packet ends before. */
function textSize(at: u32, end: u32): u32 {
  if (at + 2 > end) return 0;
  const bytes = wordAt(at) + 2;
  return at + bytes > end ? 0 : bytes;
}
