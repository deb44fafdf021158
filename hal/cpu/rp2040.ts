/**
 * CPU primitives of the RP2040: those of its Cortex-M0+, but what came from the chip by DMA was summed while it came.
 */
export {
  based,
  checksumOf,
  halfSipHash,
  rev16,
  sumHeader,
  sumSegment,
  wordsClear,
  wordsCopy,
} from "./cortex-m0plus";
export { spiSum as checksumRead } from "../rp2040/spi";
