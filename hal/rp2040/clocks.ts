/**
 * Clocks and resets: crystal, system PLL, the clock of the peripherals (datasheet 2.14 to 2.18). Every wait is bounded: a
 * crystal or PLL that does not come up leaves the processor on the slower clock it has.
 */
import { ld32, st32 } from "../cortex-m/hw";
import * as R from "./registers";

/** Crystal of every supported board, Hz. */
export const XOSC_HZ: u32 = 12000000;

/** Turns of a polling loop before a wait gives up: far beyond any specified start-up time. */
const PATIENCE: u32 = 1000000;

/** Polls until all bits of `mask` are set; false when they never are. */
export function waitFor(register: usize, mask: u32): bool {
  for (let i: u32 = 0; i < PATIENCE; i++) {
    if ((ld32(register) & mask) == mask) return true;
  }
  return false;
}

/** Takes blocks out of reset and waits until they are ready. */
export function unreset(blocks: u32): void {
  st32(R.RESETS_RESET + R.CLR, blocks);
  waitFor(R.RESETS_RESET_DONE, blocks);
}

/** Holds blocks in reset. */
export function reset(blocks: u32): void {
  st32(R.RESETS_RESET + R.SET, blocks);
}

/**
 * Starts the crystal and runs clk_sys and clk_peri from the PLL: XOSC_HZ * feedback / (post1 * post2). The oscillator of
 * the PLL must end up between 750 and 1600 MHz, clk_sys at 133 MHz or less. The timer then counts microseconds.
 */
export function clocksInit(feedback: u32, post1: u32, post2: u32): void {
  // The flash is read at clk_sys / 2 from here on: stronger and faster clock pad, no hysteresis on the data pads.
  st32(R.PADS_QSPI_SCLK, R.PAD_DRIVE_8MA | R.PAD_SLEWFAST);
  for (let pad: u32 = 0; pad < 4; pad++) {
    st32(R.PADS_QSPI_SD0 + pad * 4 + R.CLR, R.PAD_SCHMITT);
  }

  // Start-up delay in units of 256 crystal cycles: 16 ms suits slow crystals too.
  st32(R.XOSC_STARTUP, 752);
  st32(R.XOSC_CTRL, R.XOSC_RANGE_1_15MHZ | R.XOSC_ENABLE);
  waitFor(R.XOSC_STATUS, R.XOSC_STABLE);
  st32(R.CLK_REF_CTRL, R.CLK_REF_SRC_XOSC);
  waitFor(R.CLK_REF_SELECTED, 1 << R.CLK_REF_SRC_XOSC);

  // clk_sys must not run from the PLL while that is set up: a watchdog reset may come from there.
  st32(R.CLK_SYS_CTRL, 0);
  waitFor(R.CLK_SYS_SELECTED, 1);
  reset(R.RESET_PLL_SYS);
  unreset(R.RESET_PLL_SYS);
  st32(R.PLL_SYS_CS, 1);
  st32(R.PLL_SYS_FBDIV_INT, feedback);
  st32(R.PLL_SYS_PWR + R.CLR, R.PLL_PD | R.PLL_VCOPD);
  waitFor(R.PLL_SYS_CS, R.PLL_LOCK);
  st32(R.PLL_SYS_PRIM, (post1 << 16) | (post2 << 12));
  st32(R.PLL_SYS_PWR + R.CLR, R.PLL_POSTDIVPD);
  st32(R.CLK_SYS_CTRL, R.CLK_SYS_SRC_AUX);
  waitFor(R.CLK_SYS_SELECTED, 1 << R.CLK_SYS_SRC_AUX);
  st32(R.CLK_PERI_CTRL, R.CLK_PERI_ENABLE);

  // One tick a microsecond, for the timer and the watchdog.
  st32(R.WATCHDOG_TICK, (XOSC_HZ / 1000000) | R.WATCHDOG_TICK_ENABLE);
  unreset(R.RESET_TIMER);
}
