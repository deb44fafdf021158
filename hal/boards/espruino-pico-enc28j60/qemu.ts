/** The board as QEMU runs it: chip, pins and time through the bridge, everything else as on the board. */
import { bridgeOpen } from "../../stm32/bridge";
import { boardInit as hardwareInit } from "./index";

export * from "./index";
export {
  chipInterrupt,
  chipReset,
  clockMs,
  clockUs,
  delayNs,
  delayUs,
  entropy,
  sleepUntil,
  spiDeselect,
  spiGet,
  spiPut,
  spiRead,
  spiSelect,
  spiWrite,
  uniqueId,
  watchdogFeed,
} from "../../stm32/bridge";

/** The set-up of the board (its waits for the clocks end, because QEMU's read as 0), then the bridge. */
export function boardInit(): void {
  hardwareInit();
  bridgeOpen();
}
