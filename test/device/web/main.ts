/** A web server with one route for each thing that as-tcpip/http can do; test/apps/http-face.test.ts asks for them. */
import { buttonWatch, led } from "as-tcpip/gpio";
import {
  HTTP_DELETE,
  HTTP_GET,
  HTTP_POST,
  HTTP_PUT,
  HTTP_TELL,
  HTTP_UPLOAD,
  HttpEvent,
  JSON_END,
  JSON_KEY,
  JSON_NUMBER,
  JSON_TEXT,
  eventBegin,
  eventEnd,
  httpAnswer,
  httpAnswerField,
  httpBody,
  httpData,
  httpDataBytes,
  httpError,
  httpEvent,
  httpEvents,
  httpField,
  httpKeepField,
  httpKeptAt,
  httpKeptBytes,
  httpListen,
  httpMethod,
  httpMore,
  httpNext,
  httpParam,
  httpParamCopy,
  httpParamIs,
  httpParamNumber,
  httpRest,
  httpRoom,
  httpRoute,
  httpState,
  httpStep,
  httpTimer,
  httpWait,
  httpWake,
  HTTP_FOREVER,
  jsonArray,
  jsonArrayEnd,
  jsonBool,
  jsonCopy,
  jsonInt,
  jsonIs,
  jsonNext,
  jsonRead,
  jsonSkip,
  jsonBytes,
  jsonInteger,
  jsonKey,
  jsonNull,
  jsonNumber,
  jsonObject,
  jsonObjectEnd,
  putBytes,
  putNumber,
  putText,
  setHttpState,
  webSocketAccept,
  webSocketBinary,
  webSocketClose,
  webSocketCode,
  webSocketIsFirst,
  webSocketIsLast,
  webSocketIsText,
  webSocketText,
} from "as-tcpip/http";
import { log0, log1 } from "as-tcpip/log";
import { netStart } from "as-tcpip/net";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";

const enum On {
  HELLO = 1,
  PARAMS,
  THINGS,
  JSON,
  COUNT,
  UPLOAD,
  EVENTS,
  TICK,
  SILENT,
  SOCKET,
  BUTTON,
  TOKENS,
}

const BUFFER: usize = memory.data(64, 4);
const PLAIN = text("text/plain");
let authorization: i32 = 0;
let ticks: u32 = 0;

function onHello(): void {
  httpAnswer(200, PLAIN);
  httpAnswerField(text("X-Greeting"), text("yes"));
  putText(text("hello "));
  if (httpField(authorization)) putBytes(httpKeptAt(), httpKeptBytes());
}

/** Query or form: `name`, `count`, `mode`; or `status`, which is the answer. */
function onParams(): void {
  if (httpParam(text("status"))) return httpError(httpParamNumber(0));
  httpAnswer(200, text("application/json"));
  jsonObject();
  jsonKey(text("name"));
  const bytes = httpParam(text("name")) ? httpParamCopy(BUFFER, 64) : -1;
  if (bytes < 0) jsonNull();
  else jsonBytes(BUFFER, <u32>bytes);
  jsonKey(text("count"));
  httpParam(text("count"));
  jsonNumber(httpParamNumber(7));
  jsonKey(text("fast"));
  jsonBool(httpParam(text("mode")) && httpParamIs(text("very fast")));
  jsonKey(text("body"));
  jsonNumber(httpBody() ? httpKeptBytes() : 0);
  jsonObjectEnd();
}

/** `/things/<name>`: a path with a rest. */
function onThings(): void {
  if (!httpRest()) return httpError(404);
  if (httpMethod() == HTTP_DELETE) return httpAnswer(204, PLAIN);
  httpAnswer(200, PLAIN);
  putBytes(httpKeptAt(), httpKeptBytes());
}

/** A document of 200 rows, longer than any ring of a piece. */
function onJson(): void {
  if (httpStep() == 0) {
    httpAnswer(200, text("application/json"));
    jsonObject();
    jsonKey(text("rows"));
    jsonArray();
  }
  let row = httpState();
  for (; row < 200 && httpRoom() > 40; row++) {
    jsonArray();
    jsonNumber(row);
    jsonInteger(-(<i32>row));
    jsonBool((row & 1) != 0);
    jsonArrayEnd();
  }
  setHttpState(row);
  if (row < 200) return httpMore();
  jsonArrayEnd();
  jsonKey(text("end"));
  jsonBytes(BUFFER, 0);
  jsonObjectEnd();
}

/** Three pieces, the second of which is empty, and a wait between them. */
function onCount(): void {
  if (httpStep() == 0) httpAnswer(200, PLAIN);
  if (httpStep() != 1) putNumber(httpStep());
  if (httpStep() < 2) httpWait(100);
}

/** Sums up what is uploaded; more than 100,000 bytes are refused, and what begins with an exclamation mark. */
function onUpload(): void {
  switch (httpEvent()) {
    case HttpEvent.HEAD:
      if (httpMethod() == HTTP_PUT) httpError(409);
      return;
    case HttpEvent.BODY:
      if (httpState() == 0 && load<u8>(httpData()) == 0x21) return httpError(403);
      for (let i: u32 = 0; i < httpDataBytes(); i++)
        setHttpState(httpState() * 31 + load<u8>(httpData() + <usize>i));
      return;
    case HttpEvent.GONE:
      log1("info: upload broken off at %u", httpState());
      return;
    default:
      httpAnswer(200, PLAIN);
      putNumber(httpState());
  }
}

function onEvents(): void {
  if (httpEvent() == HttpEvent.GONE) {
    log1("info: left at tick %u", ticks);
    return;
  }
  if (httpStep() == 0) {
    if (!httpEvents()) return;
    return httpWait(HTTP_FOREVER);
  }
  eventBegin();
  putNumber(ticks);
  eventEnd();
  if (ticks < 1000) httpWait(HTTP_FOREVER);
}

function onTick(): void {
  ticks += 1;
  httpWake(On.SOCKET);
  httpWake(On.EVENTS);
}

/** Echoes messages; "tick" asks for the next tick, "long" for 2,000 bytes, "late" for a call later, "bye" for the end. */
function onSocket(): void {
  switch (httpEvent()) {
    case HttpEvent.GONE:
      log1("info: socket ended with %u", webSocketCode());
      // Nobody hears that any more, the next client neither.
      webSocketBinary();
      return webSocketClose(4001);
    case HttpEvent.MESSAGE:
      return onMessage();
    default:
      if (httpStep() == 0) {
        if (webSocketAccept()) httpAnswerField(text("Sec-WebSocket-Protocol"), text("echo"));
        return;
      }
      if (httpStep() == 1) return putText(text("open"));
      if (httpState() == 1) {
        setHttpState(0);
        putText(text("tick"));
      } else if (httpState() > 1) putLong();
  }
}

/** Tells which tokens the JSON in the body has: a letter each, texts and numbers behind theirs; what is called "skip" is passed over. */
function onTokens(): void {
  httpAnswer(200, PLAIN);
  if (!httpBody()) return;
  jsonRead(httpKeptAt(), httpKeptBytes());
  let token = jsonNext();
  for (; token > JSON_END && httpRoom() > 60; token = jsonNext()) {
    putBytes(textAddress(text("!.{}[]KSNtfn")) + <usize>token, 1);
    if (token == JSON_KEY || token == JSON_TEXT) {
      putBytes(BUFFER, <u32>max(jsonCopy(BUFFER, 40), 0));
      if (token == JSON_KEY && jsonIs(text("skip"))) jsonSkip();
    } else if (token == JSON_NUMBER) {
      const value = jsonInt(-7);
      if (value < 0) putText(text("-"));
      putNumber(<u32>abs(value));
    }
  }
  putText(token == JSON_END ? text(".") : text("!"));
}

function onMessage(): void {
  const whole = webSocketIsFirst() && webSocketIsLast() && webSocketIsText();
  if (whole && isData(text("tick"))) return setHttpState(1);
  if (whole && isData(text("long"))) {
    setHttpState(2);
    httpWake(On.SOCKET);
    return;
  }
  if (whole && isData(text("late"))) return httpWait(200);
  if (whole && isData(text("bye"))) return webSocketClose(4000);
  if (webSocketIsText()) webSocketText();
  else webSocketBinary();
  putBytes(httpData(), httpDataBytes());
  if (!webSocketIsLast()) httpMore();
}

function isData(words: Text): bool {
  if (httpDataBytes() != textBytes(words)) return false;
  return memory.compare(httpData(), textAddress(words), textBytes(words)) == 0;
}

/** A message of ours in pieces of 100 bytes. */
function putLong(): void {
  for (let i: u32 = 0; i < 100; i++) putText(text("x"));
  setHttpState(httpState() + 1);
  if (httpState() < 22) httpMore();
  else setHttpState(0);
}

export function main(): void {
  if (netStart() < 0) return;
  httpListen(80);
  authorization = httpKeepField(text("authorization"));
  httpRoute(HTTP_GET, text("/hello"), On.HELLO);
  httpRoute(HTTP_GET | HTTP_POST, text("/params"), On.PARAMS);
  httpRoute(HTTP_GET | HTTP_DELETE, text("/things/*"), On.THINGS);
  httpRoute(HTTP_GET, text("/json"), On.JSON);
  httpRoute(HTTP_GET, text("/count"), On.COUNT);
  httpRoute(HTTP_POST | HTTP_PUT | HTTP_UPLOAD | HTTP_TELL, text("/upload"), On.UPLOAD);
  httpRoute(HTTP_GET | HTTP_TELL, text("/events"), On.EVENTS);
  httpRoute(HTTP_GET, text("/silent"), On.SILENT);
  httpRoute(HTTP_GET | HTTP_TELL, text("/socket"), On.SOCKET);
  buttonWatch(On.BUTTON);
  httpRoute(HTTP_POST, text("/tokens"), On.TOKENS);
  httpTimer(1000, On.TICK);
  for (;;) {
    switch (httpNext()) {
      case <u32>On.HELLO:
        onHello();
        break;
      case <u32>On.PARAMS:
        onParams();
        break;
      case <u32>On.THINGS:
        onThings();
        break;
      case <u32>On.JSON:
        onJson();
        break;
      case <u32>On.COUNT:
        onCount();
        break;
      case <u32>On.UPLOAD:
        onUpload();
        break;
      case <u32>On.EVENTS:
        onEvents();
        break;
      case <u32>On.SOCKET:
        onSocket();
        break;
      case <u32>On.BUTTON:
        led(true);
        log0("info: button");
        break;
      case <u32>On.TOKENS:
        onTokens();
        break;
      case <u32>On.TICK:
        onTick();
        break;
    }
  }
}
