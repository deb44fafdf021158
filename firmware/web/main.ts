/**
 * A board on a page: its LED is switched from browsers, its button is seen in all of them at once (server-sent events). Beside the web
 * server there is a socket of one's own, the echo of port 7.
 */
import { button, buttonBegin, gpioWatch, led, BUTTON_PIN, GPIO_BOTH } from "as-tcpip/gpio";
import { HTTP_FOREVER, HTTP_GET, HTTP_POST, httpListen, httpNext, httpRoute } from "as-tcpip/http";
import { eventBegin, eventEnd, httpAnswer, httpEvents, httpWait, httpWake } from "as-tcpip/http";
import { httpError, httpParam, httpParamIs, httpStep } from "as-tcpip/http";
import { jsonBool, jsonKey, jsonObject, jsonObjectEnd } from "as-tcpip/http";
import { netStart } from "as-tcpip/net";
import { text } from "as-tcpip/text";
import { echoCall, echoListen, echoTurn } from "./echo";

const enum On {
  LED = 1,
  EVENTS,
  BUTTON,
  ECHO_CALL,
  ECHO,
}

let lit: bool = false;

function putState(): void {
  jsonObject();
  jsonKey(text("lit"));
  jsonBool(lit);
  jsonKey(text("pressed"));
  jsonBool(button());
  jsonObjectEnd();
}

/** POST /led with `on=1` or `on=0`. */
function onLed(): void {
  if (!httpParam(text("on"))) return httpError(400);
  lit = httpParamIs(text("1"));
  led(lit);
  httpWake(On.EVENTS);
  httpAnswer(200, text("application/json"));
  putState();
}

/** One event at once, and one at each change. */
function onEvents(): void {
  if (httpStep() == 0 && !httpEvents()) return;
  eventBegin();
  putState();
  eventEnd();
  httpWait(HTTP_FOREVER);
}

export function main(): void {
  if (netStart() < 0) return;
  led(false);
  buttonBegin();
  gpioWatch(BUTTON_PIN, GPIO_BOTH, On.BUTTON);
  httpRoute(HTTP_POST, text("/led"), On.LED);
  httpRoute(HTTP_GET, text("/events"), On.EVENTS);
  httpListen(80);
  echoListen(7, On.ECHO_CALL);
  for (;;) {
    switch (httpNext()) {
      case <u32>On.LED:
        onLed();
        break;
      case <u32>On.EVENTS:
        onEvents();
        break;
      case <u32>On.BUTTON:
        httpWake(On.EVENTS);
        break;
      case <u32>On.ECHO_CALL:
        echoCall(On.ECHO);
        break;
      case <u32>On.ECHO:
        echoTurn(On.ECHO);
        break;
    }
  }
}
