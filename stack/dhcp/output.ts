import { checksumOf } from "cpu";
import { iface, interfaceMac } from "../interface";
import { ipBegin, ipEnd, ipWrite } from "../ip/ipv4-output";
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
if (HEAD_BYTES + 41 + 2 + HOST_NAME_BYTES_MAX > SCRATCH_BYTES)
  ERROR("DHCP does not fit the scratch");

let at: usize = 0;

function put(byte: u32): void {
  store<u8>(at, <u8>byte);
  at += 1;
}

/** An option of one 32-bit value; not sent when that is 0. */
function putAddress(option: u32, value: u32): void {
  if (value == 0) return;
  put(option);
  put(4);
  for (let shift: u32 = 32; shift > 0;) {
    shift -= 8;
    put(value >>> shift);
  }
}

function putBytes(from: usize, bytes: u32): void {
  memory.copy(at, from, bytes);
  at += bytes;
}

/** Options of a message (RFC 2131 table 5); their length. */
function putOptions(type: u32, requested: u32, server: u32): u32 {
  at = OPTIONS;
  Be.store32(at, DHCP_MAGIC);
  at += 4;
  put(OPTION_MESSAGE_TYPE);
  put(1);
  put(type);
  put(OPTION_CLIENT);
  put(7);
  put(1);
  putBytes(interfaceMac(), 6);
  putAddress(OPTION_REQUESTED_ADDRESS, requested);
  putAddress(OPTION_SERVER, server);
  if (type != DHCPDECLINE) {
    put(OPTION_MESSAGE_BYTES);
    put(2);
    put(MESSAGE_BYTES >>> 8);
    put(MESSAGE_BYTES & 0xff);
    const nameBytes = min(iface.hostNameBytes, HOST_NAME_BYTES_MAX);
    if (nameBytes != 0) {
      put(OPTION_HOST_NAME);
      put(nameBytes);
      putBytes(iface.hostName, nameBytes);
    }
    put(OPTION_PARAMETER_LIST);
    put(6);
    put(OPTION_SUBNET_MASK);
    put(OPTION_ROUTER);
    put(OPTION_DNS);
    put(OPTION_LEASE_TIME);
    put(OPTION_T1);
    put(OPTION_T2);
  }
  put(OPTION_END);
  return <u32>(at - OPTIONS);
}

/**
 * Sends a message to `destination` (0xFFFFFFFF = broadcast). `ciaddr` = our address where the state has one, else 0: the
 * packet then comes from address 0 and, as long as we have no address, replies are asked for by broadcast. `requested` and
 * `server` 0 = option left out. Returns what `ipBegin` does.
 */
export function dhcpSend(
  type: u32,
  xid: u32,
  secs: u32,
  ciaddr: u32,
  destination: u32,
  requested: u32,
  server: u32,
): i32 {
  memory.fill(FIXED, 0, DHCP_FIXED_BYTES);
  store<u32>(FIXED, BOOTREQUEST | (1 << 8) | (6 << 16));
  Be.store32(FIXED + DHCP_XID, xid);
  Be.store16(FIXED + DHCP_SECS, min<u32>(secs, 0xffff));
  if (iface.address == 0) Be.store16(FIXED + DHCP_FLAGS, FLAG_BROADCAST);
  Be.store32(FIXED + DHCP_CIADDR, ciaddr);
  macCopy(FIXED + DHCP_CHADDR, interfaceMac());
  const optionBytes = putOptions(type, requested, server);
  const used = DHCP_FIXED_BYTES + DHCP_NAMES_BYTES + optionBytes;
  const bytes = max(used, BOOTP_BYTES);
  const sum = checksumOf(FIXED, DHCP_FIXED_BYTES) + checksumOf(OPTIONS, optionBytes);
  const total = UDP_HEADER_BYTES + bytes;
  const refused = ipBegin(IPPROTO_UDP, ciaddr, destination, total, 0, DEFAULT_TTL);
  if (refused != 0) return refused;
  udpHeader(SCRATCH, ciaddr, DHCP_CLIENT_PORT, destination, DHCP_SERVER_PORT, bytes, sum);
  ipWrite(SCRATCH, HEAD_BYTES);
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
