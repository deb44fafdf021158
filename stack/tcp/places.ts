import { TCP_RX_BYTES } from "../config";
import { LINK_RX_BYTES } from "../link/device";

/** How many segments the chip holds until they are read: what a window may promise at most. */

/** MSS that we announce: what fits an Ethernet frame with plain headers (RFC 9293 MUST-67). */
export const RECEIVE_MSS: u32 = 1460;
/** Bytes that a full segment takes in the chip: frame, and what the chip writes before and behind it. */
export const FRAME_BYTES: u32 = 1536;
/** Frames that the chip holds. With more receivers than that they take turns: a window for one segment at a time. */
export const PLACES: u32 = LINK_RX_BYTES < FRAME_BYTES ? 1 : LINK_RX_BYTES / FRAME_BYTES;
/** A ring may be larger than the chip: even a connection that receives alone is promised no more segments than that holds. */
export const ALONE_BYTES: u32 =
  TCP_RX_BYTES < PLACES * RECEIVE_MSS ? TCP_RX_BYTES : PLACES * RECEIVE_MSS;
/** Window of a SYN or SYN-ACK, which is never scaled (RFC 7323 2.2). */
export const FIRST_WINDOW: u32 = ALONE_BYTES < 0xffff ? ALONE_BYTES : 0xffff;
