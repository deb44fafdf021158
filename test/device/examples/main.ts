/**
 * The example programs of firmware/examples in one image, so that their tests compile once (test/apps/examples.ts): the
 * HTTP port of the settings chooses one.
 */
import { settingsHttpPort } from "as-tcpip/settings";
import { main as echoBlocking } from "../../../firmware/examples/echo-blocking/main";
import { main as echoEpoll } from "../../../firmware/examples/echo-epoll/main";
import { main as echoLoop } from "../../../firmware/examples/echo-loop/main";
import { main as echoPoll } from "../../../firmware/examples/echo-poll/main";
import { main as echoRing } from "../../../firmware/examples/echo-ring/main";
import { main as echoSelect } from "../../../firmware/examples/echo-select/main";
import { main as chat } from "../../../firmware/examples/chat/main";
import { main as console } from "../../../firmware/examples/console/main";
import { main as get } from "../../../firmware/examples/get/main";
import { main as mail } from "../../../firmware/examples/mail/main";
import { main as mqtt } from "../../../firmware/examples/mqtt/main";
import { main as mqtt5 } from "../../../firmware/examples/mqtt5/main";
import { main as syslog } from "../../../firmware/examples/syslog/main";
import { main as iperf } from "../../../firmware/examples/iperf/main";
import { main as iperfClient } from "../../../firmware/examples/iperf-client/main";
import { main as tftp } from "../../../firmware/examples/tftp/main";
import { main as workerOne } from "../../../firmware/examples/worker-one/main";
import { main as workerReuseport } from "../../../firmware/examples/worker-reuseport/main";
import { main as workerShared } from "../../../firmware/examples/worker-shared/main";

export function main(): void {
  switch (settingsHttpPort(0)) {
    case 20:
      return echoBlocking();
    case 21:
      return echoPoll();
    case 22:
      return echoSelect();
    case 23:
      return echoEpoll();
    case 24:
      return echoRing();
    case 25:
      return echoLoop();
    case 26:
      return workerOne();
    case 27:
      return workerShared();
    case 28:
      return workerReuseport();
    case 30:
      return iperf();
    case 32:
      return iperfClient();
    case 31:
      return tftp();
    case 40:
      return syslog();
    case 41:
      return mail();
    case 42:
      return get();
    case 43:
      return mqtt();
    case 44:
      return console();
    case 45:
      return chat();
    case 46:
      return mqtt5();
  }
}
