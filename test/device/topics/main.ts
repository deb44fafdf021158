/** What may be published and subscribed to (test/apps/mqtt-topics.test.ts), without a broker: each result is a line of the log. */
import { log2 } from "as-tcpip/log";
import {
  MqttIdentity,
  mqttBegin,
  mqttPublish,
  mqttSubscribe,
  mqttUnsubscribe,
} from "as-tcpip/mqtt";
import { netPoll, netStart } from "as-tcpip/net";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";

const IDENTITY: usize = memory.data(64, 4);

function publish(step: u32, topic: Text, qos: u32): void {
  const result = mqttPublish(textAddress(topic), textBytes(topic), 0, 0, qos, false);
  log2("info: step %u gives %d", step, <u32>result);
}

function tell(step: u32, result: i32): void {
  log2("info: step %u gives %d", step, <u32>result);
}

function subscribe(step: u32, filter: Text): void {
  tell(step, mqttSubscribe(textAddress(filter), textBytes(filter), 0));
}

export function main(): void {
  if (netStart() < 0) return;
  mqttBegin(changetype<MqttIdentity>(IDENTITY));
  const filter = text("lamp/#");
  publish(1, text("lamp/#"), 1);
  publish(2, text("+/state"), 2);
  publish(3, text("a\0b"), 1);
  publish(4, text(""), 1);
  publish(5, text("lamp/state"), 3);
  publish(6, text("lamp/state"), 0);
  // Without a connection it is kept, and there is no room for a second one.
  publish(7, text("lamp/state"), 1);
  publish(8, text("lamp/state"), 1);
  tell(9, mqttSubscribe(textAddress(filter), 0, 0));
  tell(10, mqttSubscribe(textAddress(filter), textBytes(filter), 3));
  tell(11, mqttSubscribe(textAddress(filter), textBytes(filter), 2));
  tell(12, mqttUnsubscribe(textAddress(filter), 0));
  subscribe(13, text("a/#/b"));
  subscribe(14, text("a#"));
  subscribe(15, text("a+/b"));
  subscribe(16, text("a\0"));
  subscribe(17, text("+/+/#"));
  tell(99, 0);
  for (;;) netPoll(1000);
}
