/**
 * MQTT 3.1.1 client, without waiting: publishes and subscribes with QoS 0 and 1, with a last will and keep-alive, and connects
 * again by itself. The session is kept (CleanSession 0), so a message of QoS 1 that was not acknowledged is sent again after the
 * next connection. The application waits with poll() for `mqttFd`, `mqttWants` and `mqttDueMs`, then asks for what has happened:
 *
 *     for (let event = mqttTurn(); event != Mqtt.NONE; event = mqttTurn()) …
 */
import {
  AF_INET,
  EAGAIN,
  EALREADY,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  EMSGSIZE,
  ENOTCONN,
  ETIMEDOUT,
  POLLIN,
  POLLOUT,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SockAddrIn,
  close,
  connect,
  htonl,
  htons,
  socket,
} from "../net/index";
import { clockMs } from "board";
import {
  CONNACK,
  CONNECT,
  IN,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBLISH,
  SUBACK,
  SUBSCRIBE,
  answerFits,
  packetBytes,
  packetCut,
  packetFirst,
  packetFits,
  packetRead,
  packetsFlush,
  packetsReset,
  packetsWaiting,
  putByte,
  putHead,
  putRun,
  putString,
  putWord,
} from "./packets";

/** What `mqttTurn` tells. */
export const enum Mqtt {
  NONE,
  /** Connected: subscribe now. */
  UP,
  /** Not connected any more, or not let in: `mqttReason`. It connects again by itself. */
  DOWN,
  /** A message: `mqttTopic`, `mqttPayload` … until the next turn. */
  MESSAGE,
  /** The message of QoS 1 has arrived: there is room for the next one. */
  DELIVERED,
  /** The answer to a subscription: `mqttReason` is the QoS, or 128 when it was refused. */
  SUBSCRIBED,
}

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
}

const enum Phase {
  /** Waits to connect again. */
  OFF,
  DIALLING,
  /** CONNECT is sent. */
  ASKING,
  UP,
}

/** Longest wait for the connection, for CONNACK and for PINGRESP, ms. */
const ANSWER_MS: u32 = 10_000;
const FIRST_RETRY_MS: u32 = 1000;
const LAST_RETRY_MS: u32 = 64_000;
/** Longest topic and payload of a message of QoS 1 together, which is kept until it is acknowledged. */
const KEPT_BYTES: u32 = 256;
const KEPT: usize = memory.data(KEPT_BYTES, 4);
const BROKER: usize = memory.data(8, 4);

let me: MqttIdentity = changetype<MqttIdentity>(0);
let phase: Phase = Phase.OFF;
let fd: i32 = -1;
let reason: i32 = 0;
/** Start of the phase, and the last time at which something was sent. */
let sinceMs: u32 = 0;
let spokeMs: u32 = 0;
let retryMs: u32 = 0;
let pinging: bool = false;
let pingMs: u32 = 0;
let lastId: u32 = 0;
/** The kept message: its number (0 = none), flags, and how its bytes are divided. */
let keptId: u32 = 0;
let keptFlags: u32 = 0;
/** It has been sent before: DUP, the next time. */
let keptSent: bool = false;
let keptTopicBytes: u32 = 0;
let keptBytes: u32 = 0;
let topicBytes: u32 = 0;
let payloadAt: u32 = 0;

/** Sets who we are; `mqttTurn` connects. */
export function mqttBegin(identity: MqttIdentity): void {
  me = identity;
  sinceMs = clockMs();
}

export function mqttFd(): i32 {
  return fd;
}

/** What poll() shall wait for. */
export function mqttWants(): u32 {
  if (phase == Phase.DIALLING) return POLLOUT;
  return (answerFits() ? POLLIN : 0) | (packetsWaiting() != 0 ? POLLOUT : 0);
}

export function mqttReason(): i32 {
  return reason;
}

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

/** True when the message was longer than there is room, and its end is missing. */
export function mqttCut(): bool {
  return packetCut();
}

function nextId(): u32 {
  lastId = (lastId + 1) & 0xffff;
  if (lastId == 0) lastId = 1;
  return lastId;
}

/**
 * Publishes. With `qos` 1 one message at a time is under way, and it is kept until it is acknowledged, whatever happens to the
 * connection. 0, -ENOTCONN (only QoS 0), -EAGAIN (try again after the next turn), or -EMSGSIZE.
 */
export function mqttPublish(
  topic: usize,
  bytes: u32,
  from: usize,
  length: u32,
  qos: u32,
  retain: bool,
): i32 {
  if (bytes + length > KEPT_BYTES) return -EMSGSIZE;
  const flags: u32 = retain ? 1 : 0;
  if (qos == 0) {
    if (phase != Phase.UP) return -ENOTCONN;
    if (!packetFits(2 + bytes + length)) return -EAGAIN;
    putHead(PUBLISH | flags, 2 + bytes + length);
    putString(topic, bytes);
    putRun(from, length);
    return 0;
  }
  if (keptId != 0) return -EAGAIN;
  if (phase == Phase.UP && !packetFits(4 + bytes + length)) return -EAGAIN;
  keptId = nextId();
  keptFlags = flags | 2;
  keptTopicBytes = bytes;
  keptBytes = length;
  memory.copy(KEPT, topic, bytes);
  memory.copy(KEPT + <usize>bytes, from, length);
  keptSent = false;
  if (phase == Phase.UP) putKept();
  return 0;
}

/** The kept message, with DUP when it was sent before (3.3.1.1). */
function putKept(): void {
  putHead(PUBLISH | keptFlags | (keptSent ? 8 : 0), 4 + keptTopicBytes + keptBytes);
  putString(KEPT, keptTopicBytes);
  putWord(keptId);
  putRun(KEPT + <usize>keptTopicBytes, keptBytes);
  keptSent = true;
}

/** Subscribes to a topic filter; the answer is an event. 0, -ENOTCONN or -EAGAIN. */
export function mqttSubscribe(filter: usize, bytes: u32, qos: u32): i32 {
  if (phase != Phase.UP) return -ENOTCONN;
  if (!packetFits(5 + bytes)) return -EAGAIN;
  putHead(SUBSCRIBE, 5 + bytes);
  putWord(nextId());
  putString(filter, bytes);
  putByte(qos);
  return 0;
}

function down(why: i32): u32 {
  if (fd >= 0) close(fd);
  fd = -1;
  phase = Phase.OFF;
  packetsReset();
  reason = why;
  sinceMs = clockMs();
  retryMs = retryMs == 0 ? FIRST_RETRY_MS : min<u32>(retryMs << 1, LAST_RETRY_MS);
  return Mqtt.DOWN;
}

function dial(): u32 {
  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) return down(fd);
  packetsReset();
  phase = Phase.DIALLING;
  sinceMs = clockMs();
  return dialled();
}

function dialled(): u32 {
  const to = changetype<SockAddrIn>(BROKER);
  to.sinFamily = <u16>AF_INET;
  to.sinPort = htons(me.port);
  to.sinAddr = htonl(me.address);
  const result = connect(fd, to);
  if (result == -EINPROGRESS || result == -EALREADY) return Mqtt.NONE;
  if (result < 0 && result != -EISCONN) return down(result);
  phase = Phase.ASKING;
  sinceMs = clockMs();
  pinging = false;
  introduce();
  return Mqtt.NONE;
}

/** CONNECT (3.1). */
function introduce(): void {
  const will = me.willTopicBytes != 0;
  const user = me.userBytes != 0;
  let bytes = 12 + me.idBytes;
  if (will) bytes += 4 + me.willTopicBytes + me.willBytes;
  if (user) bytes += 4 + me.userBytes + me.passwordBytes;
  if (!packetFits(bytes)) return;
  putHead(CONNECT, bytes);
  putWord(4);
  // "MQTT", level 4; the will has QoS 1 and is retained.
  putWord(0x4d51);
  putWord(0x5454);
  putByte(4);
  putByte((will ? 0x2c : 0) | (user ? 0xc0 : 0));
  putWord(me.keepAliveS);
  putString(me.id, me.idBytes);
  if (will) {
    putString(me.willTopic, me.willTopicBytes);
    putString(me.will, me.willBytes);
  }
  if (user) {
    putString(me.user, me.userBytes);
    putString(me.password, me.passwordBytes);
  }
}

/** Milliseconds until `mqttTurn` has something to do by the clock. */
export function mqttDueMs(): u32 {
  if (phase == Phase.OFF) return left(sinceMs, retryMs);
  if (phase != Phase.UP) return left(sinceMs, ANSWER_MS);
  if (pinging) return left(pingMs, ANSWER_MS);
  return me.keepAliveS == 0 ? 60_000 : left(spokeMs, <u32>me.keepAliveS * 750);
}

function left(startMs: u32, ms: u32): u32 {
  const passed = clockMs() - startMs;
  return passed >= ms ? 0 : ms - passed;
}

/** Does what can be done now, and tells one thing that has happened. */
export function mqttTurn(): u32 {
  if (phase == Phase.OFF) return mqttDueMs() == 0 ? dial() : Mqtt.NONE;
  if (phase == Phase.DIALLING) {
    const event = dialled();
    if (event != Mqtt.NONE || phase == Phase.DIALLING) {
      return event == Mqtt.NONE && mqttDueMs() == 0 ? down(-ETIMEDOUT) : event;
    }
  }
  let event: u32 = Mqtt.NONE;
  // An answer may be due to each packet, so none is read while there is no room for one.
  for (let packets: u32 = 0; packets < 8 && event == Mqtt.NONE && answerFits(); packets++) {
    const read = packetRead(fd);
    if (read < 0) return down(read);
    if (read == 0) break;
    event = take();
  }
  if (fd < 0) return event;
  if (phase == Phase.UP || phase == Phase.ASKING) tick();
  const before = packetsWaiting();
  const failed = packetsFlush(fd);
  if (failed < 0 && event == Mqtt.NONE) return down(failed);
  if (packetsWaiting() != before) spokeMs = clockMs();
  const waiting = phase == Phase.ASKING || pinging;
  return event == Mqtt.NONE && waiting && mqttDueMs() == 0 ? down(-ETIMEDOUT) : event;
}

/** Keep-alive (3.1.2.10): a ping when nothing else was said for three quarters of the time. */
function tick(): void {
  if (phase != Phase.UP || pinging || me.keepAliveS == 0 || mqttDueMs() != 0) return;
  if (!answerFits()) return;
  putHead(PINGREQ, 0);
  pinging = true;
  pingMs = clockMs();
}

/** Takes the packet that has come. */
function take(): u32 {
  const type = packetFirst() & 0xf0;
  const bytes = packetBytes();
  if (phase == Phase.ASKING) {
    if (packetFirst() != CONNACK || bytes != 2) return down(-EINVAL);
    return load<u8>(IN, 1) == 0 ? up() : down(<i32>load<u8>(IN, 1));
  }
  if (type == PUBLISH) return message(bytes);
  if (type == PINGRESP) {
    pinging = false;
    return Mqtt.NONE;
  }
  if (type == PUBACK && bytes == 2) {
    if (keptId == 0 || <u32>bswap<u16>(load<u16>(IN)) != keptId) return Mqtt.NONE;
    keptId = 0;
    return Mqtt.DELIVERED;
  }
  if (type == SUBACK && bytes == 3) {
    reason = <i32>load<u8>(IN, 2);
    return Mqtt.SUBSCRIBED;
  }
  return down(-EINVAL);
}

function up(): u32 {
  phase = Phase.UP;
  retryMs = 0;
  spokeMs = clockMs();
  if (keptId != 0) putKept();
  return Mqtt.UP;
}

function message(bytes: u32): u32 {
  const qos = (packetFirst() >>> 1) & 3;
  const idBytes: u32 = qos == 0 ? 0 : 2;
  topicBytes = bytes < 2 ? 0 : <u32>bswap<u16>(load<u16>(IN));
  payloadAt = 2 + topicBytes + idBytes;
  // We never subscribe with QoS 2, and a topic that does not fit into the packet is a lie.
  if (qos > 1 || payloadAt > bytes) return down(-EINVAL);
  if (qos == 1) {
    const id = <u32>bswap<u16>(load<u16>(IN + <usize>(2 + topicBytes)));
    putHead(PUBACK, 2);
    putWord(id);
  }
  return Mqtt.MESSAGE;
}
