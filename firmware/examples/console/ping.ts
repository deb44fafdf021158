/** ping for the console: one question by a raw socket, and its answer (RFC 792). */
import {
  AF_INET,
  EAGAIN,
  ETIMEDOUT,
  IPPROTO_ICMP,
  SOCK_RAW,
  close,
  htons,
  recv,
  send,
  socket,
} from "as-tcpip/net";
import { clockMs } from "as-tcpip/time";
import { connectTo, setPatience } from "../common";

const ECHO: u8 = 8;
const IDENTIFIER: u16 = 0x6173;
const MESSAGE_BYTES: u32 = 64;
const MESSAGE: usize = memory.data(MESSAGE_BYTES, 4);
/** With the longest IP header in front. */
const ANSWER_BYTES: u32 = 60 + MESSAGE_BYTES;
const ANSWER: usize = memory.data(ANSWER_BYTES, 4);
const PATIENCE_MS: u32 = 1000;

/** RFC 1071, of an even number of bytes. */
function checksum(at: usize, bytes: u32): u16 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < bytes; i += 2) sum += <u32>load<u16>(at + <usize>i);
  sum = (sum & 0xffff) + (sum >>> 16);
  return <u16>~(sum + (sum >>> 16));
}

function compose(sequence: u32): void {
  memory.fill(MESSAGE, 0, 8);
  store<u8>(MESSAGE, ECHO);
  store<u16>(MESSAGE, htons(IDENTIFIER), 4);
  store<u16>(MESSAGE, htons(<u16>sequence), 6);
  for (let i: u32 = 8; i < MESSAGE_BYTES; i++) store<u8>(MESSAGE + <usize>i, <u8>i);
  store<u16>(MESSAGE, checksum(MESSAGE, MESSAGE_BYTES), 2);
}

/** True for the answer to this question. */
function isAnswer(bytes: u32, sequence: u32): bool {
  const headerBytes = ((<u32>load<u8>(ANSWER)) & 15) << 2;
  const message = ANSWER + <usize>headerBytes;
  if (bytes < headerBytes + 8 || load<u8>(message) != 0) return false;
  return (
    load<u16>(message, 4) == htons(IDENTIFIER) && load<u16>(message, 6) == htons(<u16>sequence)
  );
}

/** Asks an address: milliseconds until it has answered, or a negative errno (-ETIMEDOUT after a second). */
export function ping(address: u32, sequence: u32): i32 {
  const fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  if (fd < 0) return fd;
  setPatience(fd, PATIENCE_MS);
  const startMs = clockMs();
  let result = connectTo(fd, address, 0);
  if (result == 0) {
    compose(sequence);
    result = send(fd, MESSAGE, MESSAGE_BYTES, 0);
  }
  // Other packets come here, too: those to others, and the questions of others.
  while (result >= 0) {
    if (clockMs() - startMs >= PATIENCE_MS) result = -ETIMEDOUT;
    else {
      result = recv(fd, ANSWER, ANSWER_BYTES, 0);
      if (result > 0 && isAnswer(<u32>result, sequence)) break;
    }
  }
  close(fd);
  if (result == -EAGAIN) return -ETIMEDOUT;
  return result < 0 ? result : <i32>(clockMs() - startMs);
}
