/**
 * A lamp that is switched by MQTT 3.1.1 (the template `mqtt`): "on" or "off" to the topic lamp/set switches the LED, lamp/state says
 * how it is and is kept by the broker, which says "gone" there once the lamp no longer answers. The broker is the host `broker` of the
 * settings block (`--host broker=192.168.1.9` of `sim` and `flash`), or else the router.
 */
import { led } from "as-tcpip/gpio";
import { log0, log1 } from "as-tcpip/log";
import {
  Mqtt,
  MqttIdentity,
  mqttBegin,
  mqttDueMs,
  mqttFd,
  mqttPayload,
  mqttPayloadBytes,
  mqttPublish,
  mqttReason,
  mqttSubscribe,
  mqttTurn,
  mqttWants,
} from "as-tcpip/mqtt";
import { PollFd, netAddress, netGateway, netPoll, netStart, poll } from "as-tcpip/net";
import { settingsHost } from "as-tcpip/settings";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";

const PORT: u16 = 1883;
const KEEP_ALIVE_S: u16 = 30;
const IDENTITY: usize = memory.data(offsetof<MqttIdentity>(), 4);
const WATCH: usize = memory.data(8, 4);

let lit: bool = false;

/** Who we are, and what the broker is to say when we are gone. */
function introduce(): void {
  const me = changetype<MqttIdentity>(IDENTITY);
  const name = text("broker");
  const broker = settingsHost(textAddress(name), textBytes(name));
  me.address = broker != 0 ? broker : netGateway();
  me.port = PORT;
  me.keepAliveS = KEEP_ALIVE_S;
  me.id = textAddress(text("lamp"));
  me.idBytes = textBytes(text("lamp"));
  me.willTopic = textAddress(text("lamp/state"));
  me.willTopicBytes = textBytes(text("lamp/state"));
  me.will = textAddress(text("gone"));
  me.willBytes = textBytes(text("gone"));
  me.willRetain = 1;
  log1("info: broker %i", me.address);
  mqttBegin(me);
}

function tellState(): void {
  const topic = text("lamp/state");
  const state: Text = lit ? text("on") : text("off");
  mqttPublish(textAddress(topic), textBytes(topic), textAddress(state), textBytes(state), 0, true);
}

/** True when the message is this word. */
function says(word: Text): bool {
  if (mqttPayloadBytes() != textBytes(word)) return false;
  return memory.compare(mqttPayload(), textAddress(word), textBytes(word)) == 0;
}

function handle(event: u32): void {
  switch (event) {
    case <u32>Mqtt.UP: {
      const topic = text("lamp/set");
      log0("info: connected");
      mqttSubscribe(textAddress(topic), textBytes(topic), 1);
      tellState();
      break;
    }
    case <u32>Mqtt.MESSAGE:
      // Only what we have asked for comes: lamp/set.
      if (!says(text("on")) && !says(text("off"))) return;
      lit = says(text("on"));
      led(lit);
      tellState();
      break;
    case <u32>Mqtt.DOWN:
      log1("warn: no broker (%d); trying again", <u32>mqttReason());
      break;
  }
}

export function main(): void {
  if (netStart() < 0) return;
  led(false);
  while (netAddress() == 0 || netGateway() == 0) netPoll(1000);
  introduce();
  const watch = changetype<PollFd>(WATCH);
  for (;;) {
    watch.fd = mqttFd();
    watch.events = <u16>mqttWants();
    poll(WATCH, 1, <i32>mqttDueMs());
    for (let event = mqttTurn(); event != Mqtt.NONE; event = mqttTurn()) handle(event);
  }
}
