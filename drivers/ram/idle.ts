/** What a frame device without a chip says of itself: always there, always linked, nothing to count. */

export function nicInit(_mac: usize): i32 {
  return 0;
}

export function nicPoll(_nowMs: u32): void {}

/** Up, 100 Mbit/s, full duplex. */
export function nicLink(): u32 {
  return 7;
}

export function nicVersion(): u32 {
  return 0;
}

export function nicDeadline(_nowMs: u32): u32 {
  return 0xffffffff;
}

export function nicCounter(_index: u32): u32 {
  return 0;
}
