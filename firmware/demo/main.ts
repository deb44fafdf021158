/**
 * All services of the package on one device: a web server with a live page, an HTTP body echo, and
 * the classic echo, discard and character generator, in one loop around one poll(). Port 81 stays
 * closed, to see what a refused connection looks like.
 */
import { log1 } from "as-tcpip/log";
import { announceService, netStart } from "as-tcpip/net";
import { settingsEchoPort, settingsHttpPort } from "as-tcpip/settings";
import { text, textAddress, textBytes } from "as-tcpip/text";
import { MDNS } from "../../stack/config";
import { chargenTurn } from "../services/chargen";
import { Client, Phase, Service, clientAt } from "../services/client";
import {
  clientEvents,
  clientsStart,
  clientsWait,
  datagramReady,
  serveDatagrams,
  serveStreams,
} from "../services/clients";
import { leave } from "../services/endings";
import { clientExpired } from "../services/patience";
import { discardTurn } from "../services/discard";
import { echoDatagrams, echoTurn } from "../services/echo";
import { httpExpired, httpStart, httpTurn } from "../services/http/server";
import { CLIENTS } from "../services/sizes";

const HTTP_PORT: u32 = 80;
const HTTP_ECHO_PORT: u32 = 8080;
const ECHO_PORT: u32 = 7;
const DISCARD_PORT: u32 = 9;
/** Where `iperf` sends to. */
const IPERF_PORT: u32 = 5001;
const CHARGEN_PORT: u32 = 19;

function offer(port: u32, service: Service): void {
  if (serveStreams(port, service) < 0) log1("error: cannot listen on port %u", port);
}

function turn(c: Client): void {
  switch (c.service) {
    case <u8>Service.ECHO:
      return echoTurn(c);
    case <u8>Service.DISCARD:
      return discardTurn(c);
    case <u8>Service.CHARGEN:
      return chargenTurn(c);
    default:
      httpTurn(c);
  }
}

/** Streams have no end of their own, so only clients of the web servers run out of time. */
function expired(c: Client): void {
  if (c.service == <u8>Service.HTTP || c.service == <u8>Service.HTTP_ECHO) httpExpired(c);
  else leave(c);
}

export function main(): void {
  if (netStart() < 0) return;
  clientsStart();
  httpStart();
  offer(settingsHttpPort(HTTP_PORT), Service.HTTP);
  if (MDNS) {
    const http = text("_http._tcp");
    announceService(textAddress(http), textBytes(http), settingsHttpPort(HTTP_PORT));
  }
  offer(HTTP_ECHO_PORT, Service.HTTP_ECHO);
  offer(settingsEchoPort(ECHO_PORT), Service.ECHO);
  offer(DISCARD_PORT, Service.DISCARD);
  offer(IPERF_PORT, Service.DISCARD);
  offer(CHARGEN_PORT, Service.CHARGEN);
  const echoDatagramsAt = serveDatagrams(settingsEchoPort(ECHO_PORT));
  for (;;) {
    clientsWait();
    const fd = echoDatagramsAt < 0 ? -1 : datagramReady(<u32>echoDatagramsAt);
    if (fd >= 0) echoDatagrams(fd);
    for (let i: u32 = 0; i < CLIENTS; i++) {
      const c = clientAt(i);
      if (c.phase == <u8>Phase.FREE) continue;
      if (clientEvents(i) != 0) turn(c);
      if (clientExpired(c)) expired(c);
    }
  }
}
