/** `as-tcpip/net`: the loop and the sockets, all that a networked application needs. */
export * from "./sockets";
export * from "./names";
export { netPoll, netStart } from "./runtime";
