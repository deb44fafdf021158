import { ROUTES } from "../config";
import { EEXIST, EINVAL, ENOBUFS, ESRCH } from "../errors";
import { iface, isUnicast } from "../interface";
import { headerForget } from "../link/headers";

/**
 * Static routes, beside the two that an interface has by itself: its own subnet, and all else by its gateway. The longest prefix
 * decides (RFC 1122 3.3.1.2, RFC 1812 5.2.4.3). A route counts while its gateway is in our subnet, so it may be set before there is
 * an address, and stays when that changes.
 */
@unmanaged
export class Route {
  /** Host order. */
  network: u32;
  mask: u32;
  /** 0 = the place is free. */
  gateway: u32;
}

/** The route in a place of the table. In a function, so that an image without routes has no table. */
function routeAt(index: u32): Route {
  const TABLE: usize = memory.data(ROUTES != 0 ? ROUTES * offsetof<Route>() : 4, 4);
  return changetype<Route>(TABLE + index * offsetof<Route>());
}

function find(network: u32, mask: u32): Route | null {
  for (let index: u32 = 0; index < ROUTES; index++) {
    const route = routeAt(index);
    if (route.gateway != 0 && route.network == network && route.mask == mask) return route;
  }
  return null;
}

/** Sends what goes to a network by way of a gateway. -EINVAL (bits beyond the mask, holes in it, no host's address), -EEXIST, -ENOBUFS. */
export function routeAdd(network: u32, mask: u32, gateway: u32): i32 {
  const hostBits = ~mask;
  if ((hostBits & (hostBits + 1)) != 0 || (network & hostBits) != 0) return -EINVAL;
  if (gateway == 0 || !isUnicast(gateway)) return -EINVAL;
  if (find(network, mask) != null) return -EEXIST;
  for (let index: u32 = 0; index < ROUTES; index++) {
    const route = routeAt(index);
    if (route.gateway != 0) continue;
    route.network = network;
    route.mask = mask;
    route.gateway = gateway;
    headerForget();
    return 0;
  }
  return -ENOBUFS;
}

/** Forgets a route. -ESRCH when there is none, as on Linux. */
export function routeDelete(network: u32, mask: u32): i32 {
  const route = find(network, mask);
  if (route == null) return -ESRCH;
  route.gateway = 0;
  headerForget();
  return 0;
}

/** Gateway of the longest prefix that `destination` has; 0 = none, or none that is longer than `connected`, the mask of a subnet that has it, too. */
export function routeGateway(destination: u32, connected: u32): u32 {
  let longest = connected;
  let gateway: u32 = 0;
  for (let index: u32 = 0; index < ROUTES; index++) {
    const route = routeAt(index);
    if (route.gateway == 0 || ((destination ^ route.network) & route.mask) != 0) continue;
    if (((route.gateway ^ iface.address) & iface.mask) != 0) continue;
    if (route.mask < longest || (route.mask == longest && connected != 0)) continue;
    longest = route.mask;
    gateway = route.gateway;
  }
  return gateway;
}
