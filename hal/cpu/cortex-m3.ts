/**
 * CPU primitives of the Cortex-M3 and M4. The checksum loop is the one of the M0+: it loads four words at a time and adds
 * them with carry, and a wider Thumb-2 form would gain less than a fifth.
 */
export { halfSipHash } from "./half-sip-hash";
export {
  based,
  checksumOf,
  checksumRead,
  rev16,
  sumHeader,
  sumSegment,
  wordsClear,
  wordsCopy,
} from "./cortex-m0plus";
