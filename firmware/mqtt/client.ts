/**
 * MQTT client (3.1.1 and 5), without waiting: publishes and subscribes with QoS 0, 1 and 2, with a last will and keep-alive, and
 * connects again by itself. The session is kept, so a message of QoS 1 or 2 whose delivery was not finished goes on after the next
 * connection. The application waits with poll() for `mqttFd`, `mqttWants` and `mqttDueMs`, then asks for what has happened:
 *
 *     for (let event = mqttTurn(); event != Mqtt.NONE; event = mqttTurn()) …
 */
import {
  AF_INET,
  EAGAIN,
  ECONNRESET,
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
  MqttIdentity,
  connectAnswer,
  connectAsk,
  connectKeepAliveS,
  connectLongest,
  connectQos,
  connectRetains,
} from "./connect";
import {
  MALFORMED,
  Mqtt,
  PROTOCOL_ERROR,
  TOO_LARGE,
  incomingReason,
  incomingTake,
} from "./incoming";
import {
  CONNACK,
  DISCONNECT,
  PINGREQ,
  PINGRESP,
  PUBLISH,
  SUBSCRIBE,
  UNSUBSCRIBE,
  answerFits,
  byteAt,
  isFive,
  noProperties,
  packetBytes,
  packetCut,
  packetFirst,
  packetFits,
  packetFitsAlone,
  packetRead,
  packetsFlush,
  packetsReset,
  packetsWaiting,
  putByte,
  putHead,
  putNoProperties,
  putRun,
  putString,
  putWord,
} from "./packets";
import {
  sessionBegin,
  sessionBusy,
  sessionFits,
  sessionId,
  sessionKeep,
  sessionLost,
  sessionSend,
  sessionTooLong,
} from "./session";
import { isTopicFilter, isTopicName } from "./topic";

export { MqttIdentity } from "./connect";
export {
  Mqtt,
  mqttDropped,
  mqttPayload,
  mqttPayloadBytes,
  mqttQos,
  mqttRetained,
  mqttTopic,
  mqttTopicBytes,
} from "./incoming";

const enum Phase {
  /** Waits to connect again. */
  OFF,
  DIALLING,
  /** CONNECT is sent. */
  ASKING,
  UP,
  /** `mqttEnd` was called. */
  ENDED,
}

/** Longest wait for the connection, for CONNACK and for PINGRESP, ms. */
const ANSWER_MS: u32 = 10_000;
const FIRST_RETRY_MS: u32 = 1000;
const LAST_RETRY_MS: u32 = 64_000;
/**
 * A connection that has lasted less does not begin the waits anew: a broker that ends each one, because of a message that comes again and
 * again or another client with our name, is asked less and less often.
 */
const STEADY_MS: u32 = 10_000;
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
/** No connection since `mqttBegin`: there is no session yet (MQTT 5). */
let fresh: bool = true;
/** Something to tell at the next turn. */
let owed: u32 = Mqtt.NONE;

/** Sets who we are; `mqttTurn` connects. */
export function mqttBegin(identity: MqttIdentity): void {
  me = identity;
  sinceMs = clockMs();
  retryMs = 0;
  phase = Phase.OFF;
  fresh = true;
  owed = Mqtt.NONE;
  sessionBegin();
}

/**
 * Says goodbye, so that the last will is not told, and ends the connection and the session of this side. `mqttBegin` begins anew.
 * What the socket does not take at once is lost.
 */
export function mqttEnd(): void {
  if (phase == Phase.UP && packetFits(0)) {
    putHead(DISCONNECT, 0);
    packetsFlush(fd);
  }
  if (fd >= 0) close(fd);
  fd = -1;
  phase = Phase.ENDED;
}

export function mqttFd(): i32 {
  return fd;
}

/** What poll() shall wait for. */
export function mqttWants(): u32 {
  if (phase == Phase.DIALLING) return POLLOUT;
  return (answerFits() ? POLLIN : 0) | (packetsWaiting() != 0 ? POLLOUT : 0);
}

/** Why: an errno below 0, or the broker's word; with SUBSCRIBED the QoS, with REFUSED the broker's word. */
export function mqttReason(): i32 {
  return reason;
}

/**
 * Publishes. With `qos` 1 or 2 one message at a time is under way, and it is kept until it has arrived, whatever happens to the
 * connection. 0, -ENOTCONN (only QoS 0), -EAGAIN (try again after the next turn), -EMSGSIZE, or -EINVAL (QoS 3; no topic, or one with a
 * wildcard or that is no UTF-8, at which a broker would end each connection anew).
 */
export function mqttPublish(
  topic: usize,
  bytes: u32,
  from: usize,
  length: u32,
  qos: u32,
  retain: bool,
): i32 {
  if (qos > 2) return -EINVAL;
  if (bytes > 0xffff || length > 0xffff || !sessionFits(bytes + length)) return -EMSGSIZE;
  if (!isTopicName(topic, bytes)) return -EINVAL;
  const up = phase == Phase.UP;
  const packet = bytes + length + noProperties() + (qos == 0 ? 2 : 4);
  if (up && packet + 3 > connectLongest()) return -EMSGSIZE;
  if (qos != 0) {
    if (sessionBusy() || (up && !packetFits(packet))) return -EAGAIN;
    sessionKeep(topic, bytes, from, length, (qos << 1) | (retain ? 1 : 0));
    if (up) sessionSend(connectQos(), connectRetains());
    return 0;
  }
  if (!up) return -ENOTCONN;
  if (!packetFits(packet)) return -EAGAIN;
  putHead(PUBLISH | (retain && connectRetains() ? 1 : 0), packet);
  putString(topic, bytes);
  putNoProperties();
  putRun(from, length);
  return 0;
}

/** Subscribes to a topic filter; the answer is an event. 0, -ENOTCONN, -EAGAIN, -EMSGSIZE, or -EINVAL (QoS 3; no filter, or a broken one). */
export function mqttSubscribe(filter: usize, bytes: u32, qos: u32): i32 {
  return ask(SUBSCRIBE, filter, bytes, qos);
}

/** Takes a subscription back; the answer is an event. 0, -ENOTCONN, -EAGAIN, -EMSGSIZE, or -EINVAL (no filter, or a broken one). */
export function mqttUnsubscribe(filter: usize, bytes: u32): i32 {
  return ask(UNSUBSCRIBE, filter, bytes, 0);
}

function ask(type: u32, filter: usize, bytes: u32, qos: u32): i32 {
  if (qos > 2 || !isTopicFilter(filter, bytes)) return -EINVAL;
  if (phase != Phase.UP) return -ENOTCONN;
  const packet: u32 = 4 + noProperties() + bytes + (type == SUBSCRIBE ? 1 : 0);
  if (!packetFitsAlone(packet) || packet + 3 > connectLongest()) return -EMSGSIZE;
  if (!packetFits(packet)) return -EAGAIN;
  putHead(type, packet);
  putWord(sessionId());
  putNoProperties();
  putString(filter, bytes);
  if (type == SUBSCRIBE) putByte(qos);
  return 0;
}

function down(why: i32): u32 {
  if (fd >= 0) close(fd);
  fd = -1;
  if (phase == Phase.UP && clockMs() - sinceMs >= STEADY_MS) retryMs = 0;
  phase = Phase.OFF;
  reason = why;
  sinceMs = clockMs();
  retryMs = retryMs == 0 ? FIRST_RETRY_MS : min<u32>(retryMs << 1, LAST_RETRY_MS);
  return Mqtt.DOWN;
}

function dial(): u32 {
  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) return down(fd);
  packetsReset(me.level);
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
  return connectAsk(me, fresh && isFive()) ? Mqtt.NONE : down(-EMSGSIZE);
}

/** Milliseconds until `mqttTurn` has something to do by the clock. */
export function mqttDueMs(): u32 {
  if (phase == Phase.ENDED) return u32.MAX_VALUE;
  if (phase == Phase.OFF) return left(sinceMs, retryMs);
  if (phase != Phase.UP) return left(sinceMs, ANSWER_MS);
  if (pinging) return left(pingMs, ANSWER_MS);
  if (owed != Mqtt.NONE) return 0;
  const keepAliveS = connectKeepAliveS();
  return keepAliveS == 0 ? 60_000 : left(spokeMs, keepAliveS * 750);
}

function left(startMs: u32, ms: u32): u32 {
  const passed = clockMs() - startMs;
  return passed >= ms ? 0 : ms - passed;
}

/** Does what can be done now, and tells one thing that has happened. */
export function mqttTurn(): u32 {
  if (phase == Phase.ENDED) return Mqtt.NONE;
  if (owed != Mqtt.NONE) {
    const event = owed;
    owed = Mqtt.NONE;
    return event;
  }
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
  if (phase != Phase.UP || pinging || connectKeepAliveS() == 0 || mqttDueMs() != 0) return;
  if (!answerFits()) return;
  putHead(PINGREQ, 0);
  pinging = true;
  pingMs = clockMs();
}

/** Takes the packet that has come. */
function take(): u32 {
  const first = packetFirst();
  if (phase == Phase.ASKING) return first == CONNACK && !packetCut() ? answered() : fail(MALFORMED);
  if (first == PINGRESP && packetBytes() == 0) {
    pinging = false;
    return Mqtt.NONE;
  }
  if (first == DISCONNECT && isFive()) {
    const why = packetBytes() == 0 ? 0 : <i32>byteAt(0);
    return down(why == 0 ? -ECONNRESET : why);
  }
  const event = incomingTake();
  if (event < 0) return fail(<u32>-event);
  if (event == Mqtt.SUBSCRIBED || event == Mqtt.REFUSED) reason = incomingReason();
  return <u32>event;
}

/** The broker has sent what it may not: with MQTT 5 it is told so (4.13). */
function fail(code: u32): u32 {
  if (isFive()) {
    putHead(DISCONNECT, 1);
    putByte(code);
    packetsFlush(fd);
  }
  return down(-EINVAL);
}

/** CONNACK has come. */
function answered(): u32 {
  const why = connectAnswer();
  if (why != 0) return why < 0 ? fail(MALFORMED) : down(why);
  const kept = byteAt(0) == 1;
  // We have asked for a new one (3.2.2.1.1).
  if (kept && fresh && isFive()) return fail(PROTOCOL_ERROR);
  fresh = false;
  phase = Phase.UP;
  sinceMs = clockMs();
  spokeMs = sinceMs;
  if (!kept && sessionLost()) owed = Mqtt.DELIVERED;
  if (sessionTooLong(connectLongest())) {
    owed = Mqtt.REFUSED;
    reason = <i32>TOO_LARGE;
  }
  sessionSend(connectQos(), connectRetains());
  return Mqtt.UP;
}
