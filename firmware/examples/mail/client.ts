/**
 * SMTP client (RFC 5321), blocking: one mail, step by step. The text is written piece by piece, and lines that begin with a dot
 * get a second one (4.5.2):
 *
 *     if (smtpBegin(server, from, to) == 0) { smtpText(at, bytes); … result = smtpEnd(); }
 */
import {
  AF_INET,
  ECONNRESET,
  EINVAL,
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

/** With MSG_MORE it leaves together with what comes next. */
function say(words: Text, flags: i32): void {
  send(fd, textAddress(words), textBytes(words), flags);
}

/**
 * The code of the next answer, which may have several lines (250-…, 250 …), or a negative errno. A server speaks only when it is
 * asked, so nothing behind the last line is lost.
 */
function answer(): i32 {
  let code: i32 = 0;
  let column: u32 = 0;
  let last = false;
  for (let seen: u32 = 0; seen < ANSWER_BYTES;) {
    const bytes = recv(fd, CHUNK, CHUNK_BYTES, 0);
    if (bytes < 0) return bytes;
    if (bytes == 0) return -ECONNRESET;
    for (let i: u32 = 0; i < <u32>bytes; i++) {
      const character = <u32>load<u8>(CHUNK + <usize>i);
      if (character == 0x0a) {
        if (last) return code >= 200 && code < 600 ? code : -EINVAL;
        code = 0;
        column = 0;
        continue;
      }
      if (column < 3) code = code * 10 + <i32>(character - 0x30);
      else if (column == 3) last = character != 0x2d;
      // Three figures alone are an answer, too (4.2).
      if (column == 2) last = true;
      column += 1;
    }
    seen += <u32>bytes;
  }
  return -ECONNRESET;
}

/** Ends it with an error: a code of the server's, or a negative errno. */
function failed(code: i32): i32 {
  if (code > 0) say(text("QUIT\r\n"), 0);
  close(fd);
  fd = -1;
  return code;
}

/** Says who we are: our address, in place of a name (4.1.3). */
function hello(command: Text): i32 {
  say(command, MSG_MORE);
  store<u32>(CHUNK, htonl(netAddress()));
  const bytes = inet_ntop(AF_INET, CHUNK, CHUNK + 4);
  send(fd, CHUNK + 4, <u32>bytes, MSG_MORE);
  say(text("]\r\n"), 0);
  return answer();
}

/** One of the two commands with an address: 0, or what `smtpBegin` gives. */
function addressed(command: Text, mailbox: Text): i32 {
  say(command, MSG_MORE);
  say(mailbox, MSG_MORE);
  say(text(">\r\n"), 0);
  const code = answer();
  return code / 10 == 25 ? 0 : failed(code);
}

/** Begins a mail: 0, the code with which the server has refused (such as 550), or a negative errno. */
export function smtpBegin(server: u32, from: Text, to: Text): i32 {
  fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return fd;
  setPatience(fd, PATIENCE_MS);
  let result = connectTo(fd, server, SMTP_PORT);
  if (result < 0) return failed(result);
  let code = answer();
  if (code != 220) return failed(code);
  code = hello(text("EHLO ["));
  if (code / 100 == 5) code = hello(text("HELO ["));
  if (code != 250) return failed(code);
  result = addressed(text("MAIL FROM:<"), from);
  if (result == 0) result = addressed(text("RCPT TO:<"), to);
  if (result != 0) return result;
  say(text("DATA\r\n"), 0);
  code = answer();
  lineBegins = true;
  return code == 354 ? 0 : failed(code);
}

/** A piece of the mail: header fields, an empty line, text; lines end with CR LF. */
export function smtpText(from: usize, bytes: u32): void {
  let begin: u32 = 0;
  for (let i: u32 = 0; i < bytes; i++) {
    const character = <u32>load<u8>(from + <usize>i);
    if (lineBegins && character == 0x2e) {
      send(fd, from + <usize>begin, i - begin, MSG_MORE);
      say(text("."), MSG_MORE);
      begin = i;
    }
    lineBegins = character == 0x0a;
  }
  send(fd, from + <usize>begin, bytes - begin, MSG_MORE);
}

/** Ends the mail: 0 = the server has it, otherwise as `smtpBegin`. */
export function smtpEnd(): i32 {
  if (!lineBegins) say(text("\r\n"), MSG_MORE);
  say(text(".\r\n"), 0);
  const code = answer();
  if (code != 250) return failed(code);
  say(text("QUIT\r\n"), 0);
  // The mail is theirs; how the connection ends does not matter.
  answer();
  close(fd);
  fd = -1;
  return 0;
}
