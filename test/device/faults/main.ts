/** Does one thing that it must not; which one is the first byte of the settings block. */
import {
  boardInit,
  chipReset,
  clockMs,
  delayUs,
  log0,
  log1,
  log2,
  settingsBase,
  sleepUntil,
  spiDeselect,
  spiPut,
  spiSelect,
  spiWrite,
  watchdogFeed,
} from "board";
import { ld32, st32 } from "../../../hal/cortex-m/hw";
import * as R from "../../../hal/rp2040/registers";

const BUFFER: usize = memory.data(64, 4);

/** Divides by zero when told to. */
function quotient(by: u32): u32 {
  return 1000 / by;
}

/** Fails its assertion when told to. */
function mustBe(expected: u32, value: u32): void {
  assert(expected == value);
}

function memoryFault(fault: u32): void {
  // Known to the test only: a compiler that sees the misalignment goes byte by byte.
  const offset = <u32>load<u8>(settingsBase() + 1);
  if (fault == 1) log1("info: %u", load<u32>(BUFFER + offset));
  else if (fault == 2) store<u32>(0x10001000, 1);
  else if (fault == 3) log1("info: %u", load<u32>(8));
  else if (fault == 4) log1("info: %u", ld32(0x60000000));
  else if (fault == 5) log1("info: %u", load<u32>(0x10200000));
  else if (fault == 6) log1("info: %u", load<u16>(BUFFER + offset));
}

function busFault(fault: u32): void {
  if (fault == 10) {
    st32(R.SPI0_CR1, 0);
    st32(R.SPI0_DR, 1);
  } else if (fault == 11) {
    st32(R.SPI0_DMACR, 0);
    spiSelect();
    spiWrite(BUFFER, 64);
    log0("info: the wait has ended");
  } else if (fault == 12) {
    log1("info: %u", ld32(0x4004c000));
  } else if (fault == 13) {
    spiSelect();
    spiPut(1);
    st32(R.SIO_GPIO_OUT_SET, 1 << 17);
  } else if (fault == 14) {
    st32(R.PADS_BANK0_GPIO0 + 16 * 4 + R.CLR, R.PAD_IE);
    spiSelect();
    spiPut(1);
    spiDeselect();
  } else if (fault == 15) {
    spiPut(1);
  } else if (fault == 16) {
    st32(R.IO_BANK0_CTRL + 18 * 8, R.FUNCSEL_SIO);
    spiSelect();
    spiPut(1);
    spiDeselect();
  } else if (fault == 17) {
    st32(R.SPI0_CR1, 0);
    st32(R.SPI0_CPSR, 2);
    st32(R.SPI0_CR1, R.SPI_SSE);
    spiSelect();
    spiPut(1);
    spiDeselect();
  }
}

export function main(): void {
  boardInit();
  chipReset(false);
  const fault = <u32>load<u8>(settingsBase());
  memoryFault(fault);
  busFault(fault);
  // Two runs of DMA, the first of which is under way: the ring's end lies between.
  if (fault == 25) for (let i: u32 = 0; i < 60; i++) log2("info: line %u of %u", i, 60);
  if (fault == 25) delayUs(5000);
  if (fault == 25) log0("info: one more");
  if (fault == 25) mustBe(1, clockMs() + 100);
  if (fault == 20) mustBe(1, clockMs() + 100);
  if (fault == 21) log1("info: %u", quotient(clockMs() & 0x80000000));
  if (fault == 22) watchdogFeed();
  log0("info: still here");
  if (fault == 23) return;
  for (;;) {
    sleepUntil(clockMs() + 1000);
    if (fault == 24) watchdogFeed();
  }
}
