import { ROUTES } from "../../stack/config";
import { routeAdd as add, routeDelete as remove } from "../../stack/ip/routes";

/**
 * Static routes: what goes to a network is sent by way of a gateway of its own. The longest prefix decides; the subnet and the
 * gateway of the lease or of the settings are routes, too. Addresses and mask in network order, as in `SockAddrIn`.
 */

/**
 * Adds a route, such as 10.0.0.0, 255.0.0.0 by 192.168.1.2; network and mask 0 are for all that no other route is for. It counts
 * while the gateway is in our subnet. -EINVAL (bits beyond the mask, holes in it, no host's address), -EEXIST, -ENOBUFS.
 */
export function routeAdd(network: u32, mask: u32, gateway: u32): i32 {
  if (ROUTES == 0) ERROR("routeAdd needs ROUTES in app.json");
  return add(bswap<u32>(network), bswap<u32>(mask), bswap<u32>(gateway));
}

/** Forgets a route; -ESRCH when there is none. */
export function routeDelete(network: u32, mask: u32): i32 {
  if (ROUTES == 0) ERROR("routeDelete needs ROUTES in app.json");
  return remove(bswap<u32>(network), bswap<u32>(mask));
}
