/** Counters that every frame device keeps; read with `nicCounter(index)`. */
export const enum NicCounter {
  RX_FRAMES = 0,
  TX_FRAMES = 1,
  /** Headers in the chip's receive memory that made no sense. */
  RX_BAD_HEADER = 2,
  /** Frames that the chip had no room for, as far as it tells. */
  RX_OVERFLOW = 3,
  /** Receive logic reset and resynchronised. */
  RX_RESETS = 4,
  /** Sends that the chip reported as failed. */
  TX_ERRORS = 5,
  /** Sends that the chip never reported. */
  TX_TIMEOUTS = 6,
  /** Frames sent again by the driver (late collision). */
  TX_RETRIES = 7,
  /** Transmit logic reset. */
  TX_RESETS = 8,
  /** Chip initialised again from reset. */
  REINITS = 9,
  LINK_CHANGES = 10,
  COUNT = 11,
}
