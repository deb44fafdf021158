/** DMA channels (datasheet 2.5): who has which, and how a transfer of bytes is set up, started and awaited. */
import { barrier, ld32, st32, wfi } from "../cortex-m/hw";
import { renew } from "./clocks";
import * as R from "./registers";

export const CHANNEL_SPI_TX: u32 = 0;
export const CHANNEL_SPI_RX: u32 = 1;
export const CHANNEL_UART_TX: u32 = 2;

const SPI_CHANNELS: u32 = (1 << CHANNEL_SPI_TX) | (1 << CHANNEL_SPI_RX);

/** Takes DMA out of reset; the end of an SPI transfer and alarm 1 wake the processor from then on. */
export function dmaInit(): void {
  renew(R.RESET_DMA);
  st32(R.DMA_INTE0, SPI_CHANNELS);
  st32(R.TIMER_INTE + R.SET, 2);
  st32(R.NVIC_ISER, R.DMA_IRQ_0 | R.TIMER_IRQ_1);
}

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
    R.DMA_EN | step | (channel << R.DMA_CHAIN_TO_SHIFT) | (dreq << R.DMA_TREQ_SHIFT),
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
 * Sleeps for so long while a channel moves bytes into memory, or until it has moved them all. Gives the address before which
 * memory has been written: WRITE_ADDR moves on with each write that has completed (datasheet 2.5.7).
 */
export function dmaReached(channel: u32, us: u32): usize {
  const untilUs = ld32(R.TIMER_TIMERAWL) + us;
  st32(R.TIMER_ALARM1, untilUs);
  while (dmaBusy(channel) && <i32>(untilUs - ld32(R.TIMER_TIMERAWL)) > 0) wfi();
  // Left pending the alarm would keep the next wait from sleeping.
  st32(R.TIMER_INTR, 2);
  st32(R.NVIC_ICPR, R.TIMER_IRQ_1);
  const reached = ld32(at(channel) + R.DMA_WRITE_ADDR);
  barrier();
  return reached;
}

/**
 * Sleeps until a transfer has ended, `limitUs` microseconds at most. A transfer that does not end (its peripheral asks
 * for nothing) is stopped. What the transfer wrote is visible afterwards.
 */
export function dmaWait(channel: u32, limitUs: u32): void {
  const deadline = ld32(R.TIMER_TIMERAWL) + limitUs;
  st32(R.TIMER_ALARM1, deadline);
  while (dmaBusy(channel)) {
    if (<i32>(deadline - ld32(R.TIMER_TIMERAWL)) < 0) {
      dmaAbort();
      break;
    }
    // The end of the transfer or the alarm is pending by then or wakes us; either is cleared below.
    wfi();
  }
  // A read has ended its sending channel too.
  st32(R.DMA_INTS0, SPI_CHANNELS);
  st32(R.TIMER_ARMED, 2);
  st32(R.TIMER_INTR, 2);
  st32(R.NVIC_ICPR, R.DMA_IRQ_0 | R.TIMER_IRQ_1);
  barrier();
}

/**
 * Stops both channels of SPI: one that still sends would give the next transfer its bytes. CHAN_ABORT clears before what is in
 * flight has retired (erratum RP2040-E13), so BUSY tells; the interrupt that the erratum may cause is cleared by the caller.
 */
function dmaAbort(): void {
  st32(R.DMA_CHAN_ABORT, SPI_CHANNELS);
  for (let i: u32 = 0; i < 1000; i++) {
    if (!dmaBusy(CHANNEL_SPI_TX) && !dmaBusy(CHANNEL_SPI_RX)) break;
  }
}
