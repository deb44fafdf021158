/**
 * Chat over AF_UNIX and TCP: a room that people enter by TCP port 4000 and parts of this firmware by the name "chat"; all of them
 * are streams in one event loop. Try it with two of `nc ADDRESS 4000`: lines go to all others, `/nick NAME` gives a name.
 */
import { log1 } from "as-tcpip/log";
import {
  AF_UNIX,
  EPOLLIN,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SockAddrIn,
  SockAddrUn,
  accept,
  bind,
  close,
  connect,
  listen,
  loopContext,
  loopNext,
  loopWatch,
  netStart,
  setSockAddrUn,
  socket,
} from "as-tcpip/net";
import { text, textAddress, textBytes } from "as-tcpip/text";
import { listenOn } from "../common";
import { botEnter, botHear } from "./bot";
import { memberFd, roomEnter, roomHear, roomStart } from "./room";

const PORT: u16 = 4000;
const NAME: usize = memory.data(8, 4);

const enum On {
  ACCEPT = 1,
  MEMBER = 2,
  BOT = 3,
}

/** The name of the room, as an address. */
function roomName(): SockAddrIn {
  const name = text("chat");
  setSockAddrUn(changetype<SockAddrUn>(NAME), textAddress(name), textBytes(name));
  return changetype<SockAddrIn>(NAME);
}

function openRoom(): void {
  const people = listenOn(PORT, SOCK_NONBLOCK);
  const parts = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  bind(parts, roomName());
  listen(parts, 1);
  loopWatch(people, EPOLLIN, On.ACCEPT, <u32>people);
  loopWatch(parts, EPOLLIN, On.ACCEPT, <u32>parts);
}

function startBot(): void {
  const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const failed = connect(fd, roomName());
  if (failed < 0) return log1("warn: the clock cannot enter the room (error %d)", <u32>-failed);
  botEnter(fd);
  loopWatch(fd, EPOLLIN, On.BOT, <u32>fd);
}

function onAccept(listener: i32): void {
  const fd = accept(listener, null);
  if (fd < 0) return;
  const member = roomEnter(fd);
  if (member < 0) close(fd);
  else loopWatch(fd, EPOLLIN, On.MEMBER, <u32>member);
}

/** An event of a member that was put out meanwhile is none. */
function onMember(member: u32): void {
  if (memberFd(member) >= 0) roomHear(member);
}

export function main(): void {
  if (netStart() < 0) return;
  roomStart();
  openRoom();
  startBot();
  for (;;) {
    switch (loopNext()) {
      case <u32>On.ACCEPT:
        onAccept(<i32>loopContext());
        break;
      case <u32>On.MEMBER:
        onMember(loopContext());
        break;
      case <u32>On.BOT:
        botHear(<i32>loopContext());
        break;
    }
  }
}
