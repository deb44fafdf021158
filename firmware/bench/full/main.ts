/** Everything that the sheet of sizes calls "full": the servers of the bench and a DHCP client. */
import { dhcpStart } from "../../../stack/dhcp/client";
import { iface } from "../../../stack/interface";

export { begin, choose, turn } from "../main";

/** Asks for a lease. */
export function lease(): void {
  dhcpStart(iface);
}
