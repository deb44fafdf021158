/**
 * HalfSipHash-2-4, the 32-bit member of the SipHash family, under a key of two words. The message is of eleven bytes: the words `a` and `b`
 * and the three low bytes of `c`, whose high byte is of no account. The length takes its place; a twelfth byte would cost a word more.
 */
export function halfSipHash(key0: u32, key1: u32, a: u32, b: u32, c: u32): u32 {
  let v0: u32 = key0;
  let v1: u32 = key1;
  let v2: u32 = 0x6c796765 ^ key0;
  let v3: u32 = 0x74656462 ^ key1;
  c = (c & 0xffffff) | (11 << 24);
  // Three words, the last with the length, two rounds each; two turns without a word are the finalisation.
  for (let turn: u32 = 0; turn < 5; turn++) {
    const word = a;
    a = b;
    b = c;
    c = 0;
    if (turn == 3) v2 ^= 0xff;
    v3 ^= word;
    // The C compiler writes both out.
    for (let rounds: u32 = 2; rounds != 0; rounds--) {
      v0 += v1;
      v1 = rotl<u32>(v1, 5) ^ v0;
      v0 = rotl<u32>(v0, 16);
      v2 += v3;
      v3 = rotl<u32>(v3, 8) ^ v2;
      v0 += v3;
      v3 = rotl<u32>(v3, 7) ^ v0;
      v2 += v1;
      v1 = rotl<u32>(v1, 13) ^ v2;
      v2 = rotl<u32>(v2, 16);
    }
    v0 ^= word;
  }
  return v1 ^ v3;
}
