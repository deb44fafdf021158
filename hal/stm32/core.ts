/**
 * The Cortex-M3/M4 core: cycle-exact waiting, interrupts as wake-up events, and the sleep that SysTick ends.
 *
 * No interrupt handler exists. Interrupts are masked for ever (PRIMASK), and WFI still returns when one that is enabled in
 * the NVIC becomes pending (ARM v7-M B1.5.19); the code that slept then clears what woke it. So nothing ever runs beside
 * the program, and no memory is shared with a handler.
 */
import { ld32, spin, st32, wfi } from "../cortex-m/hw";
import {
  DEMCR,
  DEMCR_TRCENA,
  DWT_CTRL,
  DWT_CTRL_CYCCNTENA,
  DWT_CYCCNT,
  ICSR,
  ICSR_PENDSTCLR,
  NVIC_ICER,
  NVIC_ICPR,
  NVIC_ISER,
  SCR,
  SYST_CSR,
  SYST_CSR_COUNTFLAG,
  SYST_CSR_ENABLE,
  SYST_CSR_TICKINT,
  SYST_CVR,
  SYST_RVR,
  SYST_RVR_MAX,
} from "./registers";

/** Core clock in MHz: set by the clock set-up of the MCU, the internal oscillator until then. */
let megahertz: u32 = 8;

/** Tells the core clock to what waits and divides by it. */
export function coreClockIs(mhz: u32): void {
  megahertz = mhz;
}

/** Core clock in MHz. */
export function coreClockMHz(): u32 {
  return megahertz;
}

/**
 * Puts the core into a known state, whatever a bootloader left: SysTick off, every interrupt disabled and not pending,
 * plain sleep, cycle counter running. `words` is the number of 32-bit words of the NVIC's registers.
 */
export function coreInit(words: u32): void {
  st32(SYST_CSR, 0);
  st32(ICSR, ICSR_PENDSTCLR);
  for (let word: u32 = 0; word < words; word++) {
    st32(NVIC_ICER + <usize>(word << 2), 0xffffffff);
    st32(NVIC_ICPR + <usize>(word << 2), 0xffffffff);
  }
  st32(SCR, 0);
  st32(DEMCR, ld32(DEMCR) | DEMCR_TRCENA);
  st32(DWT_CTRL, ld32(DWT_CTRL) | DWT_CTRL_CYCCNTENA);
}

/** Lets an interrupt wake the processor. */
export function wakeOn(irq: u32): void {
  st32(NVIC_ISER + <usize>((irq >>> 5) << 2), 1 << (irq & 31));
}

/** Forgets an interrupt that has become pending. */
export function wakeClear(irq: u32): void {
  st32(NVIC_ICPR + <usize>((irq >>> 5) << 2), 1 << (irq & 31));
}

/** Cycles of the core since it was started; wraps (DWT_CYCCNT). */
export function cycles(): u32 {
  return ld32(DWT_CYCCNT);
}

/** Waits at least `ns` nanoseconds, up to 4 milliseconds: a turn of the loop is three cycles or more. */
export function spinNs(ns: u32): void {
  // 11 / 2^15 is 1 / 2979: a little more than the 1 / 3000 that the three cycles ask for.
  spin(((ns * megahertz * 11) >>> 15) + 1);
}

/**
 * Sleeps until an enabled interrupt is pending, but at most `ms` milliseconds. SysTick counts core clocks / 8, with 24
 * bits, so one sleep lasts at most 1.5 s. Returns true when the time is over.
 */
export function sleepMs(ms: u32): bool {
  const longest: u32 = 1500;
  const ticks = (ms < longest ? ms : longest) * megahertz * 125;
  st32(SYST_RVR, ticks <= SYST_RVR_MAX ? ticks : SYST_RVR_MAX);
  st32(SYST_CVR, 0);
  st32(SYST_CSR, SYST_CSR_ENABLE | SYST_CSR_TICKINT);
  wfi();
  const over = (ld32(SYST_CSR) & SYST_CSR_COUNTFLAG) != 0;
  st32(SYST_CSR, 0);
  st32(ICSR, ICSR_PENDSTCLR);
  return over;
}
