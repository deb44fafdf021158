/**
 * SPI by polling, master, mode 0, eight bits, most significant first. Every function leaves the bus idle: the last bit is
 * on the wire, the receive register is empty and the overrun flag is clear.
 *
 * Sending keeps the transmit register full, so the clock does not pause. Receiving has one byte under way at a time: with
 * two, a byte (32 cycles at the fastest SCK) could be complete before the one ahead of it was fetched, and be lost.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { SPI } from "mcu";
import {
  SPI_CR1,
  SPI_CR1_BR_SHIFT,
  SPI_CR1_MSTR,
  SPI_CR1_SPE,
  SPI_CR1_SSI,
  SPI_CR1_SSM,
  SPI_CR2,
  SPI_DR,
  SPI_SR,
  SPI_SR_BSY,
  SPI_SR_RXNE,
  SPI_SR_TXE,
} from "./registers";

/** Turns of a wait for one flag: a byte takes at most 8 * 256 cycles, a turn at least three. */
const ATTEMPTS: u32 = 1024;

/** Switches the SPI on; SCK is its clock / 2^(rate + 1). */
export function spiInit(rate: u32): void {
  st32(SPI + SPI_CR1, 0);
  st32(SPI + SPI_CR2, 0);
  const mode = SPI_CR1_MSTR | SPI_CR1_SSM | SPI_CR1_SSI;
  st32(SPI + SPI_CR1, mode | (rate << SPI_CR1_BR_SHIFT));
  st32(SPI + SPI_CR1, mode | (rate << SPI_CR1_BR_SHIFT) | SPI_CR1_SPE);
}

function awaitFlag(flag: u32): void {
  for (let i: u32 = 0; i < ATTEMPTS; i++) if ((ld32(SPI + SPI_SR) & flag) != 0) return;
}

/** Sends one byte and returns the one that came meanwhile. */
export function spiExchange(byte: u32): u32 {
  st32(SPI + SPI_DR, byte & 0xff);
  awaitFlag(SPI_SR_RXNE);
  return ld32(SPI + SPI_DR) & 0xff;
}

/** Waits until the last bit has left, and drops what was received meanwhile (RM0008 25.3.8: DR, then SR). */
export function spiSettle(): void {
  awaitFlag(SPI_SR_TXE);
  for (let i: u32 = 0; i < ATTEMPTS; i++) if ((ld32(SPI + SPI_SR) & SPI_SR_BSY) == 0) break;
  ld32(SPI + SPI_DR);
  ld32(SPI + SPI_SR);
}

/** Sends `bytes` bytes from memory. */
export function spiWritePolled(from: usize, bytes: u32): void {
  const end = from + <usize>bytes;
  for (; from < end; from++) {
    awaitFlag(SPI_SR_TXE);
    st32(SPI + SPI_DR, <u32>load<u8>(from));
  }
  spiSettle();
}

/** Receives `bytes` bytes into memory while zeros are sent. */
export function spiReadPolled(to: usize, bytes: u32): void {
  const end = to + <usize>bytes;
  for (; to < end; to++) store<u8>(to, <u8>spiExchange(0));
}
