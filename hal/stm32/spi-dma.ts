/**
 * SPI with DMA; which channels or streams of the controller serve it is in hal/stm32f1/dma.ts and hal/stm32f4/dma.ts. Short
 * transfers are polled. The processor waits for the end, so memory is the caller's again when a function returns.
 */
import { barrier, ld32, st32 } from "../cortex-m/hw";
import {
  DMA_DIR,
  DMA_MINC,
  DMA_PL_HIGH,
  DMA_RECEIVED,
  DMA_RECEIVED_AT,
  DMA_RECEIVES,
  DMA_SENDS,
  DMA_SENT,
  DMA_SENT_AT,
  SPI,
  dmaStart,
  dmaStop,
} from "mcu";
import { SPI_CR2, SPI_CR2_RXDMAEN, SPI_CR2_TXDMAEN } from "./registers";
import { spiExchange, spiReadPolled, spiSettle, spiWritePolled } from "./spi";

/** Transfers of at least so many bytes are worth the set-up of the DMA channels, about 100 cycles. */
const DMA_WRITE_BYTES: u32 = 24;
const DMA_READ_BYTES: u32 = 8;

/** What a reading sends. */
const ZERO: usize = memory.data(4, 4);

/** Waits for the flags: a byte takes 32 cycles, a turn of the wait at least four. */
function finish(status: usize, flags: u32, bytes: u32): void {
  for (let turns = bytes * 16 + 64; turns != 0; turns--) if ((ld32(status) & flags) != 0) break;
  st32(SPI + SPI_CR2, 0);
  dmaStop();
  barrier();
}

/** Sends `bytes` bytes (up to 65,535) from memory or flash; what comes back is dropped. */
export function spiWrite(from: usize, bytes: u32): void {
  if (bytes < DMA_WRITE_BYTES) {
    spiWritePolled(from, bytes);
    return;
  }
  barrier();
  dmaStart(DMA_SENDS, DMA_DIR | DMA_MINC, from, bytes);
  st32(SPI + SPI_CR2, SPI_CR2_TXDMAEN);
  finish(DMA_SENT_AT, DMA_SENT, bytes);
  spiSettle();
}

/** Receives `bytes` bytes (up to 65,535) into memory; sends zeros. */
export function spiRead(to: usize, bytes: u32): void {
  if (bytes < DMA_READ_BYTES) {
    spiReadPolled(to, bytes);
    return;
  }
  barrier();
  // Reception first: it must be ready before the first byte is clocked (RM0008 25.3.9, RM0368 20.3.9).
  dmaStart(DMA_RECEIVES, DMA_MINC | DMA_PL_HIGH, to, bytes);
  dmaStart(DMA_SENDS, DMA_DIR, ZERO, bytes);
  st32(SPI + SPI_CR2, SPI_CR2_RXDMAEN | SPI_CR2_TXDMAEN);
  finish(DMA_RECEIVED_AT, DMA_RECEIVED, bytes);
  spiSettle();
}

/** One byte out (the low eight bits), one byte in. */
export function spiPut(byte: u32): void {
  spiExchange(byte);
}

export function spiGet(): u32 {
  return spiExchange(0);
}
