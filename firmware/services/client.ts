/**
 * Clients of the stream services: one fixed table for all of them, because a board has few
 * connections and no service shall hold places that another one needs.
 */
import { now } from "../net/netstat";
import { HTTP_KEEP_BYTES } from "../../stack/config";
import { CLIENTS, PROGRESS_BYTES } from "./sizes";

/** Which service a client or a listener belongs to. */
export const enum Service {
  HTTP,
  HTTP_ECHO,
  /** From here on: streams that the application serves itself. */
  ECHO,
  DISCARD,
  CHARGEN,
}

/**
 * What a client is doing, as far as patience is concerned: how long it may take when there is room
 * for everybody, and how long when others wait (`patience.ts`).
 */
export const enum Phase {
  /** No client in this record. */
  FREE,
  /** Accepted, has not sent a byte. */
  FRESH,
  /** Between two requests of a persistent connection. */
  IDLE,
  /** In the head of a request. */
  HEAD,
  /** In the body of a request. */
  BODY,
  /** Receiving a response. */
  RESPONSE,
  /**
   * The last response has been sent and our FIN behind it; what the client still sends is dropped.
   */
  LINGER,
  /** Told to go while idle: our FIN is sent, nothing is owed to the client. */
  FAREWELL,
  /** An answer that goes on: events, a WebSocket. */
  EVENTS,
  /** Echo, discard, chargen: a stream without an end of its own. */
  STREAM,
  /** The connection is gone, and the application is still to be told. */
  GONE,
}

/** Bytes kept for a client's request or for output that found no room. */
export const CLIENT_BUFFER_BYTES: u32 = 80;

/**
 * One client. The first fields serve all services, the others belong to the service that has
 * accepted it. The buffer follows the record.
 */
@unmanaged
export class Client {
  /** Descriptor, non-blocking. */
  fd: i32;
  /** Start of the phase, or the last progress in it, ms. */
  sinceMs: u32;
  /** Bytes moved since then. */
  moved: u32;
  /** What the client had not acknowledged when last looked at: bytes, and our FIN as one more. */
  queued: u32;
  service: u8;
  phase: u8;
  /** Events that poll() shall wait for. */
  events: u16;

  /** HTTP: state of the parser (`http/request.ts`, `http/chunks.ts`). */
  parse: u8;
  /** HTTP: position in a fixed word, or in a list of tokens. */
  position: u8;
  /** HTTP: method of the request. */
  method: u8;
  /** HTTP: field whose value is being read. */
  field: u8;
  /** HTTP: `Flag` bits of the request. */
  flags: u32;
  /** HTTP: status of the response. */
  status: u16;
  /** HTTP: bytes of the head, of the extensions of a chunk, or of the trailers so far. */
  headBytes: u16;
  /** HTTP: what is asked for: number of an asset, a value of `Resource`, or a route below it. */
  resource: i16;
  /** HTTP: field lines so far. */
  fields: u8;
  /** HTTP: bytes in the buffer. */
  bufferBytes: u8;
  /** HTTP: Content-Length. In an answer of the application: when it goes on, ms. */
  contentBytes: u32;
  /** HTTP: bytes of the body or of the chunk that are still to come. */
  left: u32;
  /**
   * HTTP: part of the message that is being sent (`http/response.ts`). Chargen: line of the
   * pattern. Of an answer: pieces written so far.
   */
  piece: u16;
  /** HTTP: row within that part. Chargen: column in the line. */
  row: u16;
  /** HTTP: bytes of that part that the socket has taken. In an answer of the application: a number of its own. */
  sent: u32;

  /** The client's buffer, `CLIENT_BUFFER_BYTES`. */
  @inline get buffer(): usize {
    return changetype<usize>(this) + offsetof<Client>();
  }

  /** What is kept of the request, `KEPT_BYTES` (`http/kept.ts`). */
  @inline get kept(): usize {
    return changetype<usize>(this) + offsetof<Client>() + CLIENT_BUFFER_BYTES;
  }
}

/** Room for what is kept of a request, with its own length. */
const KEPT_BYTES: u32 = HTTP_KEEP_BYTES == 0 ? 0 : ((HTTP_KEEP_BYTES + 3) & ~3) + 4;

/** A record with its buffer. */
const CLIENT_BYTES: u32 = 52 + CLIENT_BUFFER_BYTES + KEPT_BYTES;
if (offsetof<Client>() != 52) ERROR("CLIENT_BYTES must match Client");

const TABLE: usize = memory.data(CLIENTS * CLIENT_BYTES, 4);

/** True while a client has a connection. */
export function isConnected(c: Client): bool {
  return c.phase != <u8>Phase.FREE && c.phase != <u8>Phase.GONE;
}

/** Record of a client, 0..CLIENTS-1; `Phase.FREE` when there is none. */
export function clientAt(index: u32): Client {
  assert(index < CLIENTS);
  return changetype<Client>(TABLE + <usize>(index * CLIENT_BYTES));
}

/** Number of a client's record. */
export function clientIndex(c: Client): u32 {
  return <u32>(changetype<usize>(c) - TABLE) / CLIENT_BYTES;
}

/** Makes a record ready for a new client. */
export function clientBegin(c: Client, fd: i32, service: u32): void {
  memory.fill(changetype<usize>(c), 0, CLIENT_BYTES);
  c.fd = fd;
  c.service = <u8>service;
  const speaksHttp = service == <u32>Service.HTTP || service == <u32>Service.HTTP_ECHO;
  enterPhase(c, speaksHttp ? Phase.FRESH : Phase.STREAM);
}

/** Begins a phase; its patience is measured from here. */
export function enterPhase(c: Client, phase: Phase): void {
  c.phase = <u8>phase;
  c.sinceMs = now();
  c.moved = 0;
}

/** Notes that bytes were moved for a client; enough of them renew its patience. */
export function progress(c: Client, bytes: u32): void {
  c.moved += bytes;
  if (c.moved < PROGRESS_BYTES) return;
  c.moved = 0;
  c.sinceMs = now();
}
