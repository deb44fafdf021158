/**
 * Whether the INT pin can be believed. Normally it says for nothing what would cost six bytes to read (erratum 6 spares
 * the pin). If the wire to it is broken or shorted, the driver polls instead, until the chip is started again.
 */
import { chipInterrupt } from "board";

/** Lies of the pin, without a truth in between, after which it is not believed any more. */
const LIES_MAX: u32 = 8;

let polled: bool = false;
let lies: u32 = 0;

/** The chip starts anew, and so does the trust in its pin. */
export function interruptReset(): void {
  polled = false;
  lies = 0;
}

/** The driver polls registers instead of looking at the pin. */
export function interruptPolled(): bool {
  return polled;
}

/** The chip wants something, as far as the pin says; always true once the pin is not believed. */
export function interruptPending(): bool {
  return polled || chipInterrupt();
}

/** The pin is low, and there is nothing. */
export function interruptLied(): void {
  lies++;
  if (lies >= LIES_MAX) polled = true;
}

/** The pin has stayed high although there is something to do. */
export function interruptMissed(): void {
  polled = true;
}

/** The pin has said what is so. */
export function interruptTrue(): void {
  lies = 0;
}
