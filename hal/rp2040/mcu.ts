/** What code that several MCUs share asks of the RP2040: the package "mcu". */
export { uartPoll, uartPut } from "./uart";
