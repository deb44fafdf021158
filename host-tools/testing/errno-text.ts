/** What the stack of a host says of a failure, by the numbers of Linux (stack/errors.ts): name and words. */
const WORDS: Readonly<Record<number, string>> = {
  11: "EAGAIN, there is no room now",
  13: "EACCES, a broadcast address",
  22: "EINVAL, no address or port for this",
  24: "EMFILE, all of its sockets are open",
  32: "EPIPE, its sending side is closed",
  90: "EMSGSIZE, it is longer than a datagram can be",
  98: "EADDRINUSE, the port is in use already",
  101: "ENETUNREACH, there is no route to that network",
  103: "ECONNABORTED, it was given up",
  104: "ECONNRESET, the other side has reset it",
  105: "ENOBUFS, a table of the host is full",
  107: "ENOTCONN, it is not connected",
  110: "ETIMEDOUT, the other side does not answer",
  111: "ECONNREFUSED, the other side refuses it",
  113: "EHOSTUNREACH, nobody has that address",
};

/** Name and words of an errno. */
export function errnoText(errno: number): string {
  return WORDS[errno] ?? `errno ${errno}`;
}
