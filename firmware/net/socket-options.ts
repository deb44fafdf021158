import { EBADF, EINVAL, ENODEV, ENOPROTOOPT, EOPNOTSUPP } from "../../stack/errors";
import {
  F_GETFL,
  F_SETFL,
  IPPROTO_IP,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IP_MULTICAST_IF,
  O_NONBLOCK,
  SOL_SOCKET,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
} from "../../stack/posix";
import { MULTICAST_GROUPS } from "../../stack/config";
import { iface } from "../../stack/interface";
import { sockGetOption, sockSetOption } from "../../stack/socket/options";
import { NO_SOCKET, SocketFlag, socketAt, socketIndex } from "../../stack/socket/table";

/**
 * setsockopt(2). `value` points to an i32; IP_ADD_MEMBERSHIP and IP_DROP_MEMBERSHIP to two addresses (group, interface or 0); SO_LINGER to two of them (on, seconds), SO_RCVTIMEO and SO_SNDTIMEO to two of them
 * (seconds, microseconds).
 */
export function setsockopt(fd: i32, level: i32, option: i32, value: usize, bytes: u32): i32 {
  if (bytes < 4) return -EINVAL;
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
      // struct ip_mreq: the group, then our interface by its address, 0 = any.
      if (bytes < 8) return -EINVAL;
      const device = bswap<u32>(load<u32>(value, 4));
      if (device != 0 && device != iface.address) return -ENODEV;
    }
    if (membership || option == IP_MULTICAST_IF) number = <i32>bswap<u32>(<u32>number);
  }
  return sockSetOption(fd, level, option, number);
}

/** getsockopt(2): writes the option, an i32 or a pair as for setsockopt, to `value`. */
export function getsockopt(fd: i32, level: i32, option: i32, value: usize): i32 {
  const number = sockGetOption(fd, level, option);
  if (number == -EBADF || number == -ENOPROTOOPT || number == -EOPNOTSUPP) return number;
  if (level == SOL_SOCKET && option == SO_LINGER) {
    store<i32>(value, number < 0 ? 0 : 1);
    store<i32>(value, number < 0 ? 0 : number, 4);
  } else if (level == SOL_SOCKET && (option == SO_RCVTIMEO || option == SO_SNDTIMEO)) {
    store<i32>(value, number / 1000);
    store<i32>(value, (number % 1000) * 1000, 4);
  } else {
    store<i32>(value, number);
  }
  return 0;
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
