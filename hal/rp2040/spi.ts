/**
 * SPI0 as master (PL022, datasheet 4.4): short transfers by polling with the FIFOs kept full, long ones by DMA.
 *
 * Writing returns when the last byte is in the FIFO, not when it is on the wire, so that header bytes and a transfer
 * behind them follow without a gap; `spiFinish` waits for the wire and empties the receive FIFO of what came meanwhile.
 */
import { ld32, st32, sumWords } from "../cortex-m/hw";
import { checksumOf } from "../cpu/cortex-m0plus";
import { renew } from "./clocks";
import { CHANNEL_SPI_RX, CHANNEL_SPI_TX, dmaReached, dmaSetup, dmaStart, dmaWait } from "./dma";
import * as R from "./registers";

/** From this many bytes on, setting up DMA is quicker than moving the bytes. */
const DMA_BYTES: u32 = 24;

/** Depth of each FIFO. */
const FIFO: u32 = 8;

/** Bound of the wait for one byte: a byte lasts 32 to 60 processor cycles at the clocks in use, a poll five or more. */
const POLLS_A_BYTE: u32 = 100;

/** Bound of a DMA transfer: one microsecond a byte, which is twice what it takes, and this much more. */
const DMA_MARGIN_US: u32 = 50;

/** From this many bytes on, memory that DMA fills is summed meanwhile. */
const SUM_BYTES: u32 = 256;

/**
 * Nanoseconds a byte after which the processor looks how far DMA has come: a byte takes 256 of them at 31.25 MHz, and to sum it
 * six. What is left to be summed at the end is the last seventh.
 */
const LOOK_NS_A_BYTE: u32 = 220;

/** The zero that is sent while reading. */
const ZERO: usize = memory.data(4, 4);

/** What DMA has read last, if it was summed: where, how much, and its sum. */
let summedAt: usize = 0;
let summedBytes: u32 = 0;
let summed: u32 = 0;

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
    if (bytes >= SUM_BYTES && (to & 3) == 0) sumWhile(to, bytes);
    else dmaWait(CHANNEL_SPI_RX, bytes + DMA_MARGIN_US);
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

/** Awaits what DMA reads, and sums most of it while the rest is still moving. */
function sumWhile(to: usize, bytes: u32): void {
  const reached = dmaReached(CHANNEL_SPI_RX, (bytes * LOOK_NS_A_BYTE) >>> 10);
  const done = (<u32>(reached - to)) & ~3;
  const sum = sumWords(to, done >>> 2, 0);
  dmaWait(CHANNEL_SPI_RX, bytes + DMA_MARGIN_US);
  summed = (sum & 0xffff) + (sum >>> 16) + checksumOf(to + done, bytes - done);
  summedAt = to;
  summedBytes = bytes;
}

/**
 * `checksumOf` for memory that `spiRead` has just filled and that nobody has changed since: known already where DMA moved it.
 */
export function spiSum(at: usize, bytes: u32): u32 {
  if (at != summedAt || bytes != summedBytes) return checksumOf(at, bytes);
  summedBytes = 0;
  return (summed & 0xffff) + (summed >>> 16);
}
