import { TcpInfo, sockTcpInfo } from "../../stack/socket/info";

export { TcpInfo } from "../../stack/socket/info";

/**
 * TCP_INFO: fills `info` with what getsockopt(2) gives on Linux under that name. 0, -EBADF, -EOPNOTSUPP for what is no stream
 * socket. A call of its own, so that a program that does not ask carries none of it.
 */
export function tcpInfo(fd: i32, info: TcpInfo): i32 {
  return sockTcpInfo(fd, info);
}
