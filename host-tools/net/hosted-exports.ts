/** Functions that the application `hosted` exports. Results below zero are negated errno values. */
export interface HostedExports {
  memory: WebAssembly.Memory;
  start(
    macHigh: number,
    macLow: number,
    address: number,
    mask: number,
    gateway: number,
    seed0: number,
    seed1: number,
  ): void;
  standForAll(): void;
  step(nowMs: number): number;
  settle(nowMs: number, turns: number): number;
  deadline(nowMs: number): number;
  linkChanged(up: number): void;
  frameInBuffer(): number;
  frameIn(bytes: number): number;
  startSecond(
    macHigh: number,
    macLow: number,
    address: number,
    mask: number,
    gateway: number,
  ): void;
  linkChangedSecond(up: number): void;
  frameInBufferSecond(): number;
  frameInSecond(bytes: number): number;
  interfaceAddress(number: number): number;
  nameServersOf(number: number, first: number, second: number): void;
  scratch(): number;
  sysSocket(domain: number, type: number, protocol: number): number;
  sysSocketPair(domain: number, type: number, protocol: number, fds: number): number;
  sysBind(fd: number, address: number, port: number): number;
  sysListen(fd: number, backlog: number): number;
  sysListenAny(fd: number): number;
  sysAccept(fd: number): number;
  sysConnect(fd: number, address: number, port: number): number;
  sysSend(fd: number, from: number, bytes: number, flags: number): number;
  sysSendTo(
    fd: number,
    from: number,
    bytes: number,
    flags: number,
    address: number,
    port: number,
  ): number;
  sysRecv(fd: number, to: number, bytes: number, flags: number): number;
  sysRecvFrom(fd: number, to: number, bytes: number, flags: number): number;
  lastPeerAddress(): number;
  lastPeerPort(): number;
  sysShutdown(fd: number, how: number): number;
  sysClose(fd: number): number;
  sysDup(fd: number): number;
  sysEpollCreate(): number;
  sysEpollCtl(epfd: number, operation: number, fd: number, event: number): number;
  sysEpollWait(epfd: number, to: number, maxEvents: number): number;
  sysEpollClose(epfd: number): number;
  sysRouteAdd(network: number, mask: number, gateway: number): number;
  sysRouteDelete(network: number, mask: number): number;
  sysBorrow(fd: number, spans: number): number;
  sysRelease(fd: number, bytes: number): number;
  sysSendRoom(fd: number, span: number): number;
  sysSendWritten(fd: number, bytes: number): number;
  lastSentTo(): number;
  sysReceiveError(fd: number): number;
  sysAbort(fd: number): number;
  sysEvents(fd: number): number;
  sysError(fd: number): number;
  sysSetOption(fd: number, level: number, option: number, value: number): number;
  sysGetOption(fd: number, level: number, option: number): number;
  sysAtMark(fd: number): number;
  sysTcpInfo(fd: number, at: number): number;
  sysLocalAddress(fd: number): number;
  sysLocalPort(fd: number): number;
  sysPeerAddress(fd: number): number;
  sysHasPeer(fd: number): number;
  sysPeerPort(fd: number): number;
  nameLookup(name: number, bytes: number, to: number, capacity: number): number;
  nameServers(first: number, second: number): void;
  hostName(at: number, bytes: number): void;
  announceHttp(port: number): void;
  goodbye(): number;
  counter(index: number): number;
  inUse(table: number): number;
  readyCount(): number;
  tcbState(id: number): number;
  brokenRule(): number;
}
