/**
 * Where our answer to misuse is not the kernel's: each with the row of docs/sockets.md that says why. A difference that stands
 * here and does not come is a failure, too.
 */

export interface Difference {
  /** First words of the row in "Differences from Linux". */
  row: string;
  state: RegExp;
  call: RegExp;
}

const any = /^/;
const difference = (row: string, state: RegExp, call: RegExp): Difference => ({ row, state, call });

const NEVER_CONNECTED = /^(a fresh|a bound) stream socket|^a listener/;
const ENDED = /^a connection that (was reset|both ends)|^a refused attempt/;

export const DIFFERENCES: Difference[] = [
  difference("`send` on a stream socket", NEVER_CONNECTED, /^send/),
  difference("`recv` with `MSG_OOB`", any, /SO_OOBINLINE 0$/),
  difference("`recv` with `MSG_OOB`", /^a listener/, /^recv with MSG_OOB$/),
  difference("`recv` with `MSG_TRUNC`", /^a connection with text/, /^recv with MSG_TRUNC$/),
  difference("`bind` of a stream socket to a broadcast", any, /^bind to a broadcast address$/),
  difference("`bind` and `connect` of a stream socket whose", ENDED, /^(bind|connect)/),
  difference("`connect` to AF_UNSPEC", any, /^connect to nobody$/),
  difference("`connect` of a listener", /^a listener/, /^connect/),
  difference("`shutdown` of a listener", /^a listener/, /^shutdown/),
  difference("`send` after the peer", /^a connection whose peer has closed/, /^send, twice$/),
  difference(
    "a datagram socket whose port was given",
    /^a datagram socket without a peer/,
    /^bind to/,
  ),
  difference(
    "a datagram that is at fault twice",
    /^a datagram socket (that was shut|whose peer was)/,
    /^(sendto|send too much)/,
  ),
  difference("groups of raw sockets", /raw socket/, /IP_MULTICAST/),
  difference("`SO_REUSEADDR` of raw sockets", /raw socket/, /^getsockopt SO_REUSEADDR$/),
  difference("AF_UNIX datagrams longer", /^a local pair of datagrams/, /^send too much$/),
  difference("`getpeername` of AF_UNIX", /^a local .* whose peer has closed/, /^peer's name$/),
  difference(
    "`recv` of no bytes, of AF_UNIX",
    /^a local (pair of streams|stream)/,
    /^recv nothing/,
  ),
  difference("`MSG_ERRQUEUE` of AF_UNIX", /local (stream|listener)/, /^an error of the queue$/),
];
