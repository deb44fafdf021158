/** DMA of the SPI of the STM32F103 (RM0008 13.3.7 table 78): channel 2 of DMA1 receives for SPI1, channel 3 sends. */
import { st32 } from "../cortex-m/hw";
import { SPI_DR } from "../stm32/registers";
import {
  DMA1_CHANNEL2,
  DMA1_CHANNEL3,
  DMA1_IFCR,
  DMA1_ISR,
  DMA_CCR,
  DMA_CCR_EN,
  DMA_CMAR,
  DMA_CNDTR,
  DMA_CPAR,
  SPI1,
} from "./registers";

export const DMA_RECEIVES: usize = DMA1_CHANNEL2;
export const DMA_SENDS: usize = DMA1_CHANNEL3;
/** Where "transfer complete" and "transfer error" of a channel are, and which bits. */
export const DMA_RECEIVED_AT: usize = DMA1_ISR;
export const DMA_RECEIVED: u32 = (1 << 5) | (1 << 7);
export const DMA_SENT_AT: usize = DMA1_ISR;
export const DMA_SENT: u32 = (1 << 9) | (1 << 11);

/** All flags of channels 2 and 3. */
const BOTH_CHANNELS: u32 = 0xff << 4;

/** Starts a transfer between the SPI and memory. */
export function dmaStart(channel: usize, mode: u32, at: usize, bytes: u32): void {
  st32(channel + DMA_CPAR, <u32>(SPI1 + SPI_DR));
  st32(channel + DMA_CMAR, <u32>at);
  st32(channel + DMA_CNDTR, bytes);
  st32(channel + DMA_CCR, mode | DMA_CCR_EN);
}

/** Switches both channels off and forgets their flags. */
export function dmaStop(): void {
  st32(DMA1_CHANNEL2 + DMA_CCR, 0);
  st32(DMA1_CHANNEL3 + DMA_CCR, 0);
  st32(DMA1_IFCR, BOTH_CHANNELS);
}
