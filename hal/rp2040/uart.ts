/**
 * The log line: UART0 (PL011, datasheet 4.2). Bytes wait in a ring that DMA empties, so that logging costs the
 * program a copy; it waits only when the ring is full, and gives up on a line that does not move.
 */
import { ld32, logRing, st32, st8 } from "../cortex-m/hw";
import { renew } from "./clocks";
import { CHANNEL_UART_TX, dmaBusy, dmaSetup, dmaStart } from "./dma";
import * as R from "./registers";

const RING_BYTES: u32 = 1024;

/**
 * Bytes ever put in (4), those handed to DMA (4), and the ring: where the last words find what has not been said yet
 * (host-tools/build/c/startup.c).
 */
const STATE: usize = memory.data(8 + RING_BYTES, 4);
const HANDED: usize = STATE + 4;
const RING: usize = STATE + 8;

/** Polls of a full ring before a byte is given up: a few byte times at 115,200 baud. */
const PATIENCE: u32 = 40000;

/** Bytes taken out by DMA. */
let sent: u32 = 0;

/** Starts the line: `divider` is 64 times the clock over 16 times the baud rate, 6 fraction bits. */
export function uartInit(divider: u32): void {
  logRing(STATE, RING_BYTES);
  renew(R.RESET_UART0);
  st32(R.UART0_IBRD, divider >>> 6);
  st32(R.UART0_FBRD, divider & 63);
  // Divider registers take effect with a write to LCR_H.
  st32(R.UART0_LCR_H, R.UART_8N1_FIFO);
  st32(R.UART0_DMACR, R.UART_TXDMAE);
  st32(R.UART0_CR, R.UART_UARTEN | R.UART_TXE);
}

/** Hands what lies in the ring to DMA if that is free; called whenever there is time. */
export function uartPoll(): void {
  const put = load<u32>(STATE);
  const handed = load<u32>(HANDED);
  if (handed == sent && put == sent) return;
  if (dmaBusy(CHANNEL_UART_TX)) return;
  sent = handed;
  let bytes = put - handed;
  if (bytes == 0) return;
  const at = handed & (RING_BYTES - 1);
  if (bytes > RING_BYTES - at) bytes = RING_BYTES - at;
  dmaSetup(CHANNEL_UART_TX, RING + at, R.UART0_DR, bytes, R.DREQ_UART0_TX, R.DMA_INCR_READ);
  store<u32>(HANDED, handed + bytes);
  dmaStart(1 << CHANNEL_UART_TX);
}

/** Puts one byte into the ring; drops it when the line has stood still for too long. */
export function uartPut(byte: u32): void {
  const put = load<u32>(STATE);
  for (let i: u32 = 0; put - sent >= RING_BYTES; i++) {
    if (i >= PATIENCE) return;
    uartPoll();
    // Room comes back a DMA run at a time; the count of what is left tells how far this one is.
    if (put - sent >= RING_BYTES) sent = load<u32>(HANDED) - uartPending();
  }
  st8(RING + (put & (RING_BYTES - 1)), byte);
  store<u32>(STATE, put + 1);
}

/** Bytes that DMA has still to move. */
function uartPending(): u32 {
  if (!dmaBusy(CHANNEL_UART_TX)) return 0;
  return ld32(R.DMA + CHANNEL_UART_TX * 64 + R.DMA_TRANS_COUNT);
}
