/** Names and filters of topics (MQTT 3.1.1 and 5, 1.5.3 and 4.7): what is none ends a connection, on either side. */
import { utf8Next, UTF8_BAD } from "../services/utf8";

const PLUS: u32 = 0x2b;
const HASH: u32 = 0x23;
const SLASH: u32 = 0x2f;

/** True for UTF-8 without NUL, of one character at least (1.5.3). */
function isText(at: usize, bytes: u32): bool {
  let state: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = <u32>load<u8>(at + <usize>i);
    state = byte == 0 ? UTF8_BAD : utf8Next(state, byte);
    if (state == UTF8_BAD) return false;
  }
  return bytes != 0 && state == 0;
}

/** True for a name that a message may have (4.7.1, 4.7.3): there is one, without wildcards. */
export function isTopicName(at: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = <u32>load<u8>(at + <usize>i);
    if (byte == PLUS || byte == HASH) return false;
  }
  return isText(at, bytes);
}

/** True for a filter (4.7.1): a wildcard is a whole level, and # the last one. */
export function isTopicFilter(at: usize, bytes: u32): bool {
  for (let i: u32 = 0; i < bytes; i++) {
    const byte = <u32>load<u8>(at + <usize>i);
    if (byte != PLUS && byte != HASH) continue;
    if (i != 0 && load<u8>(at + <usize>(i - 1)) != SLASH) return false;
    if (i + 1 == bytes) continue;
    if (byte == HASH || load<u8>(at + <usize>(i + 1)) != SLASH) return false;
  }
  return isText(at, bytes);
}
