/** What a socket in any state may be asked: right and wrong arguments, flags and options. */
import { DGRAM, MSG, STREAM, type Calls } from "./calls.js";
import { closedPort, datagram, listener, type Result } from "./ends.js";
import { unixNamed, type State } from "./misuse-states.js";

/** A call on a socket in its state. */
export interface Misuse {
  title: string;
  run(c: Calls, fd: number): Promise<Result>;
}

const call = (title: string, run: Misuse["run"]): Misuse => ({ title, run });

/** What a descriptor or a length may be is no matter: whether there is one is. */
const sign = async (result: Promise<number>): Promise<number> => Math.min(await result, 0);

const [OOB, UNKNOWN, DONTROUTE, ERRQUEUE] = [1, 0x00800000, 4, 0x2000];

/** Calls with addresses of the internet. */
const ADDRESSED: Misuse[] = [
  call("bind to a free port", (c, fd) => c.bind(fd, 0)),
  call("bind to a port in use", async (c, fd) => {
    const [stream, other] = [await listener(c), await datagram(c)];
    return [await c.bind(fd, stream.port), await c.bind(fd, other.port)].join();
  }),
  call("bind to an address that is not ours", (c, fd) => c.bind(fd, 0, 0x08080808)),
  call("bind to a broadcast address", (c, fd) => c.bind(fd, 0, 0xffffffff)),
  call("connect to a listener, twice", async (c, fd) => {
    const { port } = await listener(c);
    const first = await c.connect(fd, port);
    await c.pause();
    return `${first},${await c.connect(fd, port)}`;
  }),
  call("connect to a closed port, twice", async (c, fd) => {
    const port = await closedPort(c, STREAM);
    const first = await c.connect(fd, port);
    await c.pause();
    return `${first},${await c.connect(fd, port)}`;
  }),
  call("connect to a broadcast address", (c, fd) => c.connect(fd, 9, 0xffffffff)),
  call("connect to a group", (c, fd) => c.connect(fd, 9, 0xe0000102)),
  call("connect to nobody", (c, fd) => c.dissolve(fd)),
  call("sendto", async (c, fd) => c.sendto(fd, "x", (await datagram(c)).port)),
  call("sendto port 0", (c, fd) => c.sendto(fd, "x", 0)),
  call("sendto nothing", async (c, fd) => c.sendto(fd, "", (await datagram(c)).port)),
  call("sendto a broadcast address", (c, fd) => c.sendto(fd, "x", 9, 0xffffffff)),
  call("sendto too much", async (c, fd) =>
    sign(c.sendto(fd, "x".repeat(65530), (await datagram(c)).port)),
  ),
  call("local name", (c, fd) => sign(c.localPort(fd))),
  call("peer's name", (c, fd) => sign(c.peerPort(fd))),
];

/** Calls with names. */
const NAMED: Misuse[] = [
  call("bind to a name", (c, fd) => c.bindName(fd, "fresh")),
  call("bind to a name in use", async (c, fd) => {
    await unixNamed(c, STREAM, "taken");
    await unixNamed(c, DGRAM, "taken");
    return c.bindName(fd, "taken");
  }),
  call("connect to a name that nobody has", (c, fd) => c.connectName(fd, "nobody")),
  call("connect to a listener, twice", async (c, fd) => {
    await c.listen(await unixNamed(c, STREAM, "listens"), 4);
    return `${await c.connectName(fd, "listens")},${await c.connectName(fd, "listens")}`;
  }),
  call("connect to a datagram socket, twice", async (c, fd) => {
    await unixNamed(c, DGRAM, "hears");
    return `${await c.connectName(fd, "hears")},${await c.connectName(fd, "hears")}`;
  }),
  call("sendto a name", async (c, fd) => {
    await unixNamed(c, DGRAM, "hears");
    return c.sendtoName(fd, "x", "hears");
  }),
  call("sendto a name that nobody has", (c, fd) => c.sendtoName(fd, "x", "nobody")),
  call("peer's name", async (c, fd) => {
    const name = await c.peerName(fd);
    return typeof name === "number" ? name : "a name";
  }),
];

const FLAGS: [name: string, flags: number][] = [
  ["MSG_OOB", OOB],
  ["MSG_DONTROUTE", DONTROUTE],
  ["MSG_WAITALL", MSG.WAITALL],
  ["MSG_PEEK", MSG.PEEK],
  ["MSG_TRUNC", MSG.TRUNC],
  ["MSG_ERRQUEUE", ERRQUEUE],
  ["a flag that nobody knows", UNKNOWN],
];

const PLAIN: Misuse[] = [
  ...[1, 0, -1, 0x7fffffff, -0x80000000].map((backlog) =>
    call(`listen ${backlog}`, (c, fd) => c.listen(fd, backlog)),
  ),
  call("accept, twice", async (c, fd) => `${await sign(c.accept(fd))},${await sign(c.accept(fd))}`),
  call("send", (c, fd) => c.send(fd, "x")),
  call("send, twice", async (c, fd) => `${await c.send(fd, "x")},${await c.send(fd, "x")}`),
  call("send nothing", (c, fd) => c.send(fd, "")),
  call("send too much", (c, fd) => sign(c.send(fd, "x".repeat(65530)))),
  ...FLAGS.map(([name, flags]) => call(`send with ${name}`, (c, fd) => c.send(fd, "x", flags))),
  call("recv, twice", async (c, fd) => `${await c.recv(fd)},${await c.recv(fd)}`),
  call("recv nothing", (c, fd) => c.recv(fd, 0)),
  ...FLAGS.map(([name, flags]) => call(`recv with ${name}`, (c, fd) => c.recv(fd, 4096, flags))),
  call("an error of the queue", (c, fd) => c.recvError(fd)),
  ...[0, 1, 2, 3, -1, 0x7fffffff].map((how) =>
    call(`shutdown ${how}, twice`, async (c, fd) =>
      [await c.shutdown(fd, how), await c.shutdown(fd, how)].join(),
    ),
  ),
  call("poll", (c, fd) => c.poll(fd)),
  call("dup, and both closed", async (c, fd) => {
    const second = await c.dup(fd);
    const ends = [await c.close(fd), await c.close(fd), await c.poll(fd)];
    return [Math.min(second, 0), ...ends, await c.close(second)].join();
  }),
];

/** Options by level, number, and whether what they are at first is the same everywhere. */
const OPTIONS: [name: string, level: number, option: number, shown?: boolean][] = [
  ["SO_REUSEADDR", 1, 2, true],
  ["SO_TYPE", 1, 3, true],
  ["SO_ERROR", 1, 4, true],
  ["SO_BROADCAST", 1, 6, true],
  ["SO_SNDBUF", 1, 7],
  ["SO_RCVBUF", 1, 8],
  ["SO_KEEPALIVE", 1, 9, true],
  ["SO_OOBINLINE", 1, 10],
  ["SO_REUSEPORT", 1, 15, true],
  ["SO_RCVLOWAT", 1, 18, true],
  ["SO_ACCEPTCONN", 1, 30, true],
  ["SO_PROTOCOL", 1, 38, true],
  ["SO_DOMAIN", 1, 39, true],
  ["option 9999 of sockets", 1, 9999],
  ["option -1 of sockets", 1, -1],
  ["IP_TOS", 0, 1, true],
  ["IP_TTL", 0, 2, true],
  ["IP_PKTINFO", 0, 8, true],
  ["IP_RECVERR", 0, 11, true],
  ["IP_MULTICAST_TTL", 0, 33, true],
  ["IP_MULTICAST_LOOP", 0, 34, true],
  ["option 9999 of IP", 0, 9999],
  ["TCP_NODELAY", 6, 1, true],
  ["TCP_MAXSEG", 6, 2],
  ["TCP_CORK", 6, 3, true],
  ["TCP_KEEPIDLE", 6, 4, true],
  ["TCP_KEEPINTVL", 6, 5, true],
  ["TCP_KEEPCNT", 6, 6, true],
  ["TCP_DEFER_ACCEPT", 6, 9, true],
  ["TCP_QUICKACK", 6, 12],
  ["TCP_USER_TIMEOUT", 6, 18, true],
  ["option 9999 of TCP", 6, 9999],
  ["an option of UDP", 17, 9999],
  ["ICMP_FILTER", 255, 1],
  ["an option of a level that nobody has", 77, 1],
  ["an option of level -1", -1, 1],
];

const VALUES = [0, 1, -1, 0x7fffffff, -0x80000000];

/** Each option read, and set to one value of those that it may be set to. */
function optionCalls(choose: (below: number) => number): Misuse[] {
  return OPTIONS.flatMap(([name, level, option, shown]) => {
    const value = VALUES[choose(VALUES.length)] as number;
    return [
      call(`getsockopt ${name}`, async (c, fd) => {
        const told = await c.getOption(fd, level, option);
        return shown ? told : Math.min(told, 0);
      }),
      call(`setsockopt ${name} ${value}`, (c, fd) => c.setOption(fd, level, option, value)),
    ];
  });
}

/** The calls that a state is asked. */
export function callsFor({ local: names }: State, choose: (below: number) => number): Misuse[] {
  return [...(names ? NAMED : ADDRESSED), ...PLAIN, ...optionCalls(choose)];
}
