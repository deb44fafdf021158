/**
 * Everything that the sheet of sizes calls "full": the servers of the bench and a DHCP client. As many records as its peers have: eight
 * connections, in which theirs that are half open or in TIME-WAIT must find room, too; four listeners; four datagram sockets, beside DHCP and
 * DNS, which need none here; sixteen pieces to be sent.
 */
import { dhcpStart } from "../../../stack/dhcp/client";
import { iface } from "../../../stack/interface";

export { begin, choose, turn } from "../main";

/** Asks for a lease. */
export function lease(): void {
  dhcpStart(iface);
}
