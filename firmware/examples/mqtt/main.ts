/**
 * MQTT 3.1.1 client: tells the broker (the host `broker`, or the router, port 1883) every ten seconds how long it runs, says what
 * is sent to `NAME/say`, and has "offline" told of it when it is gone. NAME is the host name. `mqtt5` is the same by MQTT 5.
 */
import {
  putCharacter,
  putHex,
  putNumber,
  putText,
  writeTo,
  written,
} from "as-tcpip/firmware/services/writer";
import { log0, log1, log2 } from "as-tcpip/log";
import { PollFd, netAddress, netStart, poll } from "as-tcpip/net";
import { uptimeSeconds } from "as-tcpip/netstat";
import {
  SettingsFlag,
  settingsHas,
  settingsHostName,
  settingsHostNameBytes,
} from "as-tcpip/settings";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";
import { serverOf } from "../common";
import {
  Mqtt,
  MqttIdentity,
  mqttBegin,
  mqttDropped,
  mqttDueMs,
  mqttFd,
  mqttPayload,
  mqttPayloadBytes,
  mqttPublish,
  mqttQos,
  mqttReason,
  mqttRetained,
  mqttSubscribe,
  mqttTurn,
  mqttWants,
} from "as-tcpip/mqtt";

const PERIOD_MS: u32 = 10_000;
/** What was sent to us while we were gone is kept for an hour. */
const SESSION_S: u32 = 3600;
const NAME_BYTES: u32 = 32;
const TOPIC_BYTES: u32 = 48;
const NAME: usize = memory.data(NAME_BYTES, 4);
const WILL_TOPIC: usize = memory.data(TOPIC_BYTES, 4);
const TOPIC: usize = memory.data(TOPIC_BYTES, 4);
const VALUE: usize = memory.data(16, 4);
const IDENTITY: usize = memory.data(offsetof<MqttIdentity>(), 4);
const WATCH: usize = memory.data(8, 4);

let nameBytes: u32 = 0;
let valueMs: u32 = 0;

/** The host name, or one that no other device of this network has. */
function name(): void {
  if (settingsHas(SettingsFlag.HOST_NAME)) {
    nameBytes = min<u32>(settingsHostNameBytes(), NAME_BYTES);
    memory.copy(NAME, settingsHostName(), nameBytes);
    return;
  }
  writeTo(NAME, NAME_BYTES);
  putText(text("as-tcpip-"));
  putHex(netAddress(), 8);
  nameBytes = written();
}

/** NAME/`last`: its bytes. */
function topic(to: usize, last: Text): u32 {
  memory.copy(to, NAME, nameBytes);
  writeTo(to + <usize>nameBytes, TOPIC_BYTES - nameBytes);
  putCharacter(0x2f);
  putText(last);
  return nameBytes + written();
}

function introduce(level: u32, broker: u32): void {
  const me = changetype<MqttIdentity>(IDENTITY);
  const offline = text("offline");
  me.address = broker;
  me.port = 1883;
  me.keepAliveS = 30;
  me.level = <u16>level;
  me.sessionS = SESSION_S;
  me.id = NAME;
  me.idBytes = nameBytes;
  me.willTopic = WILL_TOPIC;
  me.willTopicBytes = topic(WILL_TOPIC, text("state"));
  me.will = textAddress(offline);
  me.willBytes = textBytes(offline);
  me.willQos = 1;
  me.willRetain = 1;
  log1("info: MQTT broker %i", me.address);
  mqttBegin(me);
}

function onUp(): void {
  const online = text("online");
  log0("info: MQTT connected");
  mqttSubscribe(TOPIC, topic(TOPIC, text("say")), 2);
  mqttPublish(TOPIC, topic(TOPIC, text("state")), textAddress(online), textBytes(online), 0, true);
}

/** Messages that were too long, of which was told already. */
let toldDropped: u32 = 0;

function tellDropped(): void {
  if (mqttDropped() == toldDropped) return;
  toldDropped = mqttDropped();
  log1("warn: MQTT messages dropped: %u", toldDropped);
}

/** Says back what it was told to say, as surely as it was told when no other message is under way, and at all by QoS 0. */
function onMessage(): void {
  // What the broker has kept for newcomers was said to somebody before us.
  if (mqttRetained()) return log1("info: MQTT message of %u bytes, retained", mqttPayloadBytes());
  log1("info: MQTT message of %u bytes", mqttPayloadBytes());
  const bytes = topic(TOPIC, text("said"));
  if (mqttPublish(TOPIC, bytes, mqttPayload(), mqttPayloadBytes(), mqttQos(), false) == 0) return;
  mqttPublish(TOPIC, bytes, mqttPayload(), mqttPayloadBytes(), 0, false);
}

function tell(): void {
  const bytes = topic(TOPIC, text("uptime"));
  writeTo(VALUE, 16);
  putNumber(uptimeSeconds());
  // Without a connection it waits; the values in between are left out.
  if (mqttPublish(TOPIC, bytes, VALUE, written(), 1, false) == 0) valueMs = clockMs();
  else valueMs = clockMs() - PERIOD_MS + 1000;
}

function handle(event: u32): void {
  switch (event) {
    case <u32>Mqtt.UP:
      return onUp();
    case <u32>Mqtt.MESSAGE:
      return onMessage();
    case <u32>Mqtt.SUBSCRIBED:
      if (mqttReason() >= 128) log0("warn: MQTT subscription refused");
      break;
    case <u32>Mqtt.REFUSED:
      log1("warn: MQTT message refused (%u)", <u32>mqttReason());
      break;
    case <u32>Mqtt.DOWN:
      // Above 0: the broker's word in CONNACK.
      if (mqttReason() > 0) log1("warn: MQTT broker refuses (%u)", <u32>mqttReason());
      else log2("warn: MQTT down (error %d), again in %u ms", <u32>-mqttReason(), mqttDueMs());
      break;
  }
}

export function main(): void {
  runMqtt(4);
}

/** The example by MQTT 3.1.1 (level 4) or 5. */
export function runMqtt(level: u32): void {
  if (netStart() < 0) return;
  // The name may be made of the address, which is there then.
  const broker = serverOf(text("broker"));
  name();
  introduce(level, broker);
  const watch = changetype<PollFd>(WATCH);
  for (;;) {
    watch.fd = mqttFd();
    watch.events = <u16>mqttWants();
    const passed = clockMs() - valueMs;
    const wait = min<u32>(mqttDueMs(), passed >= PERIOD_MS ? 0 : PERIOD_MS - passed);
    poll(WATCH, 1, <i32>wait);
    for (let event = mqttTurn(); event != Mqtt.NONE; event = mqttTurn()) handle(event);
    tellDropped();
    if (clockMs() - valueMs >= PERIOD_MS) tell();
  }
}
