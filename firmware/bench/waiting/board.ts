/** What the network's loop wants of a board, where there is none: the bench says what time it is, and nothing sleeps. */
export { text, textAddress, textBytes, Text } from "../../../hal/text";

let nowMs: u32 = 0;

export function setClock(ms: u32): void {
  nowMs = ms;
}

export function clockMs(): u32 {
  return nowMs;
}

export function sleepUntil(_ms: u32): void {}

export function chipInterrupt(): bool {
  return false;
}

export function boardInit(): void {}

export function watchdogFeed(): void {}

export function entropy(): u32 {
  return 0x12345678;
}

export function uniqueId(_to: usize): u32 {
  return 0;
}

export function flashBase(): usize {
  return 0;
}

export function settingsBase(): usize {
  return 0;
}

export function log0<F>(_format: F): void {}

export function log1<F>(_format: F, _a: u32): void {}

export function log2<F>(_format: F, _a: u32, _b: u32): void {}

export function log3<F>(_format: F, _a: u32, _b: u32, _c: u32): void {}

// No pins.
export const LED_PIN: u32 = 0;
export const LED_LIT: bool = true;
export const BUTTON_PIN: u32 = 0;
export const BUTTON_PRESSED: bool = true;

export function gpioMode(_pin: u32, _mode: u32): i32 {
  return 0;
}

export function gpioRead(_pin: u32): bool {
  return false;
}

export function gpioWrite(_pin: u32, _high: bool): void {}

export function gpioArm(_pin: u32, _edges: u32): i32 {
  return 0;
}

export function gpioEdges(): u32 {
  return 0;
}
