/**
 * SPI2 with DMA (RM0368 9.3.3 table 28: DMA1 stream 3 receives, stream 4 sends, both on channel 0). Short transfers are
 * polled. The processor waits for the end, so memory is the caller's again when a function returns.
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
  DMA1_HIFCR,
  DMA1_HISR,
  DMA1_LIFCR,
  DMA1_LISR,
  DMA1_STREAM3,
  DMA1_STREAM4,
  DMA_CR,
  DMA_CR_DIR,
  DMA_CR_EN,
  DMA_CR_MINC,
  DMA_CR_PL_HIGH,
  DMA_FCR,
  DMA_M0AR,
  DMA_NDTR,
  DMA_PAR,
  SPI2,
} from "./registers";

/** All flags of stream 3 (low register) and 4 (high register), and their "complete" or "error". */
const STREAM3_FLAGS: u32 = 0x3d << 22;
const STREAM4_FLAGS: u32 = 0x3d;
const RECEIVED: u32 = (1 << 27) | (1 << 25);
const SENT: u32 = (1 << 5) | (1 << 3);

/** Turns of the wait until a stream that was switched off has stopped: the transfer of one byte. */
const STOP_ATTEMPTS: u32 = 1024;

/** What a reading sends. */
const ZERO: usize = memory.data(4, 4);

function start(stream: usize, mode: u32, at: usize, bytes: u32): void {
  st32(stream + DMA_PAR, <u32>(SPI2 + SPI_DR));
  st32(stream + DMA_M0AR, <u32>at);
  st32(stream + DMA_NDTR, bytes);
  st32(stream + DMA_FCR, 0);
  st32(stream + DMA_CR, mode);
  st32(stream + DMA_CR, mode | DMA_CR_EN);
}

/** Switches a stream off and waits until it is: its registers may not change before (RM0368 9.3.18). */
function stop(stream: usize): void {
  st32(stream + DMA_CR, 0);
  for (let i: u32 = 0; i < STOP_ATTEMPTS && (ld32(stream + DMA_CR) & DMA_CR_EN) != 0; i++);
}

/** Waits for the flags: a byte takes 32 cycles, a turn of the wait at least four. */
function finish(status: usize, flags: u32, bytes: u32): void {
  for (let turns = bytes * 16 + 64; turns != 0; turns--) if ((ld32(status) & flags) != 0) break;
  st32(SPI2 + SPI_CR2, 0);
  stop(DMA1_STREAM3);
  stop(DMA1_STREAM4);
  st32(DMA1_LIFCR, STREAM3_FLAGS);
  st32(DMA1_HIFCR, STREAM4_FLAGS);
  barrier();
}

/** Sends `bytes` bytes (up to 65,535) from memory or flash; what comes back is dropped. */
export function spiWrite(from: usize, bytes: u32): void {
  if (bytes < SPI_DMA_WRITE_BYTES) {
    spiWritePolled(SPI2, from, bytes);
    return;
  }
  barrier();
  start(DMA1_STREAM4, DMA_CR_DIR | DMA_CR_MINC, from, bytes);
  st32(SPI2 + SPI_CR2, SPI_CR2_TXDMAEN);
  finish(DMA1_HISR, SENT, bytes);
  spiSettle(SPI2);
}

/** Receives `bytes` bytes (up to 65,535) into memory; sends zeros. */
export function spiRead(to: usize, bytes: u32): void {
  if (bytes < SPI_DMA_READ_BYTES) {
    spiReadPolled(SPI2, to, bytes);
    return;
  }
  barrier();
  // Reception first: it must be ready before the first byte is clocked (RM0368 20.3.9).
  start(DMA1_STREAM3, DMA_CR_MINC | DMA_CR_PL_HIGH, to, bytes);
  start(DMA1_STREAM4, DMA_CR_DIR, ZERO, bytes);
  st32(SPI2 + SPI_CR2, SPI_CR2_RXDMAEN | SPI_CR2_TXDMAEN);
  finish(DMA1_LISR, RECEIVED, bytes);
  spiSettle(SPI2);
}

/** One byte out (the low eight bits), one byte in. */
export function spiPut(byte: u32): void {
  spiExchange(SPI2, byte);
}

export function spiGet(): u32 {
  return spiExchange(SPI2, 0);
}
