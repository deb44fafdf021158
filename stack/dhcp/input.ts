import { checksumOf } from "cpu";
import { DNS_ENTRIES } from "../config";
import { LeasedInterface, interfaceMac } from "../interface";
import { linkRead } from "../link/device";
import { macEqual } from "../link/headers";
import { SCRATCH, SCRATCH_BYTES } from "../scratch";
import { Counter, count } from "../statistics";
import { Be } from "../wire/bytes";
import { sumAdd, sumIntact } from "../wire/checksum";
import { dhcpMessage } from "./client";
import {
  BOOTREPLY,
  DHCP_CHADDR,
  DHCP_FIXED_BYTES,
  DHCP_MAGIC,
  DHCP_MAGIC_BYTES,
  DHCP_NAMES_BYTES,
  DHCP_SNAME_BYTES,
  DHCP_XID,
  DHCP_YIADDR,
  OPTION_DNS,
  OPTION_END,
  OPTION_LEASE_TIME,
  OPTION_MESSAGE_TYPE,
  OPTION_OVERLOAD,
  OPTION_PAD,
  OPTION_ROUTER,
  OPTION_SERVER,
  OPTION_SUBNET_MASK,
  OPTION_T1,
  OPTION_T2,
  DhcpMessage,
  Field,
  MESSAGES,
  message,
} from "./message";

/** Record that the option reader fills. */
let filling: DhcpMessage = message;
/** Where the option reader stands. */
let code: u32 = 0;
/** Bytes of the option's value still to come; -1 = its length comes next. */
let left: i32 = 0;
let length: u32 = 0;
/** The first four bytes of the value, as a number. */
let value: u32 = 0;
/** The next four. */
let second: u32 = 0;

/** Field of an option; COUNT = none that we want. */
function fieldOf(option: u32): Field {
  switch (option) {
    case OPTION_MESSAGE_TYPE:
      return Field.TYPE;
    case OPTION_SERVER:
      return Field.SERVER;
    case OPTION_SUBNET_MASK:
      return Field.MASK;
    case OPTION_ROUTER:
      return Field.ROUTER;
    case OPTION_DNS:
      return Field.DNS;
    case OPTION_LEASE_TIME:
      return Field.LEASE;
    case OPTION_T1:
      return Field.T1;
    case OPTION_T2:
      return Field.T2;
    case OPTION_OVERLOAD:
      return Field.OVERLOAD;
    default:
      return Field.COUNT;
  }
}

/** Notes an option that is complete. One of a wrong length was not given; of a list of addresses the first counts. */
function option(): void {
  const field = fieldOf(code);
  const list = field == Field.ROUTER || field == Field.DNS;
  const wanted: u32 = field == Field.TYPE || field == Field.OVERLOAD ? 1 : 4;
  if (field == Field.COUNT || length < wanted || (list ? length & 3 : length - wanted) != 0) return;
  store<u32>(changetype<usize>(filling) + ((<usize>field) << 2), value);
  filling.given |= 1 << field;
  if (DNS_ENTRIES == 0 || field != Field.DNS) return;
  filling.dns2 = length >= 8 ? second : 0;
  filling.given |= 1 << Field.DNS2;
}

/** The options that follow go into record `number` of MESSAGES. */
function begin(number: u32): void {
  filling = changetype<DhcpMessage>(MESSAGES + number * offsetof<DhcpMessage>());
  code = OPTION_PAD;
}

/** RFC 2131 4.1: `file` goes on where the options end, and `sname` behind it; what was said first holds. */
function merge(number: u32): void {
  const more = MESSAGES + number * offsetof<DhcpMessage>();
  const given = changetype<DhcpMessage>(more).given & ~message.given;
  for (let field: u32 = 0; field < <u32>Field.COUNT; field++) {
    if (((given >>> field) & 1) == 0) continue;
    store<u32>(MESSAGES + (field << 2), load<u32>(more + (field << 2)));
  }
  message.given |= given;
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
      const index = length - <u32>left;
      if (index < 4) value = (value << 8) | byte;
      else if (DNS_ENTRIES != 0 && index < 8) second = (second << 8) | byte;
      left -= 1;
    }
    if (left == 0) {
      option();
      code = OPTION_PAD;
    }
  }
}

/** True when the fixed part is a reply to the request of an interface. */
function answers(nif: LeasedInterface): bool {
  return (
    load<u8>(SCRATCH) == <u8>BOOTREPLY &&
    load<u8>(SCRATCH, 1) == 1 &&
    load<u8>(SCRATCH, 2) == 6 &&
    Be.load32(SCRATCH + DHCP_XID) == nif.dhcpXid &&
    macEqual(SCRATCH + DHCP_CHADDR, interfaceMac(nif))
  );
}

/**
 * Takes a datagram from port 67 to port 68: reads the message as it streams by, and gives it to the client only when it is
 * for us and the UDP checksum, whose sum so far is `sum`, holds (`checked` = there is one). What stands in the names is read
 * as options on the way, and counts if the options say so.
 */
export function dhcpInput(nif: LeasedInterface, bytes: u32, sum: u32, checked: bool): void {
  if (bytes < DHCP_FIXED_BYTES + DHCP_NAMES_BYTES + DHCP_MAGIC_BYTES) {
    count(Counter.DHCP_BAD);
    return;
  }
  linkRead(SCRATCH, DHCP_FIXED_BYTES);
  if (!answers(nif)) {
    count(Counter.DHCP_BAD);
    return;
  }
  sum += checksumOf(SCRATCH, DHCP_FIXED_BYTES);
  memory.fill(MESSAGES, 0, 3 * offsetof<DhcpMessage>());
  message.yiaddr = Be.load32(SCRATCH + DHCP_YIADDR);
  begin(2);
  sum = optionsRead(sum, DHCP_SNAME_BYTES);
  begin(1);
  sum = optionsRead(sum, DHCP_NAMES_BYTES - DHCP_SNAME_BYTES);
  linkRead(SCRATCH, DHCP_MAGIC_BYTES);
  if (load<u32>(SCRATCH) != bswap<u32>(DHCP_MAGIC)) {
    count(Counter.DHCP_BAD);
    return;
  }
  begin(0);
  sum += checksumOf(SCRATCH, DHCP_MAGIC_BYTES);
  sum = optionsRead(sum, bytes - DHCP_FIXED_BYTES - DHCP_NAMES_BYTES - DHCP_MAGIC_BYTES);
  if (checked && !sumIntact(sum)) {
    count(Counter.UDP_BAD_CHECKSUM);
    return;
  }
  const overload = message.overload;
  if ((overload & 1) != 0) merge(1);
  if ((overload & 2) != 0) merge(2);
  dhcpMessage(nif);
}

/** Reads the next bytes of the message as options; `sum` with theirs. */
function optionsRead(sum: u32, bytes: u32): u32 {
  while (bytes > 0) {
    const part = min(bytes, SCRATCH_BYTES);
    linkRead(SCRATCH, part);
    sum = sumAdd(sum, SCRATCH, part, 0);
    options(SCRATCH, part);
    bytes -= part;
  }
  return sum;
}
