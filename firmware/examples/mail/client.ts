/**
 * SMTP client (RFC 5321), blocking: one mail, step by step. The text is written piece by piece: lines that begin with a dot get a
 * second one (4.5.2), and every line leaves with CR LF, whatever it has (2.3.8), so that no text can end the mail:
 *
 *     if (smtpBegin(server, from, to) == 0) { smtpText(at, bytes); … result = smtpEnd(); }
 */
import {
  AF_INET,
  EAGAIN,
  ECONNRESET,
  EINVAL,
  ETIMEDOUT,
  MSG_MORE,
  SOCK_STREAM,
  close,
  htonl,
  inet_ntop,
  netAddress,
  recv,
  send,
  socket,
} from "as-tcpip/net";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";
import { clockMs } from "as-tcpip/time";
import { connectTo, setPatience } from "../common";

const SMTP_PORT: u16 = 25;
/** RFC 5321 4.5.3.2 allows servers five minutes. */
const PATIENCE_MS: u32 = 300_000;
/** Longest answer, in bytes: more is no mail server. */
const ANSWER_BYTES: u32 = 4096;
const CHUNK_BYTES: u32 = 64;
const CHUNK: usize = memory.data(CHUNK_BYTES, 4);

let fd: i32 = -1;
/** The next character begins a line. */
let lineBegins: bool = true;
/** Why something could not be said: a negative errno. Nothing more is said then, for a mail with a hole in it is none. */
let broken: i32 = 0;

/** Sends bytes; with MSG_MORE they leave together with what comes next. */
function put(from: usize, bytes: u32, flags: i32): void {
  if (broken != 0 || bytes == 0) return;
  const sent = send(fd, from, bytes, flags);
  if (sent != <i32>bytes) broken = sent < 0 && sent != -EAGAIN ? sent : -ETIMEDOUT;
}

function say(words: Text, flags: i32): void {
  put(textAddress(words), textBytes(words), flags);
}

/** What `take` says of a character of an answer. */
const enum Answer {
  MORE,
  WHOLE,
  WRONG,
}

// The line of an answer that is being read: its code, how long it is, and whether it is the last one.
let code: i32 = 0;
let column: u32 = 0;
let last: bool = false;

function lineOfAnswer(): void {
  code = 0;
  column = 0;
  last = false;
}

/** Takes a character: three figures, then a hyphen in all lines but the last one. Three figures alone are an answer, too (4.2). */
function take(character: u32): Answer {
  if (character == 0x0a) {
    if (column < 3 || code < 200 || code > 599) return Answer.WRONG;
    if (last) return Answer.WHOLE;
    lineOfAnswer();
    return Answer.MORE;
  }
  const digit = character - 0x30;
  if (column < 3) {
    if (digit > 9) return Answer.WRONG;
    code = code * 10 + <i32>digit;
  } else if (column == 3) last = character != 0x2d;
  if (column == 2) last = true;
  column += 1;
  return Answer.MORE;
}

/**
 * The code of the next answer, which may have several lines (250-…, 250 …), or a negative errno. A server speaks only when it is
 * asked: what stands behind the last line is no answer to anything.
 */
function answer(): i32 {
  if (broken != 0) return broken;
  const startMs = clockMs();
  lineOfAnswer();
  for (let seen: u32 = 0; seen < ANSWER_BYTES;) {
    const bytes = recv(fd, CHUNK, CHUNK_BYTES, 0);
    if (bytes < 0) return bytes == -EAGAIN ? -ETIMEDOUT : bytes;
    if (bytes == 0) return -ECONNRESET;
    if (clockMs() - startMs >= PATIENCE_MS) return -ETIMEDOUT;
    for (let i: u32 = 0; i < <u32>bytes; i++) {
      const found = take(<u32>load<u8>(CHUNK + <usize>i));
      if (found == Answer.WRONG) return -EINVAL;
      if (found == Answer.WHOLE) return code;
    }
    seen += <u32>bytes;
  }
  return -ECONNRESET;
}

/** Ends it with an error: a code of the server's, or a negative errno. */
function failed(why: i32): i32 {
  if (why > 0) say(text("QUIT\r\n"), 0);
  close(fd);
  fd = -1;
  return why;
}

/** Says who we are: our address, in place of a name (4.1.3). */
function hello(command: Text): i32 {
  say(command, MSG_MORE);
  store<u32>(CHUNK, htonl(netAddress()));
  const bytes = inet_ntop(AF_INET, CHUNK, CHUNK + 4);
  put(CHUNK + 4, <u32>bytes, MSG_MORE);
  say(text("]\r\n"), 0);
  return answer();
}

/** One of the two commands with an address: 0, or what `smtpBegin` gives. */
function addressed(command: Text, mailbox: Text): i32 {
  say(command, MSG_MORE);
  say(mailbox, MSG_MORE);
  say(text(">\r\n"), 0);
  const result = answer();
  return result / 10 == 25 ? 0 : failed(result);
}

/** Begins a mail: 0, the code with which the server has refused (such as 550), or a negative errno. */
export function smtpBegin(server: u32, from: Text, to: Text): i32 {
  fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return fd;
  setPatience(fd, PATIENCE_MS);
  broken = 0;
  let result = connectTo(fd, server, SMTP_PORT);
  if (result < 0) return failed(result);
  result = answer();
  if (result != 220) return failed(result);
  result = hello(text("EHLO ["));
  if (result / 100 == 5) result = hello(text("HELO ["));
  if (result != 250) return failed(result);
  result = addressed(text("MAIL FROM:<"), from);
  if (result == 0) result = addressed(text("RCPT TO:<"), to);
  if (result != 0) return result;
  say(text("DATA\r\n"), 0);
  result = answer();
  lineBegins = true;
  return result == 354 ? 0 : failed(result);
}

/** A piece of the mail: header fields, an empty line, text. A line ends with LF, and CR before it or not. */
export function smtpText(from: usize, bytes: u32): void {
  let begin: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const character = <u32>load<u8>(from + <usize>i);
    const dot = lineBegins && character == 0x2e;
    // CR and LF go only together: none is sent as it comes, and each LF makes a pair.
    if (dot || character == 0x0d || character == 0x0a) {
      put(from + <usize>begin, i - begin, MSG_MORE);
      if (dot) say(text("."), MSG_MORE);
      if (character == 0x0a) say(text("\r\n"), MSG_MORE);
      begin = dot ? i : i + 1;
    }
    if (character != 0x0d) lineBegins = character == 0x0a;
  }
  put(from + <usize>begin, bytes - begin, MSG_MORE);
}

/** Ends the mail: 0 = the server has it, otherwise as `smtpBegin`. */
export function smtpEnd(): i32 {
  if (!lineBegins) say(text("\r\n"), MSG_MORE);
  say(text(".\r\n"), 0);
  const result = answer();
  if (result != 250) return failed(result);
  say(text("QUIT\r\n"), 0);
  // The mail is theirs; how the connection ends does not matter.
  answer();
  close(fd);
  fd = -1;
  return 0;
}
