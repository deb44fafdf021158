/** UTF-8 (RFC 3629 4), a byte at a time. */

/** Not UTF-8. */
export const UTF8_BAD: u32 = 0xffff;

/**
 * Takes one byte: the state for the next one (0 between characters), or UTF8_BAD. A state is the lead byte, and how many
 * others have followed it, shifted by 8.
 */
export function utf8Next(state: u32, byte: u32): u32 {
  if (state == 0) {
    if (byte < 0x80) return 0;
    return byte >= 0xc2 && byte <= 0xf4 ? byte : UTF8_BAD;
  }
  const lead = state & 0xff;
  const seen = state >>> 8;
  let low: u32 = 0x80;
  let high: u32 = 0xbf;
  if (seen == 0) {
    // No overlong forms, no surrogates, nothing above U+10FFFF.
    if (lead == 0xe0) low = 0xa0;
    else if (lead == 0xed) high = 0x9f;
    else if (lead == 0xf0) low = 0x90;
    else if (lead == 0xf4) high = 0x8f;
  }
  if (byte < low || byte > high) return UTF8_BAD;
  const wanted: u32 = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  return seen + 1 == wanted ? 0 : state + 0x100;
}
