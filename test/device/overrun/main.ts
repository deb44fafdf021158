/** Two adjacent static buffers, and a store that the test aims: the planted fault of the guarded native build. */
const FIRST_BYTES: u32 = 13;
const FIRST: usize = memory.data(FIRST_BYTES, 4);
const SECOND: usize = memory.data(16, 4);

/** Stores a byte at an offset from the first buffer. */
export function pokeFirst(offset: i32): void {
  store<u8>(FIRST + offset, 1);
}

/** Stores a byte at an offset from the second buffer. */
export function pokeSecond(offset: i32): void {
  store<u8>(SECOND + offset, 1);
}

/** Loads a word at an offset from the second buffer. */
export function peekSecond(offset: i32): u32 {
  return load<u32>(SECOND + offset);
}

/** Copies from the second buffer over the first. */
export function copy(bytes: u32): void {
  memory.copy(FIRST, SECOND, bytes);
}

/** Fails an assertion when told to. */
export function check(good: bool): void {
  assert(good);
}
