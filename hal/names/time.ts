/** Free-running clocks (wrap at 2^32: compare differences), and short waits without sleeping. */
export { clockMs, clockUs, delayUs } from "board";
