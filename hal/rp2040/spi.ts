/**
 * SPI0 as master (PL022, datasheet 4.4): short transfers by polling with the FIFOs kept full, long ones by DMA.
 *
 * Writing returns when the last byte is in the FIFO, not when it is on the wire, so that header bytes and a transfer
 * behind them follow without a gap; `spiFinish` waits for the wire and empties the receive FIFO of what came meanwhile.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { renew } from "./clocks";
import { CHANNEL_SPI_RX, CHANNEL_SPI_TX, dmaSetup, dmaStart, dmaWait } from "./dma";
import * as R from "./registers";

/** From this many bytes on, setting up DMA is quicker than moving the bytes. */
const DMA_BYTES: u32 = 24;

/** Depth of each FIFO. */
const FIFO: u32 = 8;

/** Bound of the wait for one byte: a byte lasts 32 to 60 processor cycles at the clocks in use, a poll five or more. */
const POLLS_A_BYTE: u32 = 100;

/** Bound of a DMA transfer: one microsecond a byte, which is twice what it takes, and this much more. */
const DMA_MARGIN_US: u32 = 50;

/** The zero that is sent while reading. */
const ZERO: usize = memory.data(4, 4);

/** Starts SPI0 at clk_peri / `divisor` (even, 2 to 254) in SPI_MODE_0 or SPI_MODE_3. */
export function spiInit(divisor: u32, mode: u32): void {
  renew(R.RESET_SPI0);
  st32(R.SPI0_CPSR, divisor);
  st32(R.SPI0_CR0, R.SPI_8_BITS | mode);
  st32(R.SPI0_DMACR, R.SPI_TXDMAE | R.SPI_RXDMAE);
  st32(R.SPI0_CR1, R.SPI_SSE);
}

/** Waits until the last byte is on the wire and drops what was received. */
export function spiFinish(): void {
  for (let i: u32 = 0; i < FIFO * POLLS_A_BYTE; i++) {
    if ((ld32(R.SPI0_SR) & R.SPI_BSY) == 0) break;
  }
  for (let i: u32 = 0; i < FIFO; i++) {
    if ((ld32(R.SPI0_SR) & R.SPI_RNE) == 0) break;
    ld32(R.SPI0_DR);
  }
  st32(R.SPI0_ICR, R.SPI_RORIC);
}

/** Sends the low eight bits; returns before they are on the wire. */
export function spiPut(byte: u32): void {
  for (let i: u32 = 0; i < POLLS_A_BYTE; i++) {
    if ((ld32(R.SPI0_SR) & R.SPI_TNF) != 0) break;
  }
  st32(R.SPI0_DR, byte & 0xff);
}

/** Sends a zero and returns the byte that came with it. */
export function spiGet(): u32 {
  spiFinish();
  st32(R.SPI0_DR, 0);
  for (let i: u32 = 0; i < POLLS_A_BYTE; i++) {
    if ((ld32(R.SPI0_SR) & R.SPI_RNE) != 0) break;
  }
  return ld32(R.SPI0_DR);
}

/** Sends memory; it may be changed again as soon as this returns. */
export function spiWrite(from: usize, bytes: u32): void {
  if (bytes >= DMA_BYTES) {
    dmaSetup(CHANNEL_SPI_TX, from, R.SPI0_DR, bytes, R.DREQ_SPI0_TX, R.DMA_INCR_READ);
    dmaStart(1 << CHANNEL_SPI_TX);
    dmaWait(CHANNEL_SPI_TX, bytes + DMA_MARGIN_US);
    return;
  }
  for (let i: u32 = 0; i < bytes; i++) spiPut(load<u8>(from + i));
}

/** Receives into memory while zeros are sent. */
export function spiRead(to: usize, bytes: u32): void {
  spiFinish();
  if (bytes >= DMA_BYTES) {
    dmaSetup(CHANNEL_SPI_RX, R.SPI0_DR, to, bytes, R.DREQ_SPI0_RX, R.DMA_INCR_WRITE);
    dmaSetup(CHANNEL_SPI_TX, ZERO, R.SPI0_DR, bytes, R.DREQ_SPI0_TX, 0);
    dmaStart((1 << CHANNEL_SPI_TX) | (1 << CHANNEL_SPI_RX));
    dmaWait(CHANNEL_SPI_RX, bytes + DMA_MARGIN_US);
    return;
  }
  // No more than a FIFO's worth under way: nothing that arrives can be lost.
  let sent: u32 = 0;
  let taken: u32 = 0;
  for (let polls: u32 = bytes * POLLS_A_BYTE; taken < bytes && polls > 0; polls--) {
    if (sent < bytes && sent - taken < FIFO) {
      st32(R.SPI0_DR, 0);
      sent++;
    }
    if ((ld32(R.SPI0_SR) & R.SPI_RNE) != 0) {
      store<u8>(to + taken, <u8>ld32(R.SPI0_DR));
      taken++;
    }
  }
}
