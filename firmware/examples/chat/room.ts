/**
 * The room of the chat: its members, whoever they are. A member is a stream, by TCP or by AF_UNIX, and nothing here knows which.
 * A line of one goes to all others; who takes nothing is put out.
 */
import { putBytes, putText, writeTo, written } from "as-tcpip/firmware/services/writer";
import { EAGAIN, MSG_DONTWAIT, close, recv, send } from "as-tcpip/net";
import { Text, text, textAddress, textBytes } from "as-tcpip/text";

export const MEMBERS: u32 = 6;
const NAME_BYTES: u32 = 12;
const LINE_BYTES: u32 = 80;
const CHUNK_BYTES: u32 = 64;
const OUT_BYTES: u32 = 112;
const CHUNK: usize = memory.data(CHUNK_BYTES, 4);
const OUT: usize = memory.data(OUT_BYTES, 4);

@unmanaged
class Member {
  /** Descriptor, -1 = nobody. */
  fd: i32;
  nameBytes: u32;
  lineBytes: u32;

  @inline get name(): usize {
    return changetype<usize>(this) + offsetof<Member>();
  }

  @inline get line(): usize {
    return changetype<usize>(this) + offsetof<Member>() + NAME_BYTES;
  }
}

const MEMBER_BYTES: u32 = offsetof<Member>() + NAME_BYTES + LINE_BYTES;
const TABLE: usize = memory.data(MEMBERS * MEMBER_BYTES, 4);

function memberAt(index: u32): Member {
  return changetype<Member>(TABLE + <usize>(index * MEMBER_BYTES));
}

export function roomStart(): void {
  for (let i: u32 = 0; i < MEMBERS; i++) memberAt(i).fd = -1;
}

/** A place for a new member, or -1: the room is full. */
export function roomEnter(fd: i32): i32 {
  for (let i: u32 = 0; i < MEMBERS; i++) {
    if (memberAt(i).fd >= 0) continue;
    memberAt(i).fd = fd;
    memberAt(i).lineBytes = 0;
    // Until it says /nick.
    memberAt(i).nameBytes = 1;
    store<u8>(memberAt(i).name, <u8>(0x61 + i));
    tell(i, text(" has come"));
    return <i32>i;
  }
  return -1;
}

export function memberFd(index: u32): i32 {
  return memberAt(index).fd;
}

/** Sends what was composed to all but one. */
function toOthers(from: u32): void {
  const bytes = written();
  for (let i: u32 = 0; i < MEMBERS; i++) {
    const fd = memberAt(i).fd;
    if (i == from || fd < 0) continue;
    if (send(fd, OUT, bytes, MSG_DONTWAIT) == <i32>bytes) continue;
    close(fd);
    memberAt(i).fd = -1;
  }
}

/** A line about a member, to all others. */
function tell(index: u32, what: Text): void {
  const member = memberAt(index);
  writeTo(OUT, OUT_BYTES);
  putText(text("* "));
  putBytes(member.name, member.nameBytes);
  putText(what);
  putText(text("\r\n"));
  toOthers(index);
}

function leave(index: u32): void {
  close(memberAt(index).fd);
  memberAt(index).fd = -1;
  tell(index, text(" has gone"));
}

/** A line of a member's is complete. */
function said(index: u32): void {
  const member = memberAt(index);
  const bytes = member.lineBytes;
  const nick = text("/nick ");
  const prefix = textBytes(nick);
  member.lineBytes = 0;
  if (bytes == 0) return;
  if (bytes > prefix && memory.compare(member.line, textAddress(nick), prefix) == 0) {
    member.nameBytes = min<u32>(bytes - prefix, NAME_BYTES);
    memory.copy(member.name, member.line + <usize>prefix, member.nameBytes);
    return;
  }
  writeTo(OUT, OUT_BYTES);
  putBytes(member.name, member.nameBytes);
  putText(text(": "));
  putBytes(member.line, bytes);
  putText(text("\r\n"));
  toOthers(index);
}

/** Hears a member that has something to say, or has left. */
export function roomHear(index: u32): void {
  const member = memberAt(index);
  const bytes = recv(member.fd, CHUNK, CHUNK_BYTES, MSG_DONTWAIT);
  if (bytes == -EAGAIN) return;
  if (bytes <= 0) return leave(index);
  for (let i: u32 = 0; i < <u32>bytes; i++) {
    const character = <u32>load<u8>(CHUNK + <usize>i);
    if (character == 0x0a) said(index);
    else if (character >= 0x20 && character != 0x7f && member.lineBytes < LINE_BYTES) {
      store<u8>(member.line + <usize>member.lineBytes, <u8>character);
      member.lineBytes += 1;
    }
  }
}
