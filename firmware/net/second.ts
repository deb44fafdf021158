import { log0, log1, log2, log3 } from "board";
import {
  nicDeadline as nicDeadline2,
  nicInit as nicInit2,
  nicLink as nicLink2,
  nicPoll as nicPoll2,
} from "nic2";
import { DHCP, INTERFACES } from "../../stack/config";
import { dhcpStart } from "../../stack/dhcp/client";
import {
  LeasedInterface,
  iface,
  interfaceAt,
  interfaceInit,
  interfaceMac,
  interfaceTentative,
} from "../../stack/interface";
import { stackLinkChanged } from "../../stack/stack";
import { Be } from "../../stack/wire/bytes";
import { SettingsFlag, settingsHas, settingsSecond } from "./settings";

/**
 * The second interface in the loop (INTERFACES 2): its chip, its cable and its lease. A static address of the settings block
 * is probed and used as the first one's is.
 */

let link: u32 = 0;
/** Address that was last told. */
let address: u32 = 0;

function second(): LeasedInterface {
  return interfaceAt(INTERFACES - 1);
}

/**
 * Starts the chip, as another station of the same name. One that does not answer is told of in the log and keeps nobody from the first network:
 * its driver goes on calling it.
 */
export function secondStart(): void {
  const first = interfaceMac(iface);
  // Locally administered (IEEE 802 8.2): nobody has given us a second one.
  const high = Be.load16(first) | 0x0200;
  const low = Be.load32(first + 2) ^ 1;
  interfaceInit(second(), high, low, iface.hostName, iface.hostNameBytes);
  log2("info: second interface, mac %m", high, low);
  const failed = nicInit2(interfaceMac(second()));
  if (failed != 0) log1("error: the second Ethernet chip does not answer (error %u)", -failed);
  if (settingsHas(SettingsFlag.SECOND_ADDRESS)) {
    const at = settingsSecond();
    const nif = second();
    interfaceTentative(nif, load<u32>(at), load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12));
    log2("info: second interface, address %i gateway %i", nif.address, nif.gateway);
  }
}

/** A turn of the chip; tells of a cable or an address that has changed. */
export function secondPoll(nowMs: u32): void {
  nicPoll2(nowMs);
  const nif = second();
  const present = nicLink2();
  if (present != link) {
    const up = (present & 1) != 0;
    const first = link == 0;
    link = present;
    if (up) log0("info: second link up");
    else log0("warn: second link down");
    stackLinkChanged(nif, up);
    if (DHCP && up && first && nif.address == 0) dhcpStart(nif);
  }
  tellOverlap(nif);
  if (nif.tentative || nif.address == address) return;
  address = nif.address;
  if (address == 0) log0("warn: the second interface has lost its address");
  else if (DHCP && nif.leaseAddress == address)
    log3(
      "info: second interface, lease %i from %i for %u s",
      address,
      nif.leaseServer,
      nif.leaseSeconds,
    );
  else log1("info: address %i of the second interface", address);
}

/** Both interfaces are in one network, as it seems, and that was told. */
let overlap: bool = false;

/** Two networks of the same addresses, as two home routers give them: by the address nobody can tell one's hosts from the other's. */
function tellOverlap(nif: LeasedInterface): void {
  const apart = ((iface.address ^ nif.address) & iface.mask & nif.mask) != 0;
  const both = iface.address != 0 && nif.address != 0 && !apart;
  if (both && !overlap)
    log2(
      "warn: %i and %i are of one network: what is bound to none goes by the first",
      iface.address,
      nif.address,
    );
  overlap = both;
}

/** Milliseconds until the chip wants its next turn. */
export function secondDeadline(nowMs: u32): u32 {
  return nicDeadline2(nowMs);
}
