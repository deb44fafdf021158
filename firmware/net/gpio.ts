/**
 * Digital pins (`as-tcpip/gpio`). Every board has a status LED and a button; the numbers of the other pins are those of its maker
 * (docs/boards.md). Edges of watched pins are events of `loopNext` and `httpNext`.
 */
import {
  BUTTON_PIN,
  BUTTON_PRESSED,
  LED_LIT,
  LED_PIN,
  gpioArm,
  gpioEdges,
  gpioMode,
  gpioRead,
  gpioWrite,
} from "board";
import { GPIO_OUTPUT, GPIO_PULL_DOWN, GPIO_PULL_UP } from "../../hal/names/gpio-modes";
import { GPIO_WATCHES } from "../../stack/config";
import { EBUSY, EINVAL, ENOBUFS } from "../../stack/errors";

export { BUTTON_PIN, BUTTON_PRESSED, LED_LIT, LED_PIN, gpioRead, gpioWrite };
export { GPIO_INPUT, GPIO_PULL_DOWN, GPIO_PULL_UP } from "../../hal/names/gpio-modes";

/** Edges for `gpioWatch`. */
export const GPIO_RISING: u32 = 1;
export const GPIO_FALLING: u32 = 2;
export const GPIO_BOTH: u32 = 3;

/** A pin that is watched. */
@unmanaged
class Watch {
  pin: u8;
  /** Edges that are asked for, and those that wait to be told. */
  asked: u8;
  found: u8;
  level: u8;
  handler: u32;
}

let watches: u32 = 0;
let toldPin: u32 = 0;
let toldEdges: u32 = 0;

function watchAt(index: u32): Watch {
  const WATCHES: usize = memory.data(GPIO_WATCHES * offsetof<Watch>(), 4);
  return changetype<Watch>(WATCHES + <usize>(index * offsetof<Watch>()));
}

/** Makes a pin an input: GPIO_INPUT (floating), GPIO_PULL_UP or GPIO_PULL_DOWN. */
export function gpioInput(pin: u32, mode: u32): void {
  gpioMode(pin, mode);
}

/** Makes a pin an output that has its level from the first moment. */
export function gpioOutput(pin: u32, high: bool): void {
  gpioWrite(pin, high);
  gpioMode(pin, GPIO_OUTPUT);
  gpioWrite(pin, high);
}

/** Switches the status LED. */
export function led(lit: bool): void {
  gpioOutput(LED_PIN, lit == LED_LIT);
}

/** Makes the pin of the button an input, as `button` and `buttonWatch` need it. */
export function buttonBegin(): void {
  gpioMode(BUTTON_PIN, BUTTON_PRESSED ? GPIO_PULL_DOWN : GPIO_PULL_UP);
}

/** True while the button is pressed. */
export function button(): bool {
  return gpioRead(BUTTON_PIN) == BUTTON_PRESSED;
}

/**
 * Has `loopNext` and `httpNext` give `handler` (not 0) after an edge of a pin; `gpioPin` and `gpioEdge` then say which. A pin
 * is an input before that. 0, -ENOBUFS (GPIO_WATCHES), -EBUSY (on an STM32 pins of one number share a line, and INTn has line 1).
 * A contact bounces: one press may be several edges.
 */
export function gpioWatch(pin: u32, edges: u32, handler: u32): i32 {
  if (GPIO_WATCHES == 0) ERROR("gpioWatch needs GPIO_WATCHES in app.json");
  if (handler == 0 || edges == 0 || edges > GPIO_BOTH) return -EINVAL;
  if (watches == GPIO_WATCHES) return -ENOBUFS;
  if (!gpioArm(pin)) return -EBUSY;
  const watch = watchAt(watches++);
  watch.pin = <u8>pin;
  watch.asked = <u8>edges;
  watch.found = 0;
  watch.level = <u8>gpioRead(pin);
  watch.handler = handler;
  return 0;
}

/** The same for the button, when it is pressed. */
export function buttonWatch(handler: u32): i32 {
  buttonBegin();
  return gpioWatch(BUTTON_PIN, BUTTON_PRESSED ? GPIO_RISING : GPIO_FALLING, handler);
}

/** The pin of the last event, and its edges: GPIO_RISING, GPIO_FALLING, both for a pulse. */
export function gpioPin(): u32 {
  return toldPin;
}

export function gpioEdge(): u32 {
  return toldEdges;
}

/** Looks at the watched pins; true when an edge waits to be told. Ends the waits of poll() and epoll. */
export function gpioNews(): bool {
  let news = false;
  for (let i: u32 = 0; i < watches; i++) {
    const watch = watchAt(i);
    if (gpioEdges(watch.pin)) {
      const level = <u8>gpioRead(watch.pin);
      const changed: u32 = level != 0 ? GPIO_RISING : GPIO_FALLING;
      watch.found |= <u8>((level == watch.level ? GPIO_BOTH : changed) & (<u32>watch.asked));
      watch.level = level;
    }
    if (watch.found != 0) news = true;
  }
  return news;
}

/** The handler of the next pin that has had an edge; 0 = none. */
export function gpioNext(): u32 {
  if (!gpioNews()) return 0;
  for (let i: u32 = 0; i < watches; i++) {
    const watch = watchAt(i);
    if (watch.found == 0) continue;
    toldPin = watch.pin;
    toldEdges = watch.found;
    watch.found = 0;
    return watch.handler;
  }
  return 0;
}
