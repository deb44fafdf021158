import { checksumOf } from "cpu";
import { DHCP } from "../config";
import { LeasedInterface, interfaceMac } from "../interface";
import { ipEnd, ipHeadersWrite, ipOpen, ipSendBy, ipWrite } from "../ip/ipv4-output";
import { DEFAULT_TTL, IPPROTO_UDP } from "../ip/packet";
import { macCopy } from "../link/headers";
import { SCRATCH, SCRATCH_BYTES } from "../scratch";
import { UDP_HEADER_BYTES } from "../udp/input";
import { udpHeader } from "../udp/transfer";
import { Be } from "../wire/bytes";
import {
  BOOTREQUEST,
  DHCPDECLINE,
  DHCP_CHADDR,
  DHCP_CIADDR,
  DHCP_CLIENT_PORT,
  DHCP_FIXED_BYTES,
  DHCP_FLAGS,
  DHCP_MAGIC,
  DHCP_NAMES_BYTES,
  DHCP_SECS,
  DHCP_SERVER_PORT,
  DHCP_XID,
  OPTION_CLIENT,
  OPTION_DNS,
  OPTION_END,
  OPTION_HOST_NAME,
  OPTION_LEASE_TIME,
  OPTION_MESSAGE_BYTES,
  OPTION_MESSAGE_TYPE,
  OPTION_PARAMETER_LIST,
  OPTION_REQUESTED_ADDRESS,
  OPTION_ROUTER,
  OPTION_SERVER,
  OPTION_SUBNET_MASK,
  OPTION_T1,
  OPTION_T2,
} from "./message";

/** Longest message that we say we take, as the length of an IP packet (RFC 2132 9.10: 576 at least). */
const MESSAGE_BYTES: u32 = 576;
/** RFC 1542 2.1: some relays and servers drop a message that is shorter than BOOTP's. */
const BOOTP_BYTES: u32 = 300;
const HOST_NAME_BYTES_MAX: u32 = 32;
const FLAG_BROADCAST: u32 = 0x8000;

/** The scratch bytes: UDP header, fixed part, options. */
const FIXED: usize = SCRATCH + UDP_HEADER_BYTES;
const OPTIONS: usize = FIXED + DHCP_FIXED_BYTES;
const HEAD_BYTES: u32 = UDP_HEADER_BYTES + DHCP_FIXED_BYTES;
/** Magic 4, type 3, client 9, message size 4, address 6, server 6, list 8, end 1 and the host name with its 2. */
if (DHCP && HEAD_BYTES + 41 + 2 + HOST_NAME_BYTES_MAX > SCRATCH_BYTES)
  ERROR("DHCP does not fit the scratch");

/**
 * Options as plain word stores see them; each word of them stands at a multiple of four:
 *
 *     magic | 53 1 type 61 | 7 1 mac mac | mac mac mac mac | 57 2 size size | 55 6 1 3 | 6 51 58 59 | rest
 *
 * A DECLINE ends behind the MAC (RFC 2131 table 5), and the rest is in every message what it needs of 50, 54 and 12.
 */
const TYPE_AND_CLIENT: u32 = OPTION_MESSAGE_TYPE | (1 << 8) | (OPTION_CLIENT << 24);
const CLIENT_LENGTH: u16 = 7 | (1 << 8);
const MESSAGE_SIZE: u32 =
  OPTION_MESSAGE_BYTES | (2 << 8) | ((MESSAGE_BYTES >>> 8) << 16) | ((MESSAGE_BYTES & 0xff) << 24);
const PARAMETERS_0: u32 =
  OPTION_PARAMETER_LIST | (6 << 8) | (OPTION_SUBNET_MASK << 16) | (OPTION_ROUTER << 24);
const PARAMETERS_1: u32 =
  OPTION_DNS | (OPTION_LEASE_TIME << 8) | (OPTION_T1 << 16) | (OPTION_T2 << 24);

/** An option of one address at the even address `at`, left out when that is 0; where the next one goes. */
function putAddress(at: usize, option: u32, value: u32): usize {
  if (value == 0) return at;
  store<u16>(at, <u16>(option | (4 << 8)));
  Be.store32(at + 2, value);
  return at + 6;
}

/** Options of a message (RFC 2131 table 5); their length. */
function putOptions(nif: LeasedInterface, type: u32, requested: u32, server: u32): u32 {
  let at = OPTIONS + 16;
  store<u32>(OPTIONS, bswap<u32>(DHCP_MAGIC));
  store<u32>(OPTIONS, TYPE_AND_CLIENT | (type << 16), 4);
  store<u16>(OPTIONS, CLIENT_LENGTH, 8);
  macCopy(OPTIONS + 10, interfaceMac(nif));
  if (type != DHCPDECLINE) {
    store<u32>(at, MESSAGE_SIZE);
    store<u32>(at, PARAMETERS_0, 4);
    store<u32>(at, PARAMETERS_1, 8);
    at += 12;
  }
  at = putAddress(at, OPTION_REQUESTED_ADDRESS, requested);
  at = putAddress(at, OPTION_SERVER, server);
  const nameBytes = type == DHCPDECLINE ? 0 : min(nif.hostNameBytes, HOST_NAME_BYTES_MAX);
  if (nameBytes != 0) {
    store<u8>(at, <u8>OPTION_HOST_NAME);
    store<u8>(at, <u8>nameBytes, 1);
    memory.copy(at + 2, nif.hostName, nameBytes);
    at += 2 + nameBytes;
  }
  store<u8>(at, <u8>OPTION_END);
  return <u32>(at + 1 - OPTIONS);
}

/**
 * Sends a message of an interface's exchange to `destination` (0xFFFFFFFF = broadcast). `ciaddr` = our address where the state has one, else 0: the
 * packet then comes from address 0 and replies are asked for by broadcast. `requested` and
 * `server` 0 = option left out. Returns what `ipBegin` does.
 */
export function dhcpSend(
  nif: LeasedInterface,
  type: u32,
  secs: u32,
  ciaddr: u32,
  destination: u32,
  requested: u32,
  server: u32,
): i32 {
  memory.fill(FIXED, 0, DHCP_FIXED_BYTES);
  store<u32>(FIXED, BOOTREQUEST | (1 << 8) | (6 << 16));
  Be.store32(FIXED + DHCP_XID, nif.dhcpXid);
  Be.store16(FIXED + DHCP_SECS, min<u32>(secs, 0xffff));
  if (ciaddr == 0) Be.store16(FIXED + DHCP_FLAGS, FLAG_BROADCAST);
  Be.store32(FIXED + DHCP_CIADDR, ciaddr);
  macCopy(FIXED + DHCP_CHADDR, interfaceMac(nif));
  const optionBytes = putOptions(nif, type, requested, server);
  const used = DHCP_FIXED_BYTES + DHCP_NAMES_BYTES + optionBytes;
  const bytes = max(used, BOOTP_BYTES);
  const sum = checksumOf(FIXED, DHCP_FIXED_BYTES) + checksumOf(OPTIONS, optionBytes);
  const total = UDP_HEADER_BYTES + bytes;
  // Address 0 does not say which interface it is.
  ipSendBy(nif);
  const refused = ipOpen(IPPROTO_UDP, ciaddr, destination, total, 0, DEFAULT_TTL);
  if (refused != 0) return refused;
  udpHeader(DHCP_CLIENT_PORT, DHCP_SERVER_PORT, bytes, sum);
  ipHeadersWrite(HEAD_BYTES);
  // What has been sent is where the zeros come from.
  memory.fill(SCRATCH, 0, HEAD_BYTES);
  writeZeros(DHCP_NAMES_BYTES);
  ipWrite(OPTIONS, optionBytes);
  writeZeros(bytes - used);
  ipEnd();
  return 0;
}

function writeZeros(bytes: u32): void {
  while (bytes > 0) {
    const part = min(bytes, HEAD_BYTES);
    ipWrite(SCRATCH, part);
    bytes -= part;
  }
}
