/**
 * Clocks and resets: crystal, system PLL, the clock of the peripherals (datasheet 2.14 to 2.18). Every wait is bounded: a
 * crystal or PLL that does not come up leaves the processor on the slower clock it has, and the caller is told which.
 */
import { ld32, st32 } from "../cortex-m/hw";
import * as R from "./registers";

/** Crystal of every supported board, Hz. */
const XOSC_HZ: u32 = 12000000;

/** The ring oscillator, as far as it can be known. */
const RING_MHZ: u32 = 6;

/** Turns of a polling loop before a wait gives up: far beyond any specified start-up time. */
const PATIENCE: u32 = 1000000;

/** Polls until all bits of `mask` are set; false when they never are. */
function waitFor(register: usize, mask: u32): bool {
  for (let i: u32 = 0; i < PATIENCE; i++) {
    if ((ld32(register) & mask) == mask) return true;
  }
  return false;
}

/** Resets blocks, whatever whoever ran before has left in them, and waits until they are ready. */
export function renew(blocks: u32): void {
  st32(R.RESETS_RESET + R.SET, blocks);
  st32(R.RESETS_RESET + R.CLR, blocks);
  waitFor(R.RESETS_RESET_DONE, blocks);
}

/** What the processor and the peripherals run from, after `clocksInit`. */
export const enum Clock {
  /** The PLL did not lock: the crystal, 12 MHz. */
  CRYSTAL = 0,
  /** The crystal did not start: the ring oscillator, about 6.5 MHz (1.8 to 12, datasheet 2.17). */
  RING = 1,
  PLL = 2,
}

/** The timer and the watchdog count microseconds of a clock of `mhz`. */
function tick(mhz: u32): void {
  st32(R.WATCHDOG_TICK, mhz | R.WATCHDOG_TICK_ENABLE);
  renew(R.RESET_TIMER);
}

/** Waits for the crystal and makes it clk_ref; false when it does not start: then nothing has changed. */
function crystal(): bool {
  // Start-up delay in units of 256 crystal cycles: 16 ms suits slow crystals too.
  st32(R.XOSC_STARTUP, 752);
  st32(R.XOSC_CTRL, R.XOSC_RANGE_1_15MHZ | R.XOSC_ENABLE);
  if (!waitFor(R.XOSC_STATUS, R.XOSC_STABLE)) return false;
  st32(R.CLK_REF_CTRL, R.CLK_REF_SRC_XOSC);
  return waitFor(R.CLK_REF_SELECTED, 1 << R.CLK_REF_SRC_XOSC);
}

/** Runs clk_sys from the PLL; false when that does not lock: clk_sys stays on clk_ref. */
function pll(feedback: u32, post1: u32, post2: u32): bool {
  renew(R.RESET_PLL_SYS);
  st32(R.PLL_SYS_CS, 1);
  st32(R.PLL_SYS_FBDIV_INT, feedback);
  st32(R.PLL_SYS_PWR + R.CLR, R.PLL_PD | R.PLL_VCOPD);
  if (!waitFor(R.PLL_SYS_CS, R.PLL_LOCK)) return false;
  st32(R.PLL_SYS_PRIM, (post1 << 16) | (post2 << 12));
  st32(R.PLL_SYS_PWR + R.CLR, R.PLL_POSTDIVPD);
  st32(R.CLK_SYS_CTRL, R.CLK_SYS_SRC_AUX);
  return waitFor(R.CLK_SYS_SELECTED, 1 << R.CLK_SYS_SRC_AUX);
}

/**
 * Starts the crystal and runs clk_sys and clk_peri from the PLL: XOSC_HZ * feedback / (post1 * post2). The oscillator of
 * the PLL must end up between 750 and 1600 MHz, clk_sys at 133 MHz or less. The timer then counts microseconds. Gives what
 * clk_sys and clk_peri really run from.
 */
export function clocksInit(feedback: u32, post1: u32, post2: u32): Clock {
  // The flash is read at clk_sys / 2 from here on: stronger and faster clock pad, no hysteresis on the data pads.
  st32(R.PADS_QSPI_SCLK, R.PAD_DRIVE_8MA | R.PAD_SLEWFAST);
  for (let pad: u32 = 0; pad < 4; pad++) {
    st32(R.PADS_QSPI_SD0 + pad * 4 + R.CLR, R.PAD_SCHMITT);
  }

  // Whoever ran before may have had clk_sys watched, and put on another clock when it stops.
  st32(R.CLK_SYS_RESUS_CTRL, 0);
  // clk_sys must run from clk_ref, undivided, while its sources are set up: whoever ran before may have had it elsewhere.
  st32(R.CLK_SYS_CTRL + R.CLR, R.CLK_SYS_SRC_AUX);
  waitFor(R.CLK_SYS_SELECTED, 1);
  st32(R.CLK_SYS_CTRL, 0);
  st32(R.CLK_SYS_DIV, R.CLK_DIV_1);
  st32(R.CLK_REF_DIV, R.CLK_DIV_1);
  const started = crystal();
  const locked = started && pll(feedback, post1, post2);
  st32(R.CLK_PERI_CTRL, R.CLK_PERI_ENABLE);
  tick(started ? XOSC_HZ / 1000000 : RING_MHZ);
  return locked ? Clock.PLL : started ? Clock.CRYSTAL : Clock.RING;
}
