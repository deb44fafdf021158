/**
 * Log output over a USART, 8N1. A byte waits in a small ring until the transmitter takes it, so that a log line costs the
 * network microseconds, not the milliseconds that it needs on the line. Nothing is moved by interrupt: the ring is served
 * after every line and in every turn of a sleep, and the transmitter's interrupt only wakes a sleep while bytes wait.
 */
import { ld32, logRing, st32 } from "../cortex-m/hw";
import {
  USART_BRR,
  USART_CR1,
  USART_CR1_TE,
  USART_CR1_TXEIE,
  USART_CR1_UE,
  USART_CR2,
  USART_CR3,
  USART_DR,
  USART_SR,
  USART_SR_TXE,
} from "./registers";

/** Bytes of the ring: a burst of about ten log lines. A power of two. */
const RING_BYTES: u32 = 128;

/**
 * Bytes ever put in (4), those given to the transmitter (4), and the ring: where the last words find what has not been
 * said yet (host-tools/build/c/startup.c).
 */
const STATE: usize = memory.data(8 + RING_BYTES, 4);
const SENT: usize = STATE + 4;
const RING: usize = STATE + 8;

/** Attempts to hand on one byte when the ring is full: beyond a byte's time on the line (87 us at 115,200 baud). */
const PUT_ATTEMPTS: u32 = 4096;

let base: usize = 0;

/** Starts the transmitter of the USART at `address`; its clock and its pin are on. */
export function uartInit(address: usize, divisor: u32): void {
  base = address;
  logRing(STATE, RING_BYTES);
  st32(address + USART_CR1, 0);
  st32(address + USART_CR2, 0);
  st32(address + USART_CR3, 0);
  st32(address + USART_BRR, divisor);
  st32(address + USART_CR1, USART_CR1_UE | USART_CR1_TE);
}

/** Hands on what the transmitter can take now; true while bytes are left. */
export function uartPoll(): bool {
  const written = load<u32>(STATE);
  for (let sent = load<u32>(SENT); sent != written;) {
    if ((ld32(base + USART_SR) & USART_SR_TXE) == 0) return true;
    st32(base + USART_DR, <u32>load<u8>(RING + <usize>(sent & (RING_BYTES - 1))));
    store<u32>(SENT, ++sent);
  }
  return false;
}

/** Queues one byte. Waits for room when the ring is full; a transmitter that stands still loses the byte. */
export function uartPut(byte: u32): void {
  if (base == 0) return;
  const written = load<u32>(STATE);
  for (let i: u32 = 0; i < PUT_ATTEMPTS && written - load<u32>(SENT) >= RING_BYTES; i++) uartPoll();
  if (written - load<u32>(SENT) >= RING_BYTES) return;
  store<u8>(RING + <usize>(written & (RING_BYTES - 1)), <u8>byte);
  store<u32>(STATE, written + 1);
}

/** While bytes wait, the transmitter wakes a sleep when it can take the next one. */
export function uartWakes(on: bool): void {
  if (base == 0) return;
  const quiet = USART_CR1_UE | USART_CR1_TE;
  st32(base + USART_CR1, on ? quiet | USART_CR1_TXEIE : quiet);
}
