import { AUTO_IP, INTERFACES, ROUTES } from "../config";
import { EEXIST, EINVAL, ENOBUFS, ESRCH } from "../errors";
import {
  DEVICE_ETHERNET,
  DEVICE_LOOPBACK,
  Interface,
  LeasedInterface,
  iface,
  interfaceAt,
  interfaceNumber,
  isLinkLocal,
  isOurs,
  isUnicast,
} from "../interface";
import { deviceIsWire, linkRxDevice } from "../link/device";
import { headerForget } from "../link/headers";

/**
 * Static routes, beside the two that an interface has by itself: its own subnet, and all else by its gateway. The longest prefix
 * decides (RFC 1122 3.3.1.2, RFC 1812 5.2.4.3). A route is one of the interface whose subnet its gateway is in, and counts while there
 * is one: so it may be set before there is an address, and stays when that changes.
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
  const TABLE: usize = memory.data(ROUTES != 0 ? ROUTES * offsetof<Route>() : 0, 4);
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

/** The route of the longest prefix, as `routeGateway` says. */
function longestRoute(nif: Interface, destination: u32, connected: u32): Route | null {
  let longest = connected;
  let found: Route | null = null;
  for (let index: u32 = 0; index < ROUTES; index++) {
    const route = routeAt(index);
    if (route.gateway == 0 || ((destination ^ route.network) & route.mask) != 0) continue;
    if (((route.gateway ^ nif.address) & nif.mask) != 0) continue;
    if (route.mask < longest || (route.mask == longest && connected != 0)) continue;
    longest = route.mask;
    found = route;
  }
  return found;
}

/**
 * Gateway of the longest prefix that `destination` has among the routes of an interface; 0 = none, or none that is longer than
 * `connected`, the mask of a subnet that has it, too.
 */
export function routeGateway(nif: Interface, destination: u32, connected: u32): u32 {
  const route = longestRoute(nif, destination, connected);
  return route == null ? 0 : route.gateway;
}

/** The interface by which packets go to an address: the one with the longest prefix, of equals the first. */
export function routeInterface(destination: u32): LeasedInterface {
  if (INTERFACES == 1) return iface;
  let best = iface;
  let most: i32 = -2;
  for (let number: u32 = 0; number < INTERFACES; number++) {
    const nif = interfaceAt(number);
    const prefix = reach(nif, destination);
    if (prefix <= most) continue;
    most = prefix;
    best = nif;
  }
  return best;
}

/**
 * How well an interface reaches an address: two more than the bits of the prefix; a gateway is a prefix of none, and of one bit less
 * while there is no link; 0 = no route, -1 = no address. An address of 169.254/16 that is in no subnet of ours is asked for on the link,
 * by no router (RFC 3927 2.6.2), so it is reached as by a gateway, whether there is one or not.
 */
function reach(nif: Interface, destination: u32): i32 {
  if (nif.address == 0) return -1;
  const near = ((destination ^ nif.address) & nif.mask) == 0;
  const asked = AUTO_IP && isLinkLocal(destination);
  const route = ROUTES != 0 && !asked ? longestRoute(nif, destination, near ? nif.mask : 0) : null;
  if (route != null) return <i32>popcnt(route.mask) + 2;
  if (near) return <i32>popcnt(nif.mask) + 2;
  if (nif.gateway == 0 && !asked) return 0;
  return nif.up ? 2 : 1;
}

/** Device by which the open packet has come, which is from `source`. */
export function deviceHeard(source: u32): u32 {
  if (INTERFACES == 1) return deviceTowards(source);
  const device = linkRxDevice();
  return deviceIsWire(device) ? DEVICE_ETHERNET + device : DEVICE_LOOPBACK;
}

/** Device by which packets go to an address: loopback to our own. */
export function deviceTowards(address: u32): u32 {
  if (address >>> 24 == 127 || isOurs(address)) return DEVICE_LOOPBACK;
  return DEVICE_ETHERNET + interfaceNumber(routeInterface(address));
}
