/** DMA channels (datasheet 2.5): who has which, and how a transfer of bytes is set up, started and awaited. */
import { barrier, ld32, st32 } from "../cortex-m/hw";
import * as R from "./registers";

export const CHANNEL_SPI_TX: u32 = 0;
export const CHANNEL_SPI_RX: u32 = 1;
export const CHANNEL_UART_TX: u32 = 2;

function at(channel: u32): usize {
  return R.DMA + channel * 64;
}

/**
 * Sets up a transfer of bytes paced by a peripheral, without starting it. `step` says which side advances:
 * DMA_INCR_READ, DMA_INCR_WRITE or none. A channel that chains to itself chains to nothing.
 */
export function dmaSetup(
  channel: u32,
  from: usize,
  to: usize,
  bytes: u32,
  dreq: u32,
  step: u32,
): void {
  const c = at(channel);
  st32(c + R.DMA_READ_ADDR, <u32>from);
  st32(c + R.DMA_WRITE_ADDR, <u32>to);
  st32(c + R.DMA_TRANS_COUNT, bytes);
  st32(
    c + R.DMA_AL1_CTRL,
    R.DMA_EN |
      R.DMA_IRQ_QUIET |
      step |
      (channel << R.DMA_CHAIN_TO_SHIFT) |
      (dreq << R.DMA_TREQ_SHIFT),
  );
}

/** Starts channels together: one bit each. What was stored before is in memory by then. */
export function dmaStart(channels: u32): void {
  barrier();
  st32(R.DMA_MULTI_CHAN_TRIGGER, channels);
}

/** True while a channel has bytes to move. */
export function dmaBusy(channel: u32): bool {
  return (ld32(at(channel) + R.DMA_CTRL_TRIG) & R.DMA_BUSY) != 0;
}

/**
 * Waits for a transfer; `polls` bounds the wait. A transfer that never ends (its peripheral asks for nothing) is
 * stopped. What the transfer wrote is visible afterwards.
 */
export function dmaWait(channel: u32, polls: u32): void {
  for (let i: u32 = 0; i < polls; i++) {
    if (!dmaBusy(channel)) {
      barrier();
      return;
    }
  }
  st32(R.DMA_CHAN_ABORT, 1 << channel);
  for (let i: u32 = 0; i < 1000; i++) {
    if ((ld32(R.DMA_CHAN_ABORT) & (1 << channel)) == 0) break;
  }
  barrier();
}
