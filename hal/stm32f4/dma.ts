/**
 * DMA of the SPI of the STM32F401 (RM0368 9.3.3 table 28): stream 3 of DMA1 receives for SPI2, stream 4 sends, both on channel 0.
 */
import { st32 } from "../cortex-m/hw";
import { SPI_DR } from "../stm32/registers";
import { awaitRegister } from "../stm32/wait";
import {
  DMA1_HIFCR,
  DMA1_HISR,
  DMA1_LIFCR,
  DMA1_LISR,
  DMA1_STREAM3,
  DMA1_STREAM4,
  DMA_CR,
  DMA_CR_EN,
  DMA_FCR,
  DMA_M0AR,
  DMA_NDTR,
  DMA_PAR,
  SPI2,
} from "./registers";

export const DMA_RECEIVES: usize = DMA1_STREAM3;
export const DMA_SENDS: usize = DMA1_STREAM4;
/** Where "transfer complete" and "transfer error" of a stream are, and which bits. */
export const DMA_RECEIVED_AT: usize = DMA1_LISR;
export const DMA_RECEIVED: u32 = (1 << 27) | (1 << 25);
export const DMA_SENT_AT: usize = DMA1_HISR;
export const DMA_SENT: u32 = (1 << 5) | (1 << 3);

/** All flags of stream 3 (low register) and of stream 4 (high register). */
const STREAM3_FLAGS: u32 = 0x3d << 22;
const STREAM4_FLAGS: u32 = 0x3d;

/** Turns of the wait until a stream that was switched off has stopped: the transfer of one byte. */
const STOP_ATTEMPTS: u32 = 1024;

/** Starts a transfer between the SPI and memory. */
export function dmaStart(stream: usize, mode: u32, at: usize, bytes: u32): void {
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
  awaitRegister(stream + DMA_CR, DMA_CR_EN, 0, STOP_ATTEMPTS);
}

/** Switches both streams off and forgets their flags. */
export function dmaStop(): void {
  stop(DMA1_STREAM3);
  stop(DMA1_STREAM4);
  st32(DMA1_LIFCR, STREAM3_FLAGS);
  st32(DMA1_HIFCR, STREAM4_FLAGS);
}
