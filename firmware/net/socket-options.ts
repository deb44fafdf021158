import { EBADF, EINVAL, ENODEV, ENOPROTOOPT, EOPNOTSUPP } from "../../stack/errors";
import {
  F_GETFL,
  F_SETFL,
  IPPROTO_IP,
  IPPROTO_TCP,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MULTICAST_IF,
  O_NONBLOCK,
  SOL_SOCKET,
  SO_BINDTODEVICE,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  TCP_CONGESTION,
} from "../../stack/posix";
import { INTERFACES, MULTICAST_GROUPS, SOCKET_MORE_OPTIONS } from "../../stack/config";
import { DEVICE_ANY, DEVICE_ETHERNET, DEVICE_LOOPBACK, isOurs } from "../../stack/interface";
import { CONGESTION_CUBIC, CONGESTION_RENO } from "../../stack/socket/more-options";
import { sockGetOption, sockSetOption } from "../../stack/socket/options";
import { NO_SOCKET, SocketFlag, socketAt, socketIndex } from "../../stack/socket/table";

/**
 * setsockopt(2). `value` points to an i32; IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP to two addresses (group, interface or 0);
 * SO_LINGER to two of them (on, seconds), SO_RCVTIMEO and SO_SNDTIMEO to two of them (seconds, microseconds); SO_BINDTODEVICE to
 * a name ("eth0", "lo", or none), TCP_CONGESTION to one ("reno", or "cubic" with TCP_CUBIC 1), with a zero behind it.
 */
export function setsockopt(fd: i32, level: i32, option: i32, value: usize, bytes: u32): i32 {
  if (SOCKET_MORE_OPTIONS && isName(level, option))
    return sockSetOption(fd, level, option, numberOfName(level, value, bytes));
  if (bytes < 4) return socketIndex(fd) == NO_SOCKET ? -EBADF : -EINVAL;
  let number = load<i32>(value);
  if (level == SOL_SOCKET) {
    const pair = option == SO_LINGER || option == SO_RCVTIMEO || option == SO_SNDTIMEO;
    if (pair && bytes < 8) return -EINVAL;
    if (option == SO_LINGER) number = number == 0 ? -1 : load<i32>(value, 4);
    else if (pair) {
      const micro = load<i32>(value, 4);
      if (number < 0 || number > 1000000 || micro < 0 || micro >= 1000000) return -EINVAL;
      // Rounded up, so that a short wait is not taken for none.
      number = number * 1000 + (micro + 999) / 1000;
    }
  }
  if (MULTICAST_GROUPS != 0 && level == IPPROTO_IP) {
    const membership = option == IP_ADD_MEMBERSHIP || option == IP_DROP_MEMBERSHIP;
    if (membership) {
      // struct ip_mreq: the group, then an interface of ours by its address, 0 = any.
      if (bytes < 8) return -EINVAL;
      const device = bswap<u32>(load<u32>(value, 4));
      if (device != 0 && !isOurs(device)) return -ENODEV;
    }
    if (membership || option == IP_MULTICAST_IF) number = <i32>bswap<u32>(<u32>number);
  }
  return sockSetOption(fd, level, option, number);
}

/** getsockopt(2): writes the option, an i32, a pair or a name (8 bytes) as for setsockopt, to `value`. */
export function getsockopt(fd: i32, level: i32, option: i32, value: usize): i32 {
  const number = sockGetOption(fd, level, option);
  if (number == -EBADF || number == -ENOPROTOOPT || number == -EOPNOTSUPP) return number;
  if (level == SOL_SOCKET && option == SO_LINGER) {
    store<i32>(value, number < 0 ? 0 : 1);
    store<i32>(value, number < 0 ? 0 : number, 4);
  } else if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
    store<i32>(value, number / 1000);
    store<i32>(value, (number % 1000) * 1000, 4);
  } else if (SOCKET_MORE_OPTIONS && isName(level, option)) {
    tellName(level, number, value);
  } else {
    store<i32>(value, number);
  }
  return 0;
}

/** SO_BINDTODEVICE and TCP_CONGESTION have text for a value. */
function isName(level: i32, option: i32): bool {
  return level == SOL_SOCKET
    ? option == SO_BINDTODEVICE
    : level == IPPROTO_TCP && option == TCP_CONGESTION;
}

/** The first four letters of the names that there are; the fifth is another word. */
const LO: u32 = 0x6f6c;
const ETH0: u32 = 0x30687465;
/** What its number adds to the word. */
const ETH_STEP: u32 = 1 << 24;
const RENO: u32 = 0x6f6e6572;
const CUBI: u32 = 0x69627563;
const C: u32 = 0x63;

/** Number of the device or of the congestion control of this name; -1 = there is none. */
function numberOfName(level: i32, value: usize, bytes: u32): i32 {
  let head: u32 = 0;
  let tail: u32 = 0;
  for (let index: u32 = 0; index < min<u32>(bytes, 8); index++) {
    const letter = <u32>load<u8>(value + <usize>index);
    if (letter == 0) break;
    if (index < 4) head |= letter << (index << 3);
    else tail |= letter << ((index & 3) << 3);
  }
  if (level == IPPROTO_TCP) {
    if (head == CUBI && tail == C) return CONGESTION_CUBIC;
    return head == RENO && tail == 0 ? CONGESTION_RENO : -1;
  }
  if (head == 0) return <i32>DEVICE_ANY;
  if (tail != 0) return -1;
  if (INTERFACES > 1 && head == ETH0 + ETH_STEP) return <i32>DEVICE_ETHERNET + 1;
  return head == LO ? <i32>DEVICE_LOOPBACK : head == ETH0 ? <i32>DEVICE_ETHERNET : -1;
}

/** Writes a name with a zero behind it: 8 bytes. */
function tellName(level: i32, number: i32, value: usize): void {
  const cubic = level == IPPROTO_TCP && number == CONGESTION_CUBIC;
  let head: u32 = cubic ? CUBI : RENO;
  if (level == SOL_SOCKET) {
    head = <u32>number == DEVICE_LOOPBACK ? LO : <u32>number == DEVICE_ETHERNET ? ETH0 : 0;
    if (INTERFACES > 1 && <u32>number > DEVICE_ETHERNET) head = ETH0 + ETH_STEP;
  }
  store<u32>(value, head);
  store<u32>(value, cubic ? C : 0, 4);
}

/** fcntl(2): F_GETFL and F_SETFL with O_NONBLOCK. */
export function fcntl(fd: i32, command: i32, argument: i32): i32 {
  const index = socketIndex(fd);
  if (index == NO_SOCKET) return -EBADF;
  const record = socketAt(index);
  if (command == F_GETFL) {
    return (record.flags & SocketFlag.NONBLOCK) != 0 ? O_NONBLOCK : 0;
  }
  if (command != F_SETFL) return -EINVAL;
  if ((argument & O_NONBLOCK) != 0) record.flags |= SocketFlag.NONBLOCK;
  else record.flags &= ~SocketFlag.NONBLOCK;
  return 0;
}
