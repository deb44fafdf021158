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
/** sname and file, which we neither send nor read (option overload is ignored). */
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
export const OPTION_MESSAGE_TYPE: u32 = 53;
export const OPTION_SERVER: u32 = 54;
export const OPTION_PARAMETER_LIST: u32 = 55;
export const OPTION_MESSAGE_BYTES: u32 = 57;
export const OPTION_T1: u32 = 58;
export const OPTION_T2: u32 = 59;
export const OPTION_CLIENT: u32 = 61;
export const OPTION_END: u32 = 255;

/** Subnet mask of a message that has none. */
export const MASK_ABSENT: u32 = 0xffffffff;

/** What a received message says, as far as it concerns us. Addresses in host order, 0 = not given; times in seconds. */
@unmanaged
export class DhcpMessage {
  type: u32;
  yiaddr: u32;
  server: u32;
  /** MASK_ABSENT = not given. */
  mask: u32;
  router: u32;
  dns: u32;
  lease: u32;
  t1: u32;
  t2: u32;
}

/** The message received last; its contents mean nothing until its checksum has been proven. */
export const message: DhcpMessage = changetype<DhcpMessage>(
  memory.data(offsetof<DhcpMessage>(), 4),
);
