/** Pins by the event loop: the button switches the LED, pin 4 follows pin 3 (test/apps/gpio.test.ts). */
import {
  BUTTON_PIN,
  GPIO_BOTH,
  GPIO_FALLING,
  GPIO_PULL_DOWN,
  GPIO_RISING,
  button,
  buttonWatch,
  gpioEdge,
  gpioInput,
  gpioOutput,
  gpioPin,
  gpioRead,
  gpioWatch,
  gpioWrite,
  led,
} from "as-tcpip/gpio";
import { log1, log2 } from "as-tcpip/log";
import { loopNext, loopTimer, netStart } from "as-tcpip/net";

const enum On {
  BUTTON = 1,
  PIN,
  TICK,
}

const INPUT_PIN: u32 = 3;
const OUTPUT_PIN: u32 = 4;

export function main(): void {
  if (netStart() < 0) return;
  let lit = false;
  led(false);
  gpioInput(INPUT_PIN, GPIO_PULL_DOWN);
  gpioOutput(OUTPUT_PIN, gpioRead(INPUT_PIN));
  log1("info: watching gives %d", <u32>buttonWatch(On.BUTTON));
  log1("info: watching gives %d", <u32>gpioWatch(INPUT_PIN, GPIO_BOTH, On.PIN));
  log1("info: watching too many gives %d", <u32>gpioWatch(5, GPIO_RISING, On.PIN));
  log1("info: watching no edge gives %d", <u32>gpioWatch(5, 0, On.PIN));
  loopTimer(60_000, 60_000, On.TICK, 0);
  for (;;) {
    switch (loopNext()) {
      case <u32>On.BUTTON:
        lit = !lit;
        led(lit);
        log2(
          "info: button %u, pressed %u",
          gpioPin() == BUTTON_PIN && gpioEdge() == GPIO_FALLING ? 1 : 0,
          button() ? 1 : 0,
        );
        break;
      case <u32>On.PIN:
        gpioWrite(OUTPUT_PIN, gpioRead(INPUT_PIN));
        log1("info: edges %u", gpioEdge());
        break;
    }
  }
}
