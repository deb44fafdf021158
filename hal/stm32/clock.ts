/**
 * What the clocks of both families have in common (RM0008 7, RM0368 6): to the internal oscillator from whatever state a boot
 * loader left, the crystal, and to the PLL, whose dividers are the family's own. Every wait is bounded, so a board with a fault still
 * comes up and can say so.
 */
import { ld32, st32 } from "../cortex-m/hw";
import { FLASH_ACR, FLASH_ACR_TWO_WAITS, HSI_MHZ, RCC_CFGR, RCC_CIR, RCC_CR } from "mcu";
import {
  RCC_CFGR_SWS_MASK,
  RCC_CFGR_SWS_PLL,
  RCC_CFGR_SW_PLL,
  RCC_CR_HSITRIM,
  RCC_CR_HSEON,
  RCC_CR_HSERDY,
  RCC_CR_HSION,
  RCC_CR_HSIRDY,
  RCC_CR_PLLON,
  RCC_CR_PLLRDY,
} from "./registers";
import { awaitRegister } from "./wait";

/** Turns of a wait, 30 ms or more: a crystal starts in 2 ms, the PLL in 200 us (DS5319 5.3.6, DS9716 6.3). */
const ATTEMPTS: u32 = 3750 * HSI_MHZ;

function awaitBit(bit: u32): bool {
  return awaitRegister(RCC_CR, bit, bit, ATTEMPTS);
}

/** Runs from the internal oscillator, with these dividers of the buses; the PLL and the crystal are off. */
export function internalOscillator(dividers: u32): void {
  st32(RCC_CR, ld32(RCC_CR) | RCC_CR_HSION);
  awaitBit(RCC_CR_HSIRDY);
  st32(RCC_CFGR, dividers);
  awaitRegister(RCC_CFGR, RCC_CFGR_SWS_MASK, 0, ATTEMPTS);
  st32(RCC_CR, (ld32(RCC_CR) & RCC_CR_HSITRIM) | RCC_CR_HSION);
  // A PLL that is still on ignores its new dividers (RM0008 7.3.2, RM0368 6.3.2).
  awaitRegister(RCC_CR, RCC_CR_PLLRDY, 0, ATTEMPTS);
  st32(RCC_CIR, 0);
}

/** Starts the crystal; false, and it is off again, when it does not swing. */
export function crystalStart(): bool {
  st32(RCC_CR, ld32(RCC_CR) | RCC_CR_HSEON);
  const crystal = awaitBit(RCC_CR_HSERDY);
  if (!crystal) st32(RCC_CR, ld32(RCC_CR) & ~RCC_CR_HSEON);
  return crystal;
}

/** Runs from the PLL, whose own dividers are set, with these dividers of the buses; false when it does not lock. */
export function runFromPll(dividers: u32): bool {
  st32(RCC_CR, ld32(RCC_CR) | RCC_CR_PLLON);
  if (!awaitBit(RCC_CR_PLLRDY)) return false;
  st32(FLASH_ACR, FLASH_ACR_TWO_WAITS);
  // Read back, so that they count before the clock is faster (RM0368 3.4.1, ST's HAL).
  ld32(FLASH_ACR);
  st32(RCC_CFGR, dividers | RCC_CFGR_SW_PLL);
  return awaitRegister(RCC_CFGR, RCC_CFGR_SWS_MASK, RCC_CFGR_SWS_PLL, ATTEMPTS);
}
