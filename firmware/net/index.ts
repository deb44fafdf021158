/** `as-tcpip/net`: the loop and the sockets, all that a networked application needs. */
export * from "./sockets";
export * from "./borrow";
export * from "./epoll";
export * from "./loop";
export * from "./inet";
export * from "./names";
export * from "./ring";
export * from "./routes";
export * from "./select";
export * from "./sntp";
export * from "./socket-more";
export * from "./tcp-info";
export * from "./wall-clock";
export { netAddress, netGateway, netGoodbye, netPoll, netStart } from "./runtime";
