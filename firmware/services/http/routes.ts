/** Routes of the application: which handler answers a path, and to which methods. */
import { Text, textAddress, textBytes } from "board";
import { HTTP_ROUTES } from "../../../stack/config";
import { EINVAL, ENOBUFS } from "../../../stack/errors";
import { sameBytes } from "../../net/assets";
import { Client } from "../client";
import { Method, Resource } from "./message";

/** Methods of a route. HTTP_GET answers HEAD, too: the handler's body is then left out. */
export const HTTP_GET: u32 = 1;
export const HTTP_POST: u32 = 2;
export const HTTP_PUT: u32 = 4;
export const HTTP_PATCH: u32 = 8;
export const HTTP_DELETE: u32 = 16;
/** A body comes piece by piece (`HttpEvent.HEAD`, `BODY`) instead of as a whole. */
export const HTTP_UPLOAD: u32 = 32;
/** The handler is told once when a client leaves before its answer is complete (`HttpEvent.GONE`). */
export const HTTP_TELL: u32 = 64;

@unmanaged
class Route {
  path: Text;
  methods: u16;
  handler: u16;
}

let routes: u32 = 0;

function routeAt(index: u32): Route {
  const ROUTES: usize = memory.data(HTTP_ROUTES * offsetof<Route>(), 4);
  return changetype<Route>(ROUTES + <usize>(index * offsetof<Route>()));
}

/**
 * Adds a route: requests for `path` go to `handler` (1 to 65535). A path that ends with `*` stands for all that begin so;
 * the first route that fits is taken, and routes go before files. 0, or -ENOBUFS (HTTP_ROUTES).
 */
export function httpRoute(methods: u32, path: Text, handler: u32): i32 {
  if (handler == 0 || handler > 0xffff || textBytes(path) == 0) return -EINVAL;
  if (routes == HTTP_ROUTES) return -ENOBUFS;
  const route = routeAt(routes++);
  route.path = path;
  route.methods = <u16>methods;
  route.handler = <u16>handler;
  return 0;
}

/** Length of the path without its `*`. */
function prefixBytes(path: Text): u32 {
  const bytes = textBytes(path);
  return load<u8>(textAddress(path) + <usize>(bytes - 1)) == 0x2a ? bytes - 1 : bytes;
}

/** What a path names, as a value of `Client.resource`; `Resource.NONE` when no route fits. */
export function routeFind(path: usize, bytes: u32): i16 {
  for (let i: u32 = 0; i < routes; i++) {
    const wanted = routeAt(i).path;
    const prefix = prefixBytes(wanted);
    if (bytes < prefix || (prefix == textBytes(wanted) && bytes != prefix)) continue;
    if (sameBytes(path, textAddress(wanted), prefix))
      return <i16>(<i32>Resource.FIRST_ROUTE - <i32>i);
  }
  return <i16>Resource.NONE;
}

function routeOf(c: Client): Route {
  return routeAt(<u32>(<i32>Resource.FIRST_ROUTE - <i32>c.resource));
}

/** Methods and marks of a client's route. */
export function routeMethods(c: Client): u32 {
  return routeOf(c).methods;
}

export function routeHandler(c: Client): u32 {
  return routeOf(c).handler;
}

/** Bytes of the path that the route does not name. */
export function routeRest(c: Client, bytes: u32): u32 {
  return bytes - prefixBytes(routeOf(c).path);
}

/** The bit of a method. */
export function methodBit(method: u32): u32 {
  switch (method) {
    case <u32>Method.GET:
    case <u32>Method.HEAD:
      return HTTP_GET;
    case <u32>Method.POST:
      return HTTP_POST;
    case <u32>Method.PUT:
      return HTTP_PUT;
    case <u32>Method.PATCH:
      return HTTP_PATCH;
    case <u32>Method.DELETE:
      return HTTP_DELETE;
    default:
      return 0;
  }
}
