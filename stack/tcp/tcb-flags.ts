/** What is pending or has happened on a connection: bits of `Tcb.flags`. */
export const enum TcbFlag {
  /** An ACK has to go out now. */
  ACK_NOW = 1,
  /** The segment at sndUna has to be sent again (fast retransmit). */
  RETRANSMIT_HEAD = 2,
  /** A segment is being timed (RFC 6298). */
  TIMING = 4,
  /** The application has closed its sending side: FIN follows the last byte. */
  FIN_QUEUED = 8,
  /** Our FIN has been sent at least once. */
  FIN_SENT = 16,
  /** The peer's FIN has come (perhaps with a hole before it). */
  FIN_SEEN = 32,
  /** The peer's FIN has been taken: nothing more comes. */
  FIN_RECEIVED = 64,
  /** A tail loss probe has sent again what ends at `highRxt`: nothing else may show that it was lost (RFC 8985 7.4). */
  PROBED_AGAIN = 128,
  /** Waits for an ARP reply or a route. */
  WAIT_NEIGHBOUR = 256,
  /** In fast recovery (RFC 6582). */
  RECOVERY = 512,
  NO_DELAY = 1024,
  /** A window probe or an override of silly-window avoidance is due. */
  FORCE = 2048,
  /** The application reads no more: text that comes is answered with RST. */
  READ_SHUT = 4096,
  /** The SYN was sent more than once (RFC 6298 5.7). */
  SYN_RETRANSMITTED = 8192,
  /** The retransmission timer runs for the persist state, not for data in flight. */
  PERSIST = 16384,
  /** A partial acknowledgment has come in this fast recovery (RFC 6582 3.2 step 3). */
  PARTIAL = 32768,
  /** Both ends may send SACK options (RFC 2018 2). */
  SACK_PERMITTED = 0x10000,
  /** A segment came that we had already: the next ACK says which (RFC 2883). */
  DUPLICATE = 0x20000,
  /** The retransmission timer runs for a tail loss probe, not for a timeout (RFC 8985 7.2). */
  PROBE_TIMER = 0x40000,
  /** A tail loss probe is due. */
  PROBE = 0x80000,
  /** A tail loss probe is out for this flight: no second one. */
  PROBED = 0x100000,
  /** Something before the timed segment was sent again: only a SACK of that segment is a sample, no cumulative ACK. */
  TIMING_BY_SACK = 0x200000,
  /** What was sent last is new text, at `lastSent`: its SACK is a sample, too. */
  LAST_IS_NEW = 0x400000,
  /** SO_KEEPALIVE; while a socket owns the TCB the timer LIFE is its. */
  KEEP_ALIVE = 0x800000,
  /** A keep-alive probe is due. */
  KEEP_PROBE = 0x1000000,
  /** TCP_CORK: segments that are not full wait. */
  CORK = 0x2000000,
  /** The last send() had MSG_MORE. */
  MORE = 0x4000000,
  /** TCP_QUICKACK: no acknowledgment is delayed. */
  QUICK_ACK = 0x8000000,
  /** Both ends send timestamps (RFC 7323 3). */
  TIMESTAMPS = 0x10000000,
  /** The peer has urgent data that the application has not read (urgent.ts). */
  URGENT = 0x20000000,
  /** So have we. */
  URGENT_OUT = 0x40000000,
  /** The retransmission timer runs for what may be lost (the reordering timer, RFC 8985 6.2). */
  REORDER_TIMER = 1 << 31,
}

/** Timers of a TCB: bits of `Tcb.armed`. */
export const enum TcbTimer {
  RETRANSMIT = 1,
  DELAYED_ACK = 2,
  LIFE = 4,
}
