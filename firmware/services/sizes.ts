/**
 * Sizes and times of the services, in one place. The tables follow the build options of the stack,
 * so a board that is small there is small here; nothing else decides how many clients there may be.
 */
import { HTTP_WATCHES, TCP_TCBS, TCP_TX_BYTES, UDP_RX_BYTES } from "../../stack/config";

/** Clients of all stream services together: every TCB that a peer can win finds a place. */
export const CLIENTS: u32 = TCP_TCBS;

/** Ports that the services may listen on. */
export const LISTENERS: u32 = 6;

/** Sockets of the application that are watched beside them. */
export const WATCHES: u32 = HTTP_WATCHES;

/** Connections that may wait in each listener's accept queue. */
export const BACKLOG: u32 = 8;

/**
 * Shared scratch: what is peeked at, composed or echoed lies here during one call and never longer.
 */
export const SCRATCH_BYTES: u32 = UDP_RX_BYTES >= 2048 ? 1472 : 512;

/**
 * A piece of an answer that an application writes, bytes: poll() tells of a quarter of the ring. Before it is room for the size of
 * a chunk or the head of a frame, behind it for the end of the chunk; before the first one for the head of the answer.
 */
export const PIECE_AT: u32 = 8;
export const PIECE_END_BYTES: u32 = 8;
export const PIECE_BYTES: u32 =
  min<u32>(TCP_TX_BYTES / 4, SCRATCH_BYTES) - PIECE_AT - PIECE_END_BYTES;
export const ANSWER_HEAD_BYTES: u32 = 240;
export const FIRST_PIECE_BYTES: u32 = min<u32>(
  PIECE_BYTES,
  SCRATCH_BYTES - ANSWER_HEAD_BYTES - PIECE_END_BYTES,
);
if (TCP_TX_BYTES < 1024) ERROR("the web server needs a TCP_TX_BYTES of 1024 at least");

/** Longest decoded path, bytes: longer ones are answered with 414. */
export const PATH_BYTES: u32 = 64;

/** Longest request line, bytes: longer ones are answered with 414. */
export const REQUEST_LINE_BYTES: u32 = 1024;

/** Longest request head, bytes, and most field lines in it: more is answered with 431. */
export const REQUEST_HEAD_BYTES: u32 = 8192;
export const REQUEST_FIELDS: u32 = 64;

/**
 * Longest body that a GET or HEAD may bring along, bytes: it is read and dropped, a longer one is
 * answered with 413.
 */
export const DROPPED_BODY_BYTES: u32 = 65536;

/** Extensions of one chunk, and trailer fields of one body, bytes. */
export const CHUNK_EXTENSION_BYTES: u32 = 64;
export const TRAILER_BYTES: u32 = 1024;

/** A client has made progress when it has moved that many bytes; until then its clock runs. */
export const PROGRESS_BYTES: u32 = 512;
