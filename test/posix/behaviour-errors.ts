/** Errors of datagrams: IP_RECVERR and its queue. */
import { DGRAM, E, ERR, IP, SO, SOL, STREAM, type Calls } from "./calls.js";
import { closedPort, datagram, pair, type Behaviour } from "./ends.js";

/** An error of the queue, without the port, which nobody can foresee. */
async function error(c: Calls, fd: number, port: number): Promise<string | number> {
  const told = await c.recvError(fd);
  return typeof told === "string" ? told.replace(`:${port},`, ":PORT,") : told;
}

/** "Port unreachable" of 127.0.0.1: ECONNREFUSED, by ICMP, type 3, code 3. */
const REFUSED = "111 2 3 3, to 127.0.0.1:PORT, by 127.0.0.1, 0";

export const ERRORS: Behaviour[] = [
  {
    title: "IP_RECVERR is off at first, on and off again; streams may have it",
    run: async (c) => {
      const u = await c.socket(DGRAM);
      const s = await c.socket(STREAM);
      return [
        await c.getOption(u, SOL.IP, IP.RECVERR),
        await c.setOption(u, SOL.IP, IP.RECVERR, 1),
        await c.getOption(u, SOL.IP, IP.RECVERR),
        await c.setOption(u, SOL.IP, IP.RECVERR, 0),
        await c.getOption(u, SOL.IP, IP.RECVERR),
        await c.setOption(s, SOL.IP, IP.RECVERR, 1),
      ];
    },
    expect: [0, 0, 1, 0, 0, 0],
  },
  {
    title: "without IP_RECVERR a socket without a peer hears nothing of errors; the queue is empty",
    run: async (c) => {
      const u = await c.socket(DGRAM);
      const port = await closedPort(c, DGRAM);
      const sent = await c.sendto(u, "lost", port);
      await c.pause();
      return [sent, (await c.poll(u)) & ERR, await c.recv(u), await error(c, u, port)];
    },
    expect: [4, 0, E.AGAIN, E.AGAIN],
  },
  {
    title:
      "with IP_RECVERR a socket without a peer is told once, and the queue says who and where; POLLERR while it is not empty",
    run: async (c) => {
      const u = await c.socket(DGRAM);
      const port = await closedPort(c, DGRAM);
      await c.setOption(u, SOL.IP, IP.RECVERR, 1);
      const sent = await c.sendto(u, "lost", port);
      await c.pause();
      return [
        sent,
        (await c.poll(u)) & ERR,
        await c.recv(u),
        await c.recv(u),
        (await c.poll(u)) & ERR,
        await error(c, u, port),
        (await c.poll(u)) & ERR,
        await error(c, u, port),
      ];
    },
    expect: [4, ERR, E.CONNREFUSED, E.AGAIN, ERR, REFUSED, 0, E.AGAIN],
  },
  {
    title: "errors come out in order; taking one tells of the next one, the last one of none",
    run: async (c) => {
      const u = await c.socket(DGRAM);
      const [x, y] = [await closedPort(c, DGRAM), await closedPort(c, DGRAM)];
      await c.setOption(u, SOL.IP, IP.RECVERR, 1);
      await c.sendto(u, "one", x);
      await c.pause();
      const told = await c.sendto(u, "two", y);
      await c.sendto(u, "two", y);
      await c.pause();
      return [
        told,
        await error(c, u, x),
        await c.getOption(u, SOL.SOCKET, SO.ERROR),
        await error(c, u, y),
        await c.getOption(u, SOL.SOCKET, SO.ERROR),
        await c.recv(u),
      ];
    },
    expect: [E.CONNREFUSED, REFUSED, -E.CONNREFUSED, REFUSED, 0, E.AGAIN],
  },
  {
    title: "a connected socket has the queue, too; IP_RECVERR 0 empties it",
    run: async (c) => {
      const u = await c.socket(DGRAM);
      const port = await closedPort(c, DGRAM);
      await c.setOption(u, SOL.IP, IP.RECVERR, 1);
      await c.connect(u, port);
      await c.send(u, "x");
      await c.pause();
      const first = await error(c, u, port);
      const free = await c.send(u, "x");
      await c.pause();
      const off = await c.setOption(u, SOL.IP, IP.RECVERR, 0);
      return [first, free, off, await error(c, u, port), await c.recv(u), await c.recv(u)];
    },
    expect: [REFUSED, 1, 0, E.AGAIN, E.CONNREFUSED, E.AGAIN],
  },
  {
    title: "the errors of one socket are not those of another one; datagrams are not in the queue",
    run: async (c) => {
      const [x, y] = [await datagram(c), await datagram(c)];
      const port = await closedPort(c, DGRAM);
      await c.setOption(x.fd, SOL.IP, IP.RECVERR, 1);
      await c.setOption(y.fd, SOL.IP, IP.RECVERR, 1);
      await c.sendto(x.fd, "lost", port);
      await c.sendto(x.fd, "here", y.port);
      await c.pause();
      const sent = await c.sendto(x.fd, "here", y.port);
      return [
        sent,
        await error(c, y.fd, port),
        await c.recv(y.fd),
        await c.close(x.fd),
        await error(c, x.fd, port),
        await error(c, y.fd, port),
      ];
    },
    expect: [4, E.AGAIN, "here", 0, E.BADF, E.AGAIN],
  },
  {
    title: "the queue of a stream is empty",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.send(b, "text");
      return [await c.recvError(a), await c.recv(a)];
    },
    expect: [E.AGAIN, "text"],
  },
];
