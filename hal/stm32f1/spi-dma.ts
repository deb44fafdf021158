/**
 * SPI1 with DMA (RM0008 13.3.7 table 78: DMA1 channel 2 receives, channel 3 sends). Short transfers are polled. The
 * processor waits for the end, so memory is the caller's again when a function returns.
 */
import { barrier, ld32, st32 } from "../cortex-m/hw";
import { SPI_CR2, SPI_CR2_RXDMAEN, SPI_CR2_TXDMAEN, SPI_DR } from "../stm32/registers";
import {
  SPI_DMA_READ_BYTES,
  SPI_DMA_WRITE_BYTES,
  spiExchange,
  spiReadPolled,
  spiSettle,
  spiWritePolled,
} from "../stm32/spi";
import {
  DMA1_CHANNEL2,
  DMA1_CHANNEL3,
  DMA1_IFCR,
  DMA1_ISR,
  DMA_CCR,
  DMA_CCR_DIR,
  DMA_CCR_EN,
  DMA_CCR_MINC,
  DMA_CCR_PL_HIGH,
  DMA_CMAR,
  DMA_CNDTR,
  DMA_CPAR,
  SPI1,
} from "./registers";

/** All flags of channels 2 and 3, and their "transfer complete" or "transfer error". */
const BOTH_CHANNELS: u32 = 0xff << 4;
const RECEIVED: u32 = (1 << 5) | (1 << 7);
const SENT: u32 = (1 << 9) | (1 << 11);

/** What a reading sends. */
const ZERO: usize = memory.data(4, 4);

function start(channel: usize, mode: u32, at: usize, bytes: u32): void {
  st32(channel + DMA_CPAR, <u32>(SPI1 + SPI_DR));
  st32(channel + DMA_CMAR, <u32>at);
  st32(channel + DMA_CNDTR, bytes);
  st32(channel + DMA_CCR, mode | DMA_CCR_EN);
}

/** Waits for the flags: a byte takes 32 cycles, a turn of the wait at least four. */
function finish(flags: u32, bytes: u32): void {
  for (let turns = bytes * 16 + 64; turns != 0; turns--) if ((ld32(DMA1_ISR) & flags) != 0) break;
  st32(SPI1 + SPI_CR2, 0);
  st32(DMA1_CHANNEL2 + DMA_CCR, 0);
  st32(DMA1_CHANNEL3 + DMA_CCR, 0);
  st32(DMA1_IFCR, BOTH_CHANNELS);
  barrier();
}

/** Sends `bytes` bytes (up to 65,535) from memory or flash; what comes back is dropped. */
export function spiWrite(from: usize, bytes: u32): void {
  if (bytes < SPI_DMA_WRITE_BYTES) {
    spiWritePolled(SPI1, from, bytes);
    return;
  }
  barrier();
  start(DMA1_CHANNEL3, DMA_CCR_DIR | DMA_CCR_MINC, from, bytes);
  st32(SPI1 + SPI_CR2, SPI_CR2_TXDMAEN);
  finish(SENT, bytes);
  spiSettle(SPI1);
}

/** Receives `bytes` bytes (up to 65,535) into memory; sends zeros. */
export function spiRead(to: usize, bytes: u32): void {
  if (bytes < SPI_DMA_READ_BYTES) {
    spiReadPolled(SPI1, to, bytes);
    return;
  }
  barrier();
  // Reception first: it must be ready before the first byte is clocked (RM0008 25.3.9).
  start(DMA1_CHANNEL2, DMA_CCR_MINC | DMA_CCR_PL_HIGH, to, bytes);
  start(DMA1_CHANNEL3, DMA_CCR_DIR, ZERO, bytes);
  st32(SPI1 + SPI_CR2, SPI_CR2_RXDMAEN | SPI_CR2_TXDMAEN);
  finish(RECEIVED, bytes);
  spiSettle(SPI1);
}

/** One byte out (the low eight bits), one byte in. */
export function spiPut(byte: u32): void {
  spiExchange(SPI1, byte);
}

export function spiGet(): u32 {
  return spiExchange(SPI1, 0);
}
