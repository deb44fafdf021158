import { DNS_ENTRIES, MDNS } from "../../stack/config";
import { EAI_INPROGRESS, dnsLookup } from "../../stack/dns/client";
import { nameEncode } from "../../stack/dns/name";
import { mdnsOwn, mdnsService } from "../../stack/mdns/responder";
import { AF_INET } from "../../stack/posix";
import { SockAddrIn, setSockAddrIn } from "../../stack/socket/address";
import { netPoll } from "./runtime";
import { settingsHost } from "./settings";

export {
  EAI_AGAIN,
  EAI_FAIL,
  EAI_INPROGRESS,
  EAI_MEMORY,
  EAI_NODATA,
  EAI_NONAME,
} from "../../stack/dns/client";

/** Addresses that one call gives at most. */
const ADDRESSES_MAX: u32 = 4;
/** Labels of a service type, with an end. */
const LABELS_BYTES: u32 = 34;
const LABELS: usize = memory.data(MDNS ? LABELS_BYTES : 0, 4);
const ADDRESSES: usize = memory.data(DNS_ENTRIES != 0 ? 4 * ADDRESSES_MAX : 0, 4);
/** Longest single wait; the client gives up by itself long before. */
const TURN_MS: u32 = 60_000;

/**
 * Announces a service of this device on the link (RFC 6763), one at most: its type, such as `_http._tcp`, of `typeBytes`
 * characters, and its port. Browsers of the network then show the device by its host name. False = the type is too long, or
 * multicast DNS is left out (`MDNS` 0).
 */
export function announceService(type: usize, typeBytes: u32, port: u32): bool {
  if (!MDNS) return false;
  const bytes = nameEncode(type, typeBytes, LABELS, LABELS_BYTES);
  return bytes != 0 && mdnsService(LABELS, bytes - 1, port);
}

/**
 * getaddrinfo(3) without its list: the IPv4 addresses of a host. `node` is a name of `nodeBytes` characters (of the settings' hosts,
 * the DNS or the link) or an address in
 * dotted form; each address goes with `port` (host order) into the next of `capacity` records at `results`. Returns how many
 * there are, 1 or more, or -EAI_NONAME (no such name), -EAI_NODATA (it has no address), -EAI_AGAIN (no server answers),
 * -EAI_FAIL (the servers cannot find out). Waits for the answer, at most about 20 s, while the network goes on.
 */
export function getaddrinfo(
  node: usize,
  nodeBytes: u32,
  port: u32,
  results: SockAddrIn,
  capacity: u32,
): i32 {
  let found = getaddrinfoNow(node, nodeBytes, port, results, capacity);
  while (found == -EAI_INPROGRESS) {
    netPoll(TURN_MS);
    found = getaddrinfoNow(node, nodeBytes, port, results, capacity);
  }
  return found;
}

/** As `getaddrinfo`, but never waits: -EAI_INPROGRESS = it has been asked, call again after the next `netPoll` or `poll`. */
export function getaddrinfoNow(
  node: usize,
  nodeBytes: u32,
  port: u32,
  results: SockAddrIn,
  capacity: u32,
): i32 {
  // What the settings say goes before what anybody answers.
  let host = settingsHost(node, nodeBytes);
  // Nobody else on the link would answer for our own name.
  if (MDNS && host == 0) host = mdnsOwn(node, nodeBytes);
  if (host != 0) {
    if (capacity != 0) setSockAddrIn(results, <u16>AF_INET, host, port);
    return 1;
  }
  const found = dnsLookup(node, nodeBytes, ADDRESSES, ADDRESSES_MAX);
  if (found <= 0) return found;
  const count = min(<u32>found, capacity);
  for (let i: u32 = 0; i < count; i++) {
    const record = changetype<SockAddrIn>(changetype<usize>(results) + i * offsetof<SockAddrIn>());
    setSockAddrIn(record, <u16>AF_INET, load<u32>(ADDRESSES + (i << 2)), port);
  }
  return <i32>count;
}
