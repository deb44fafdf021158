import { based, rev16, sumSegment } from "cpu";
import {
  TCP,
  TCP_ECN,
  TCP_FAST_PATH,
  TCP_SACK,
  TCP_TIMESTAMPS,
  TCP_URGENT,
  TCP_WINDOW_SCALE,
} from "../config";
import { linkRead, linkSkip } from "../link/device";
import {
  MESSAGE_SCRATCH,
  MESSAGE_SCRATCH_BYTES,
  SCRATCH,
  SCRATCH_BYTES,
  SEGMENT_MORE,
} from "../scratch";
import { Be } from "../wire/bytes";
import { halves, sumAdd, sumFold } from "../wire/checksum";

/** Control bits (RFC 9293 3.1). */
export const enum TcpBit {
  FIN = 1,
  SYN = 2,
  RST = 4,
  PSH = 8,
  ACK = 16,
  URG = 32,
  /** RFC 3168 6.1: the echo of a mark, and the sender has cut its window. */
  ECE = 64,
  CWR = 128,
}

export const TCP_HEADER_BYTES: u32 = 20;
/** The timestamps option behind two bytes of padding. */
export const TIMESTAMP_BYTES: u32 = 12;
/** NOP, NOP, kind 8, length 10, as a plain word load sees them (RFC 7323 appendix A). */
export const TIMESTAMP_HEAD: u32 = 0x0a080101;
/** Send MSS when the peer names none (RFC 9293 MUST-15). */
export const DEFAULT_MSS: u32 = 536;
/** A smaller MSS of a peer is taken as this: below it headers outweigh data, and some attacks begin (CVE-2019-11479). */
export const MINIMUM_MSS: u32 = 88;

/** The segment being received, in host order. One static instance, lent to the functions that handle it. */
@unmanaged
export class Segment {
  source: u32;
  destination: u32;
  sourcePort: u32;
  destinationPort: u32;
  seq: u32;
  ack: u32;
  window: u32;
  /** TcpBit bits. */
  bits: u32;
  /** Bytes of text as sent by the peer. */
  textBytes: u32;
  /** Text that was put into the receive ring, [left, right); empty when equal. */
  left: u32;
  right: u32;
  /** MSS option; 0 = none. */
  mss: u32;
  /** Bytes of the header. */
  headerBytes: u32;
  /** Lowest initial sequence number for an answer that opens a connection again; 0 = any. */
  floor: u32;
  /** Shift of the window scale option of a SYN, 14 at most; NO_SCALE = none. From here on only options use the fields. */
  scale: u32;
  /** The SYN has the SACK-permitted option. */
  sackPermitted: bool;
  /** The packet bears the mark of a router (ecn.ts). */
  marked: bool;
  /** Urgent pointer, with URG. */
  urgent: u32;
  /** It has the timestamps option: the sender's clock, and the latest of ours that it has seen. */
  stamped: bool;
  tsVal: u32;
  tsEcr: u32;
}

/** `Segment.scale` without the option. */
export const NO_SCALE: u32 = 15;

/** The received TCP header: 20 bytes and up to 40 of options. */
const HEADER_MAX: u32 = 60;
const HEADER: usize = MESSAGE_SCRATCH;
export const SEGMENT: Segment = changetype<Segment>(MESSAGE_SCRATCH + HEADER_MAX);
const SEGMENT_BYTES: u32 = SEGMENT_MORE ? offsetof<Segment>() : offsetof<Segment>("scale");
if (TCP && HEADER_MAX + SEGMENT_BYTES > MESSAGE_SCRATCH_BYTES)
  ERROR("a segment does not fit the scratch");

/** SEG.LEN: text, and one each for SYN and FIN. */
export function segmentLength(segment: Segment): u32 {
  return segment.textBytes + ((segment.bits & TcpBit.SYN) >>> 1) + (segment.bits & TcpBit.FIN);
}

/** Bytes of the header that the fast path has read already. */
let taken: u32 = 0;

/** The frame that is being looked at is a new one: nothing of its TCP header has been read. */
export function segmentForget(): void {
  taken = 0;
}

/** True when the fixed header has been read, and begins a connection. */
export function segmentOpens(): bool {
  return taken != 0 && (load<u8>(HEADER, 13) & (TcpBit.SYN | TcpBit.ACK)) == TcpBit.SYN;
}

/** True when the fast path has looked at the header of this frame: it knows whose it is, too (`connectionFound`). */
export function segmentTaken(): bool {
  return TCP_FAST_PATH && taken != 0;
}

/** Reads the fixed header before it is known what to do with it; where it stands. */
export function segmentHeaderTake(): usize {
  linkRead(HEADER, TCP_HEADER_BYTES);
  taken = TCP_HEADER_BYTES;
  return based(HEADER);
}

/** True when more of it has been read than the fixed header. */
export function segmentOptionTaken(): bool {
  return taken > TCP_HEADER_BYTES;
}

/** Reads the timestamps option that follows it. False = it is another one. */
export function segmentStampsTake(segment: Segment): bool {
  const option = based(HEADER + TCP_HEADER_BYTES);
  linkRead(HEADER + TCP_HEADER_BYTES, TIMESTAMP_BYTES);
  taken = TCP_HEADER_BYTES + TIMESTAMP_BYTES;
  segment.tsVal = bswap<u32>(load<u32>(option, 4));
  segment.tsEcr = bswap<u32>(load<u32>(option, 8));
  return load<u32>(option) == TIMESTAMP_HEAD;
}

/** Sum of that option. */
export function segmentStampsSum(): u32 {
  const option = based(HEADER + TCP_HEADER_BYTES);
  return halves(load<u32>(option)) + halves(load<u32>(option, 4)) + halves(load<u32>(option, 8));
}

/**
 * Reads and parses a header. `bytes` is the length of the segment. Returns the header's length, 0 when it is malformed; the
 * header is left in scratch for `segmentHeaderSum`.
 */
export function segmentParse(segment: Segment, bytes: u32): u32 {
  if (bytes < TCP_HEADER_BYTES) return 0;
  if (!TCP_FAST_PATH || taken == 0) segmentHeaderTake();
  const have = taken;
  taken = 0;
  const header = based(HEADER);
  const word = load<u32>(header, 12);
  const headerBytes = (word >>> 2) & 0x3c;
  if (headerBytes < TCP_HEADER_BYTES || headerBytes > bytes) return 0;
  if (headerBytes > have) linkRead(header + have, headerBytes - have);
  const ports = bswap<u32>(load<u32>(header));
  segment.sourcePort = ports >>> 16;
  segment.destinationPort = ports & 0xffff;
  segment.seq = bswap<u32>(load<u32>(header, 4));
  segment.ack = bswap<u32>(load<u32>(header, 8));
  segment.bits = (word >>> 8) & (TCP_ECN ? 0xff : 0x3f);
  segment.window = rev16(word >>> 16);
  segment.textBytes = bytes - headerBytes;
  segment.left = 0;
  segment.right = 0;
  segment.headerBytes = headerBytes;
  segment.floor = 0;
  if (TCP_URGENT && (segment.bits & TcpBit.URG) != 0) segment.urgent = Be.load16(header + 18);
  if (TCP_TIMESTAMPS) segment.stamped = false;
  if ((segment.bits & TcpBit.SYN) != 0) parseOptions(segment, headerBytes);
  else if (TCP_TIMESTAMPS && headerBytes >= TCP_HEADER_BYTES + TIMESTAMP_BYTES)
    findTimestamps(segment);
  return headerBytes;
}

/**
 * Checksum over the header that `segmentParse` has read and the pseudo-header (RFC 9293 3.1): `sum` is that of protocol and length, and both
 * addresses are taken as they stand in the packet at `ip`.
 */
export function segmentHeaderSum(ip: usize, sum: u32, headerBytes: u32): u32 {
  const header = based(HEADER);
  // Whole words, and few.
  for (let at = TCP_HEADER_BYTES; at < headerBytes; at += 4) sum += halves(load<u32>(header + at));
  return sumFold(sumSegment(header, ip + 12, sum));
}

/** Options of a SYN (RFC 9293 3.2). A length that makes no sense ends the walk; what came before it counts. */
function parseOptions(segment: Segment, headerBytes: u32): void {
  segment.mss = 0;
  if (TCP_WINDOW_SCALE) segment.scale = NO_SCALE;
  if (TCP_SACK) segment.sackPermitted = false;
  let at = based(HEADER) + TCP_HEADER_BYTES;
  for (let left = headerBytes - TCP_HEADER_BYTES; left != 0;) {
    const kind = <u32>load<u8>(at);
    if (kind == 0) return;
    if (kind == 1) {
      at += 1;
      left -= 1;
      continue;
    }
    if (left < 2) return;
    const length = <u32>load<u8>(at, 1);
    if (length < 2 || length > left) return;
    if (kind == 2 && length == 4) {
      // An option may start at an odd address: bytes, not a half-word.
      segment.mss = ((<u32>load<u8>(at, 2)) << 8) | (<u32>load<u8>(at, 3));
    }
    // RFC 7323 2.3: a shift above 14 is taken as 14.
    if (TCP_WINDOW_SCALE && kind == 3 && length == 3)
      segment.scale = min<u32>(<u32>load<u8>(at, 2), 14);
    if (TCP_SACK && kind == 4 && length == 2) segment.sackPermitted = true;
    if (TCP_TIMESTAMPS && kind == 8 && length == 10) takeTimestamps(segment, at);
    at += length;
    left -= length;
  }
}

function takeTimestamps(segment: Segment, option: usize): void {
  segment.stamped = true;
  segment.tsVal = optionNumber(option + 2);
  segment.tsEcr = optionNumber(option + 6);
}

/** The timestamps option of a segment that is no SYN: at the place where everybody puts it (RFC 7323 appendix A), or elsewhere. */
function findTimestamps(segment: Segment): void {
  if (load<u32>(HEADER, TCP_HEADER_BYTES) == TIMESTAMP_HEAD) {
    segment.stamped = true;
    segment.tsVal = bswap<u32>(load<u32>(HEADER, TCP_HEADER_BYTES + 4));
    segment.tsEcr = bswap<u32>(load<u32>(HEADER, TCP_HEADER_BYTES + 8));
    return;
  }
  const option = optionOf(segment, 8);
  if (option != 0 && load<u8>(option, 1) == 10) takeTimestamps(segment, option);
}

/** The option of a kind, with a length that fits; 0 = there is none. */
function optionOf(segment: Segment, wanted: u32): usize {
  let at: u32 = TCP_HEADER_BYTES;
  while (at < segment.headerBytes) {
    const kind = <u32>load<u8>(HEADER + at);
    if (kind == 0) return 0;
    if (kind == 1) {
      at += 1;
      continue;
    }
    if (segment.headerBytes - at < 2) return 0;
    const length = <u32>load<u8>(HEADER + at, 1);
    if (length < 2 || length > segment.headerBytes - at) return 0;
    if (kind == wanted) return HEADER + at;
    at += length;
  }
  return 0;
}

/**
 * Place of the SACK option's first block in the header that `segmentParse` has read, and by `sackBlocks` how many there are;
 * 0 = none. A length that is not 8n+2 is passed over.
 */
export function sackOption(segment: Segment): usize {
  const option = optionOf(segment, 5);
  if (option == 0) return 0;
  const length = <u32>load<u8>(option, 1);
  return length > 2 && (length & 7) == 2 ? option + 2 : 0;
}

/** Blocks of the option at `sackOption`. */
export function sackBlocks(option: usize): u32 {
  return (<u32>load<u8>(option - 1)) >>> 3;
}

/** A number of 32 bits in an option, which may lie at any address. */
export function optionNumber(at: usize): u32 {
  const high = ((<u32>load<u8>(at)) << 24) | ((<u32>load<u8>(at, 1)) << 16);
  return high | ((<u32>load<u8>(at, 2)) << 8) | (<u32>load<u8>(at, 3));
}

/** Passes over `bytes` bytes of the frame and adds them to the checksum; `offset` is their place in the segment. */
export function sumSkipped(sum: u32, bytes: u32, offset: u32): u32 {
  while (bytes != 0) {
    const part = min<u32>(bytes, SCRATCH_BYTES);
    linkRead(SCRATCH, part);
    sum = sumAdd(sum, SCRATCH, part, offset);
    offset += part;
    bytes -= part;
  }
  return sum;
}

/** Passes over the rest of a segment that is dropped unseen. */
export function segmentDiscard(segment: Segment): void {
  linkSkip(segment.textBytes);
}
