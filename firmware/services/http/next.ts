/**
 * The loop of a web server. `httpNext` does what the server can do alone, sleeps while there is nothing to do, and gives the
 * number of the handler that is wanted:
 *
 *     httpListen(80);
 *     httpRoute(HTTP_GET, text("/lamp"), On.LAMP);
 *     for (;;) {
 *       switch (httpNext()) {
 *         case On.LAMP:
 *           onLamp();
 *           break;
 *       }
 *     }
 */
import { Client, Phase, Service, clientAt } from "../client";
import { clientEvents, clientsStart, clientsWait, serveStreams, watchedNext } from "../clients";
import { leave } from "../endings";
import { clientExpired } from "../patience";
import { CLIENTS } from "../sizes";
import { answerIsDue } from "./answer";
import { HttpEvent, callAs, callFor, callIsOpen, callTake, called } from "./call";
import { httpExpired, httpReturned, httpTurn } from "./server";

/** Clients that the server can have at a time. */
export const HTTP_CLIENTS: u32 = CLIENTS;

/** `httpNext` gives this number for a client of a stream service of one's own (`httpServe`). */
export const HTTP_STREAM: u32 = 0x10000;

let started: bool = false;
let cursor: u32 = CLIENTS;

function start(): void {
  if (started) return;
  started = true;
  clientsStart();
}

/** Opens the web server on a port: 0 or a negative errno. */
export function httpListen(port: u32): i32 {
  return httpServe(port, Service.HTTP);
}

/** Opens a service on a port; one that is not HTTP has its clients' turns from `httpNext` as HTTP_STREAM. */
export function httpServe(port: u32, service: u32): i32 {
  start();
  return serveStreams(port, service);
}

/** The client whose turn HTTP_STREAM is. */
export function httpStream(): Client {
  return called();
}

/** Gives the number of the handler that is wanted next. What the one before has written is sent first. */
export function httpNext(): u32 {
  start();
  httpReturned();
  let handler = nextFound();
  while (handler == 0) {
    clientsWait();
    cursor = 0;
    handler = nextFound();
  }
  return handler;
}

/** What needs no wait; 0 = nothing. */
function nextFound(): u32 {
  while (cursor < CLIENTS) {
    const index = cursor++;
    clientTurn(clientAt(index), clientEvents(index));
    const handler = callTake();
    if (handler != 0) return handler;
  }
  return watchedNext();
}

/** One turn of a client; it may put the client before the application. */
function clientTurn(c: Client, events: u32): void {
  if (c.phase == <u8>Phase.FREE) return;
  if (c.phase == <u8>Phase.GONE) return callFor(c, HttpEvent.GONE, 0, 0);
  if (c.service > <u8>Service.HTTP_ECHO) {
    if (events != 0) callAs(c, HTTP_STREAM);
    else if (clientExpired(c)) leave(c);
    return;
  }
  if (events != 0 || answerIsDue(c)) httpTurn(c);
  // Who is before the application has just done something.
  if (!callIsOpen() && clientExpired(c)) httpExpired(c);
}
