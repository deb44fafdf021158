import { DHCP } from "../config";
import { MESSAGE_SCRATCH, MESSAGE_SCRATCH_BYTES } from "../scratch";

/**
 * DHCP messages (RFC 2131 2, RFC 2132).
 *
 *      0    1      2     3     4    8     10     12      16      20      24      28          44        236    240
 *     | op | htype| hlen| hops| xid| secs| flags| ciaddr| yiaddr| siaddr| giaddr| chaddr 16 | 64 + 128 | magic| options
 */
export const DHCP_SERVER_PORT: u32 = 67;
export const DHCP_CLIENT_PORT: u32 = 68;

export const BOOTREQUEST: u32 = 1;
export const BOOTREPLY: u32 = 2;

/** op to chaddr: what is looked at before the options. */
export const DHCP_FIXED_BYTES: u32 = 44;
/** sname and file, 64 and 128 bytes: not sent; read where the server says that options stand there. */
export const DHCP_SNAME_BYTES: u32 = 64;
export const DHCP_NAMES_BYTES: u32 = 192;
export const DHCP_MAGIC_BYTES: u32 = 4;
export const DHCP_XID: usize = 4;
export const DHCP_SECS: usize = 8;
export const DHCP_FLAGS: usize = 10;
export const DHCP_CIADDR: usize = 12;
export const DHCP_YIADDR: usize = 16;
export const DHCP_CHADDR: usize = 28;
/** 99, 130, 83, 99. */
export const DHCP_MAGIC: u32 = 0x63825363;

/** Message types (option 53). */
export const DHCPDISCOVER: u32 = 1;
export const DHCPOFFER: u32 = 2;
export const DHCPREQUEST: u32 = 3;
export const DHCPDECLINE: u32 = 4;
export const DHCPACK: u32 = 5;
export const DHCPNAK: u32 = 6;

/** Options. */
export const OPTION_PAD: u32 = 0;
export const OPTION_SUBNET_MASK: u32 = 1;
export const OPTION_ROUTER: u32 = 3;
export const OPTION_DNS: u32 = 6;
export const OPTION_HOST_NAME: u32 = 12;
export const OPTION_REQUESTED_ADDRESS: u32 = 50;
export const OPTION_LEASE_TIME: u32 = 51;
export const OPTION_OVERLOAD: u32 = 52;
export const OPTION_MESSAGE_TYPE: u32 = 53;
export const OPTION_SERVER: u32 = 54;
export const OPTION_PARAMETER_LIST: u32 = 55;
export const OPTION_MESSAGE_BYTES: u32 = 57;
export const OPTION_T1: u32 = 58;
export const OPTION_T2: u32 = 59;
export const OPTION_CLIENT: u32 = 61;
export const OPTION_END: u32 = 255;

/** What a received message says, as far as it concerns us. Addresses in host order, times in seconds; 0 = not given. */
@unmanaged
export class DhcpMessage {
  type: u32;
  server: u32;
  mask: u32;
  router: u32;
  dns: u32;
  lease: u32;
  t1: u32;
  t2: u32;
  /** 1 = `file` holds options too, 2 = `sname` does, 3 = both (RFC 2132 9.3). */
  overload: u32;
  /** Second server for names. */
  dns2: u32;
  /** One bit for each of the fields above: given, even if it is 0. */
  given: u32;
  yiaddr: u32;
}

/** Number of a field of DhcpMessage, and of its bit in `given`. */
export const enum Field {
  TYPE = 0,
  SERVER = 1,
  MASK = 2,
  ROUTER = 3,
  DNS = 4,
  LEASE = 5,
  T1 = 6,
  T2 = 7,
  OVERLOAD = 8,
  DNS2 = 9,
  COUNT = 10,
}

/** Records of a message: of its options, of `file` and of `sname`. The first is `message`. */
export const MESSAGES: usize = MESSAGE_SCRATCH;
if (DHCP && <u32>(3 * offsetof<DhcpMessage>()) > MESSAGE_SCRATCH_BYTES)
  ERROR("DHCP does not fit the scratch");

/** The message received last; its contents mean nothing until its checksum has been proven. */
export const message: DhcpMessage = changetype<DhcpMessage>(MESSAGES);
