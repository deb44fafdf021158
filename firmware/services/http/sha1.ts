/** SHA-1 (FIPS 180-4 6.1), for the handshake of WebSocket alone: it protects nothing any more. */
import { Be } from "../../net/inet";

/** Bytes of a digest. */
export const SHA1_BYTES: u32 = 20;

const BLOCK_BYTES: u32 = 64;
/** The block that is being worked on, and the digest so far. */
function block(): usize {
  const BLOCK: usize = memory.data(BLOCK_BYTES, 4);
  return BLOCK;
}

function digest(): usize {
  const DIGEST: usize = memory.data(SHA1_BYTES, 4);
  return DIGEST;
}

function word(index: u32): usize {
  return block() + <usize>((index & 15) * 4);
}

/** The digest of `bytes` at `at`; where it lies. Valid until the next call. */
export function sha1(at: usize, bytes: u32): usize {
  const to = digest();
  store<u32>(to, 0x67452301);
  store<u32>(to + 4, 0xefcdab89);
  store<u32>(to + 8, 0x98badcfe);
  store<u32>(to + 12, 0x10325476);
  store<u32>(to + 16, 0xc3d2e1f0);
  // The message, a one bit, zeros, the length in bits (5.1.1).
  const blocks = (bytes + 9 + BLOCK_BYTES - 1) / BLOCK_BYTES;
  for (let n: u32 = 0; n < blocks; n++) {
    for (let i: u32 = 0; i < BLOCK_BYTES; i++) {
      const position = n * BLOCK_BYTES + i;
      const end: u32 = position == bytes ? 0x80 : 0;
      const byte = position < bytes ? <u32>load<u8>(at + <usize>position) : end;
      store<u8>(block() + <usize>i, <u8>byte);
    }
    for (let i: u32 = 0; i < 16; i++) store<u32>(word(i), Be.load32(word(i)));
    if (n + 1 == blocks) store<u32>(word(15), bytes * 8);
    rounds();
  }
  for (let i: usize = 0; i < SHA1_BYTES; i += 4) Be.store32(to + i, load<u32>(to + i));
  return to;
}

/** One block (6.1.2), with the message schedule in a ring of 16 words (6.1.3). */
function rounds(): void {
  const to = digest();
  let a = load<u32>(to);
  let b = load<u32>(to + 4);
  let c = load<u32>(to + 8);
  let d = load<u32>(to + 12);
  let e = load<u32>(to + 16);
  for (let t: u32 = 0; t < 80; t++) {
    if (t >= 16) {
      const next =
        load<u32>(word(t + 13)) ^
        load<u32>(word(t + 8)) ^
        load<u32>(word(t + 2)) ^
        load<u32>(word(t));
      store<u32>(word(t), rotl<u32>(next, 1));
    }
    const sum = rotl<u32>(a, 5) + mix(t, b, c, d) + e + load<u32>(word(t));
    e = d;
    d = c;
    c = rotl<u32>(b, 30);
    b = a;
    a = sum;
  }
  store<u32>(to, load<u32>(to) + a);
  store<u32>(to + 4, load<u32>(to + 4) + b);
  store<u32>(to + 8, load<u32>(to + 8) + c);
  store<u32>(to + 12, load<u32>(to + 12) + d);
  store<u32>(to + 16, load<u32>(to + 16) + e);
}

/** Function and constant of a round (4.1.1, 4.2.1). */
function mix(t: u32, b: u32, c: u32, d: u32): u32 {
  if (t < 20) return ((b & c) ^ (~b & d)) + 0x5a827999;
  if (t < 40) return (b ^ c ^ d) + 0x6ed9eba1;
  if (t < 60) return ((b & c) ^ (b & d) ^ (c & d)) + 0x8f1bbcdc;
  return (b ^ c ^ d) + 0xca62c1d6;
}
