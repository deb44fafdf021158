/** The MQTT example (`mqtt`) by MQTT 5. */
import { runMqtt } from "../mqtt/main";

export function main(): void {
  runMqtt(5);
}
