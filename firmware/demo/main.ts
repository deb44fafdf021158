/**
 * All services of the package on one device: a web server with a live page, an HTTP body echo, and
 * the classic echo, discard and character generator, in one loop. Port 81 stays
 * closed, to see what a refused connection looks like.
 */
import { HTTP_GET, HTTP_STREAM, httpNext, httpRoute } from "as-tcpip/http";
import { log1 } from "as-tcpip/log";
import { announceService, netStart } from "as-tcpip/net";
import { settingsEchoPort, settingsHttpPort } from "as-tcpip/settings";
import { text, textAddress, textBytes } from "as-tcpip/text";
import { MDNS } from "../../stack/config";
import { chargenTurn } from "../services/chargen";
import { Client, Service } from "../services/client";
import { serveDatagrams } from "../services/clients";
import { discardTurn } from "../services/discard";
import { echoDatagrams, echoTurn } from "../services/echo";
import { httpServe, httpStream } from "../services/http/next";
import { statusAnswer, statusEvents } from "../services/status/document";

const HTTP_PORT: u32 = 80;
const HTTP_ECHO_PORT: u32 = 8080;
const ECHO_PORT: u32 = 7;
const DISCARD_PORT: u32 = 9;
/** Where `iperf` sends to. */
const IPERF_PORT: u32 = 5001;
const CHARGEN_PORT: u32 = 19;

/** The page shows the status anew this often, ms. */
const EVENT_MS: u32 = 1000;

/** What the loop calls for. */
const enum On {
  STATUS = 1,
  EVENTS,
  DATAGRAM,
}

function offer(port: u32, service: Service): void {
  if (httpServe(port, service) < 0) log1("error: cannot listen on port %u", port);
}

function streamTurn(c: Client): void {
  switch (c.service) {
    case <u8>Service.ECHO:
      return echoTurn(c);
    case <u8>Service.DISCARD:
      return discardTurn(c);
    default:
      chargenTurn(c);
  }
}

export function main(): void {
  if (netStart() < 0) return;
  httpRoute(HTTP_GET, text("/api/status"), On.STATUS);
  httpRoute(HTTP_GET, text("/api/events"), On.EVENTS);
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
  const datagrams = serveDatagrams(settingsEchoPort(ECHO_PORT), On.DATAGRAM);
  for (;;) {
    switch (httpNext()) {
      case <u32>On.STATUS:
        statusAnswer();
        break;
      case <u32>On.EVENTS:
        statusEvents(EVENT_MS);
        break;
      case <u32>On.DATAGRAM:
        echoDatagrams(datagrams);
        break;
      case HTTP_STREAM:
        streamTurn(httpStream());
        break;
    }
  }
}
