/**
 * How the driver divides the 8 KB of packet memory.
 *
 *     0x0000  receive buffer, 4680 bytes: three frames of full size and one of the shortest
 *     0x1248  transmit slots 2 to 6, short: four for frames of up to 78 bytes, one of up to 98
 *     0x140A  transmit slot 0 ┐ each: control byte, frame of up to 1514 bytes,
 *     0x1A0A  transmit slot 1 ┘ then 7 bytes of status from the chip
 *
 * The receive buffer begins at 0000 (erratum 5) and its last address is odd (erratum 14). The slots for frames of full size lie a
 * multiple of 256 apart, so that going from one to the other changes the high bytes of ETXST and ETXND only. While one slot is on
 * the wire, SPI fills another: acknowledgments and answers have slots of their own, so that they do not take the place
 * of a long frame, which takes ten times longer to be written than they take to be sent. 78 bytes are a SYN-ACK with all options
 * or an acknowledgment with timestamps and what came out of order, 98 the reply to an ordinary ping. Five of them: while the link partner
 * sends what a window of three segments holds, 3.7 ms, more than five pings come of 1,500 a second, and none of them can be answered.
 */
export const RX_END: u32 = 0x1247;
export const RX_BYTES: u32 = RX_END + 1;
export const TX_SLOT0: u32 = 0x140a;
export const TX_SLOT_BYTES: u32 = 0x0600;
export const TX_SHORT0: u32 = RX_BYTES;
export const TX_SHORT_BYTES: u32 = 86;
/** Slots 0 and 1 are long, the others short; the last one is a little longer than those before. */
export const TX_LONG_SLOTS: u32 = 2;
export const TX_SLOTS: u32 = 7;
export const TX_LAST_SHORT: u32 = 6;

/** Frame check sequence; longest frame with and without it, shortest with it. */
export const FCS_BYTES: u32 = 4;
export const FRAME_BYTES_MAX: u32 = 1518;
export const TX_BYTES_MAX: u32 = FRAME_BYTES_MAX - FCS_BYTES;
/** Longest frame that a short slot holds, beside control byte and status, and that the last one holds. */
export const TX_SHORT_MAX: u32 = TX_SHORT_BYTES - 8;
export const TX_LAST_MAX: u32 =
  TX_SLOT0 - TX_SHORT0 - (TX_LAST_SHORT - TX_LONG_SLOTS) * TX_SHORT_BYTES - 8;
export const FRAME_BYTES_MIN: u32 = 64;
/** Shortest frame that can be sent: addresses and type; the chip pads it. */
export const TX_BYTES_MIN: u32 = 14;

if ((RX_END & 1) == 0) ERROR("ERXND must be odd (erratum 14)");
if (TX_LAST_MAX < TX_SHORT_MAX) ERROR("the last short slot is no shorter than the others");
if (TX_SLOTS > 8) ERROR("the queue of slots has four bits for each of eight");
if (TX_SLOT0 + TX_SLOT_BYTES + 1 + TX_BYTES_MAX + 7 > 0x2000) {
  ERROR("the packet memory has 8192 bytes");
}
if (1 + TX_BYTES_MAX + 7 > TX_SLOT_BYTES) ERROR("a slot holds control byte, frame and status");

/** Address `bytes` after `address` in the receive buffer; `bytes` is at most RX_BYTES. */
export function rxAfter(address: u32, bytes: u32): u32 {
  const sum = address + bytes;
  return sum < RX_BYTES ? sum : sum - RX_BYTES;
}
