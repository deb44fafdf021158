/** `as-tcpip/net`: the loop and the sockets, all that a networked application needs. */
export * from "./sockets";
export { netPoll, netStart } from "./runtime";
