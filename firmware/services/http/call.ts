/**
 * The question that is before the application: which client, which event. A device has no function values, so `httpNext`
 * gives the number of the handler, and the handler asks here what it is about.
 */
import { HTTP_KEEP_BYTES } from "../../../stack/config";
import { Client, clientIndex } from "../client";
import { Kept, keptAt, keptBytes, keptFind } from "./kept";
import { methodBit, routeHandler } from "./routes";

/** What a handler is called for. */
export const enum HttpEvent {
  /** An answer is wanted, or the next piece of it. */
  ANSWER,
  /** HTTP_UPLOAD: a request with a body is here; what is answered now refuses it. */
  HEAD,
  /** HTTP_UPLOAD: bytes of the body, at `httpData`. */
  BODY,
  /** HTTP_TELL: the client has left. */
  GONE,
  /** A piece of a message of a WebSocket, at `httpData`. */
  MESSAGE,
}

let client: usize = 0;
let event: u32 = 0;
let due: u32 = 0;
let dataAt: usize = 0;
let dataBytes: u32 = 0;

/** Puts a client before the application, in the name of its route. */
export function callFor(c: Client, what: HttpEvent, at: usize, bytes: u32): void {
  callAs(c, routeHandler(c));
  event = what;
  dataAt = at;
  dataBytes = bytes;
}

/** Puts a client before a handler. */
export function callAs(c: Client, handler: u32): void {
  client = changetype<usize>(c);
  event = HttpEvent.ANSWER;
  due = handler;
}

/** The handler that is due, once; 0 = none. */
export function callTake(): u32 {
  const handler = due;
  due = 0;
  return handler;
}

/** The client that the application is asked about; `callIsOpen` says whether there is one. */
export function called(): Client {
  return changetype<Client>(client);
}

export function callIsOpen(): bool {
  return client != 0;
}

export function callClose(): void {
  client = 0;
}

/** What the handler is called for. */
export function httpEvent(): HttpEvent {
  return event;
}

/** Number of the client, 0 to HTTP_CLIENTS - 1: for tables of the application's own. */
export function httpClient(): u32 {
  return clientIndex(called());
}

/** Method of the request: HTTP_GET (HEAD too), HTTP_POST … */
export function httpMethod(): u32 {
  return methodBit(called().method);
}

/** Pieces of the answer that were written before this one. */
export function httpStep(): u32 {
  return called().row;
}

/** A number that the application keeps with the request; 0 at first. */
export function httpState(): u32 {
  return called().sent;
}

export function setHttpState(state: u32): void {
  called().sent = state;
}

/** Bytes of the event: a piece of the body, of a message. Valid until something is written. */
export function httpData(): usize {
  return dataAt;
}

export function httpDataBytes(): u32 {
  return dataBytes;
}

/** Looks for something kept of the request; where it is say `httpKeptAt` and `httpKeptBytes`. */
function find(kind: u32): bool {
  if (HTTP_KEEP_BYTES == 0) ERROR("this needs HTTP_KEEP_BYTES in app.json");
  return keptFind(called(), kind);
}

/** A field of the request, by its number from `httpKeepField`: true when the request has it. Its value: `httpKeptAt`. */
export function httpField(number: i32): bool {
  return find(<u32>Kept.FIELD + <u32>number);
}

/** What the path has behind the route, decoded: true when there is something. */
export function httpRest(): bool {
  return find(Kept.REST);
}

/** The query as it came, without its question mark. */
export function httpQuery(): bool {
  return find(Kept.QUERY);
}

/** The body of the request, when it was not for HTTP_UPLOAD. */
export function httpBody(): bool {
  return find(Kept.BODY);
}

/** Where the last thing lies that was found, until the handler returns. */
export function httpKeptAt(): usize {
  return keptAt();
}

export function httpKeptBytes(): u32 {
  return keptBytes();
}
