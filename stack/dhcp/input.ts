import { checksumOf } from "cpu";
import { interfaceMac } from "../interface";
import { linkRead } from "../link/device";
import { macEqual } from "../link/headers";
import { SCRATCH, SCRATCH_BYTES } from "../scratch";
import { Counter, count } from "../statistics";
import { Be } from "../wire/bytes";
import { sumAdd, sumFold } from "../wire/checksum";
import { dhcpMessage, dhcpTransaction } from "./client";
import {
  BOOTREPLY,
  DHCP_CHADDR,
  DHCP_FIXED_BYTES,
  DHCP_MAGIC,
  DHCP_MAGIC_BYTES,
  DHCP_NAMES_BYTES,
  DHCP_XID,
  DHCP_YIADDR,
  MASK_ABSENT,
  OPTION_DNS,
  OPTION_END,
  OPTION_LEASE_TIME,
  OPTION_MESSAGE_TYPE,
  OPTION_PAD,
  OPTION_ROUTER,
  OPTION_SERVER,
  OPTION_SUBNET_MASK,
  OPTION_T1,
  OPTION_T2,
  DhcpMessage,
  message,
} from "./message";

/** Where the option reader stands. */
let code: u32 = 0;
/** Bytes of the option's value still to come; -1 = its length comes next. */
let left: i32 = 0;
let length: u32 = 0;
/** The first four bytes of the value, as a number. */
let value: u32 = 0;

/** Notes an option that is complete. One of a wrong length was not given. */
function option(): void {
  if (code == OPTION_MESSAGE_TYPE) {
    if (length == 1) message.type = value;
    return;
  }
  // All the others are addresses and times of four bytes; of a list of addresses the first counts.
  if (code == OPTION_ROUTER || code == OPTION_DNS) {
    if (length < 4 || (length & 3) != 0) return;
  } else if (length != 4) {
    return;
  }
  if (code == OPTION_SUBNET_MASK) message.mask = value;
  else if (code == OPTION_ROUTER) message.router = value;
  else if (code == OPTION_DNS) message.dns = value;
  else if (code == OPTION_LEASE_TIME) message.lease = value;
  else if (code == OPTION_SERVER) message.server = value;
  else if (code == OPTION_T1) message.t1 = value;
  else if (code == OPTION_T2) message.t2 = value;
}

/** Takes the next bytes of the options; an option that never ends never counts. */
function options(at: usize, bytes: u32): void {
  for (const end = at + bytes; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (code == OPTION_END) return;
    if (code == OPTION_PAD) {
      code = byte;
      left = -1;
      continue;
    }
    if (left < 0) {
      length = byte;
      left = <i32>byte;
      value = 0;
    } else {
      if (length - <u32>left < 4) value = (value << 8) | byte;
      left -= 1;
    }
    if (left == 0) {
      option();
      code = OPTION_PAD;
    }
  }
}

/** True when the fixed part is a reply to our request. */
function isOurs(): bool {
  return (
    load<u8>(SCRATCH) == <u8>BOOTREPLY &&
    load<u8>(SCRATCH, 1) == 1 &&
    load<u8>(SCRATCH, 2) == 6 &&
    Be.load32(SCRATCH + DHCP_XID) == dhcpTransaction() &&
    macEqual(SCRATCH + DHCP_CHADDR, interfaceMac())
  );
}

/**
 * Takes a datagram from port 67 to port 68: reads the message as it streams by, and gives it to the client only when it is
 * for us and the UDP checksum, whose sum so far is `sum`, holds (`checked` = there is one).
 */
export function dhcpInput(bytes: u32, sum: u32, checked: bool): void {
  if (bytes < DHCP_FIXED_BYTES + DHCP_NAMES_BYTES + DHCP_MAGIC_BYTES) {
    count(Counter.DHCP_BAD);
    return;
  }
  linkRead(SCRATCH, DHCP_FIXED_BYTES);
  if (!isOurs()) {
    count(Counter.DHCP_BAD);
    return;
  }
  sum += checksumOf(SCRATCH, DHCP_FIXED_BYTES);
  memory.fill(changetype<usize>(message), 0, offsetof<DhcpMessage>());
  message.yiaddr = Be.load32(SCRATCH + DHCP_YIADDR);
  message.mask = MASK_ABSENT;
  code = OPTION_PAD;
  bytes -= DHCP_FIXED_BYTES;
  let names = DHCP_NAMES_BYTES;
  let isDhcp = false;
  while (bytes > 0) {
    // Names, magic and options each begin a read of their own.
    let part = min(bytes, SCRATCH_BYTES);
    if (names != 0) part = min(names, SCRATCH_BYTES);
    else if (!isDhcp) part = DHCP_MAGIC_BYTES;
    linkRead(SCRATCH, part);
    sum = sumAdd(sum, SCRATCH, part, 0);
    bytes -= part;
    if (names != 0) {
      names -= part;
    } else if (isDhcp) {
      options(SCRATCH, part);
    } else {
      if (load<u32>(SCRATCH) != bswap<u32>(DHCP_MAGIC)) {
        count(Counter.DHCP_BAD);
        return;
      }
      isDhcp = true;
    }
  }
  if (checked && sumFold(sum) != 0xffff) count(Counter.UDP_BAD_CHECKSUM);
  else dhcpMessage();
}
