/**
 * How long clients may take. Two tables: the time that ends a phase in any case (RFC 9112 9.5), and
 * the time after which a client gives way when others wait for a connection, so that slow or silent
 * clients cannot keep a small board busy (slowloris, slow bodies, readers that never open their
 * window).
 */
import { hasInput, listenerPressure, now, sendOwed } from "../net/netstat";
import { HTTP_WEBSOCKET } from "../../stack/config";
import { Client, Phase, clientAt, isConnected, progress } from "./client";
import { WS_GOING_AWAY, sendClose } from "./http/close-frame";
import { Flag, has } from "./http/message";
import { abandon, leave, sayGoodbye } from "./endings";
import { CLIENTS, PROGRESS_BYTES } from "./sizes";

/** After a client has been sent away, this long passes before the next one has to go, ms. */
const RELIEF_MS: u32 = 50;

let relievedMs: u32 = 0;
let relieving: bool = false;

/** Never, for phases without a limit. */
const FOREVER: u32 = 0x7fffffff;

/** Longest stay in a phase without progress, ms. */
function limitMs(phase: u32): u32 {
  switch (phase) {
    case <u32>Phase.FRESH:
    case <u32>Phase.HEAD:
    case <u32>Phase.BODY:
      return 10_000;
    case <u32>Phase.IDLE:
      return 30_000;
    case <u32>Phase.RESPONSE:
      return 20_000;
    case <u32>Phase.LINGER:
      return 10_000;
    case <u32>Phase.FAREWELL:
      return 1_000;
    default:
      return FOREVER;
  }
}

/** Stay in a phase without progress after which the client gives way when others wait, ms. */
function graceMs(phase: u32): u32 {
  switch (phase) {
    case <u32>Phase.IDLE:
      // Its next request may be on its way: longer than most round trips. Who comes under pressure is told beforehand that
      // the connection ends with the response, so few are ever idle then.
      return 300;
    case <u32>Phase.FAREWELL:
      return 100;
    case <u32>Phase.HEAD:
    case <u32>Phase.LINGER:
      return 500;
    case <u32>Phase.BODY:
      return 1_000;
    case <u32>Phase.FRESH:
      // Its window has just been opened; should that ACK be lost, it asks again after a second or two.
      return 3_000;
    case <u32>Phase.RESPONSE:
      // Long enough for a segment that is lost four times over.
      return 4_000;
    default:
      return 3_000;
  }
}

/** True in the phases in which a client has nothing to do but to read. */
function onlyReads(phase: u32): bool {
  return phase == <u32>Phase.IDLE || (phase >= <u32>Phase.RESPONSE && phase != <u32>Phase.STREAM);
}

/** What a client that only reads does for its progress: it acknowledges. */
export function watchDelivery(c: Client): void {
  if (!onlyReads(c.phase)) return;
  const queued = sendOwed(c.fd);
  // With the last byte a new time begins: that of a client which has everything.
  if (queued < c.queued) progress(c, queued == 0 ? PROGRESS_BYTES : c.queued - queued);
  c.queued = queued;
}

/**
 * The phase by which a client's patience is measured: while it is owed a part of a response, it is
 * receiving one.
 */
function patiencePhase(c: Client): u32 {
  return c.queued != 0 && onlyReads(c.phase) ? <u32>Phase.RESPONSE : <u32>c.phase;
}

/** Time that a client has left, ms. */
export function leftMs(c: Client): u32 {
  const spent = now() - c.sinceMs;
  const limit = limitMs(patiencePhase(c));
  return spent >= limit ? 0 : limit - spent;
}

/** True when a client has used up its time. */
export function clientExpired(c: Client): bool {
  return isConnected(c) && leftMs(c) == 0;
}

/** True while a finished handshake waits for a connection: then responses end their connections. */
export function othersWait(): bool {
  return listenerPressure();
}

/**
 * Sends one client away when others wait: the one longest idle, or else the one longest without
 * progress.
 */
export function makeRoom(): void {
  if (!listenerPressure()) {
    relieving = false;
    return;
  }
  if (relieving && now() - relievedMs < RELIEF_MS) return;
  let chosen: i32 = -1;
  let chosenRank: u32 = 0;
  for (let i: u32 = 0; i < CLIENTS; i++) {
    const c = clientAt(i);
    const waitedMs = now() - c.sinceMs;
    const phase = patiencePhase(c);
    if (!isConnected(c) || waitedMs < graceMs(phase)) continue;
    if (hasSpoken(c)) continue;
    const idle = phase == <u32>Phase.IDLE || phase == <u32>Phase.FAREWELL;
    const rank = min(waitedMs, <u32>0x3fffffff) | (idle ? 0x40000000 : 0);
    if (chosen >= 0 && rank <= chosenRank) continue;
    chosen = <i32>i;
    chosenRank = rank;
  }
  if (chosen < 0) return;
  relieving = true;
  relievedMs = now();
  dismiss(clientAt(<u32>chosen));
}

/** True when a client that we wait for has sent something which its service has not seen yet. */
function hasSpoken(c: Client): bool {
  if (c.phase > <u8>Phase.BODY) return false;
  return hasInput(c.fd);
}

/** Sends a client away: gently when it is owed nothing, with a reset when it keeps us waiting. */
export function dismiss(c: Client): void {
  switch (patiencePhase(c)) {
    case <u32>Phase.EVENTS:
      if (HTTP_WEBSOCKET && has(c, Flag.SOCKET)) sendClose(c.fd, WS_GOING_AWAY);
      return sayGoodbye(c, Phase.FAREWELL);
    case <u32>Phase.FRESH:
    case <u32>Phase.IDLE:
      return sayGoodbye(c, Phase.FAREWELL);
    case <u32>Phase.LINGER:
    case <u32>Phase.FAREWELL:
      // Our FIN is acknowledged, so the stack needs no rings any more to wait for the other one.
      return leave(c);
    default:
      abandon(c);
  }
}
