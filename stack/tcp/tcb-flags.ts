/**
 * What is pending or has happened on a connection: bits of `Tcb.flags`. Those that are set and cleared most come first, the ones that go
 * together among them: what lies in the low byte is a constant that a Thumb instruction has in itself.
 */
export const enum TcbFlag {
  /** An ACK has to go out now. */
  ACK_NOW = 1,
  /** A segment came that we had already: the next ACK says which (RFC 2883). */
  DUPLICATE = 2,
  /** The segment at sndUna has to be sent again (fast retransmit). */
  RETRANSMIT_HEAD = 4,
  /** A tail loss probe is due. */
  PROBE = 8,
  /** A window probe or an override of silly-window avoidance is due. */
  FORCE = 16,
  /** A segment is being timed (RFC 6298). */
  TIMING = 32,
  /** In fast recovery (RFC 6582). */
  RECOVERY = 64,
  /** The retransmission timer runs for the persist state, not for data in flight. */
  PERSIST = 128,
  /** A tail loss probe is out for this flight: no second one. */
  PROBED = 256,
  /** A tail loss probe has sent again what ends at `highRxt`: nothing else may show that it was lost (RFC 8985 7.4). */
  PROBED_AGAIN = 512,
  /** Something before the timed segment was sent again: only a SACK of that segment is a sample, no cumulative ACK. */
  TIMING_BY_SACK = 1024,
  /** A partial acknowledgment has come in this fast recovery (RFC 6582 3.2 step 3). */
  PARTIAL = 2048,
  /** The application has closed its sending side: FIN follows the last byte. */
  FIN_QUEUED = 4096,
  /** Our FIN has been sent at least once. */
  FIN_SENT = 8192,
  /** The peer's FIN has come (perhaps with a hole before it). */
  FIN_SEEN = 16384,
  /** The peer's FIN has been taken: nothing more comes. */
  FIN_RECEIVED = 32768,
  /** Waits for an ARP reply or a route. */
  WAIT_NEIGHBOUR = 0x10000,
  NO_DELAY = 0x20000,
  /** The application reads no more: text that comes is answered with RST. */
  READ_SHUT = 0x40000,
  /** The SYN was sent more than once (RFC 6298 5.7). */
  SYN_RETRANSMITTED = 0x80000,
  /** Both ends may send SACK options (RFC 2018 2). */
  SACK_PERMITTED = 0x100000,
  /** The retransmission timer runs for a tail loss probe, not for a timeout (RFC 8985 7.2). */
  PROBE_TIMER = 0x200000,
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
