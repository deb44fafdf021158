/**
 * The sets of options that tests of the hosted stack share. Each set is a program of its own, compiled twice (WebAssembly
 * and the guarded native build), so a test takes one of these unless it is about the very number.
 */

/** Small tables, rings smaller than a segment, no fragments. */
export const TIGHT = {
  SOCKETS: 8,
  UDP_SOCKETS: 3,
  TCP_TCBS: 3,
  TCP_SYN_RECORDS: 4,
  TCP_TIME_WAIT_RECORDS: 4,
  TCP_RX_BYTES: 1024,
  TCP_TX_BYTES: 1024,
  IP_REASSEMBLY_SLOTS: 0,
};

/** Many connections, each with room for many segments. */
export const BIG = { SOCKETS: 48, TCP_TCBS: 40, TCP_RX_BYTES: 32768, TCP_TX_BYTES: 32768 };
