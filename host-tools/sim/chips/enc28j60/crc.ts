/** CRC-32 of IEEE 802.3, polynomial 0x04C11DB7, in its two uses: frame check sequence and hash filter. */

const TABLE = new Uint32Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  TABLE[i] = crc >>> 0;
}

/** Frame check sequence over `bytes`; sent and stored low byte first. */
export function fcsOf(bytes: Uint8Array, length = bytes.length): number {
  let crc = 0xffffffff;
  for (let i = 0; i < length; i++) {
    crc = (TABLE[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/**
 * Bit of the 64-bit hash table for a destination address: bits 28:23 of the CRC kept most significant bit first, each
 * address byte fed least significant bit first, without final inversion (as in Microchip's stack).
 */
export function hashIndex(address: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < 6; i++) {
    let byte = address[i] as number;
    for (let bit = 0; bit < 8; bit++) {
      const feed = (crc >>> 31) ^ (byte & 1);
      crc = (crc << 1) >>> 0;
      if (feed) crc = (crc ^ 0x04c11db7) >>> 0;
      byte >>= 1;
    }
  }
  return (crc >>> 23) & 0x3f;
}

/** One's complement of the one's-complement sum of big-endian 16-bit words, an odd byte padded with 00 (DS39662E 13.2). */
export function internetChecksum(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
