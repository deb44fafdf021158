/** Datagrams and options. */
import { DGRAM, E, ERR, IN, MSG, OUT, SO, SOL, STREAM } from "./calls.js";
import { closedPort, datagram, listener, pair, type Behaviour } from "./ends.js";

export const DATAGRAMS: Behaviour[] = [
  {
    title: "datagrams keep their bounds; a short read loses the rest; an empty one is one",
    run: async (c) => {
      const { fd, port } = await datagram(c);
      const other = await c.socket(DGRAM);
      return [
        await c.recv(fd),
        await c.sendto(other, "first", port),
        await c.sendto(other, "", port),
        await c.sendto(other, "third", port),
        (await c.poll(fd)) & (IN | OUT | ERR),
        await c.recv(fd, 2),
        await c.recv(fd),
        await c.recv(fd, 4096, MSG.PEEK),
        await c.recv(fd),
        await c.recv(fd),
      ];
    },
    expect: [E.AGAIN, 5, 0, 5, IN | OUT, "fi", "", "third", "third", E.AGAIN],
  },
  {
    title: "a connected socket hears its peer only; send goes there",
    run: async (c) => {
      const [x, y, z] = [await datagram(c), await datagram(c), await datagram(c)];
      return [
        await c.connect(x.fd, y.port),
        await c.peerPort(x.fd).then((port) => port === y.port),
        await c.send(x.fd, "to y"),
        await c.recv(y.fd),
        await c.sendto(z.fd, "from z", x.port),
        await c.sendto(y.fd, "from y", x.port),
        await c.recv(x.fd),
        await c.recv(x.fd),
      ];
    },
    expect: [0, true, 4, "to y", 6, 6, "from y", E.AGAIN],
  },
  {
    title: "port unreachable: ECONNREFUSED once, from recv",
    run: async (c) => {
      const { fd } = await datagram(c);
      await c.connect(fd, await closedPort(c, DGRAM));
      return [
        await c.send(fd, "x"),
        (await c.poll(fd)) & ERR,
        await c.recv(fd),
        (await c.poll(fd)) & ERR,
        await c.recv(fd),
      ];
    },
    expect: [1, ERR, E.CONNREFUSED, 0, E.AGAIN],
  },
  {
    title:
      "port unreachable: ECONNREFUSED once, from send; by SO_ERROR; not for an unconnected socket",
    run: async (c) => {
      const port = await closedPort(c, DGRAM);
      const { fd } = await datagram(c);
      await c.connect(fd, port);
      await c.send(fd, "x");
      const told = await c.send(fd, "y");
      await c.send(fd, "z");
      const error = await c.getOption(fd, SOL.SOCKET, SO.ERROR);
      const other = (await datagram(c)).fd;
      await c.sendto(other, "x", port);
      return [told, error, await c.recv(other), await c.sendto(other, "x", port)];
    },
    expect: [E.CONNREFUSED, -E.CONNREFUSED, E.AGAIN, 1],
  },
  {
    title: "a datagram that is too long: EMSGSIZE; port 0: EINVAL",
    run: async (c) => {
      const { fd, port } = await datagram(c);
      return [await c.sendto(fd, "x".repeat(65530), port), await c.sendto(fd, "x", 0)];
    },
    expect: [E.MSGSIZE, E.INVAL],
  },
  {
    title: "broadcast needs SO_BROADCAST",
    run: async (c) => {
      const { fd } = await datagram(c);
      return [
        await c.sendto(fd, "x", 9, 0xffffffff),
        await c.getOption(fd, SOL.SOCKET, SO.BROADCAST),
        await c.setOption(fd, SOL.SOCKET, SO.BROADCAST, 1),
        await c.getOption(fd, SOL.SOCKET, SO.BROADCAST),
      ];
    },
    expect: [E.ACCES, 0, 0, 1],
  },
  {
    title: "SO_REUSEADDR on both lets two share a port",
    run: async (c) => {
      const first = await c.socket(DGRAM);
      await c.setOption(first, SOL.SOCKET, SO.REUSEADDR, 1);
      await c.bind(first, 0);
      const port = await c.localPort(first);
      const second = await c.socket(DGRAM);
      const without = await c.bind(second, port);
      await c.setOption(second, SOL.SOCKET, SO.REUSEADDR, 1);
      return [without, await c.bind(second, port)];
    },
    expect: [E.ADDRINUSE, 0],
  },
];

export const OPTIONS: Behaviour[] = [
  {
    title: "SO_TYPE, SO_ACCEPTCONN, TCP_NODELAY, SO_REUSEADDR as they were set",
    run: async (c) => {
      const { fd } = await listener(c);
      const u = await c.socket(DGRAM);
      return [
        await c.getOption(fd, SOL.SOCKET, SO.TYPE),
        await c.getOption(u, SOL.SOCKET, SO.TYPE),
        await c.getOption(fd, SOL.SOCKET, SO.ACCEPTCONN),
        await c.getOption(u, SOL.SOCKET, SO.ACCEPTCONN),
        await c.getOption(fd, SOL.TCP, 1),
        await c.setOption(fd, SOL.TCP, 1, 1),
        await c.getOption(fd, SOL.TCP, 1),
        await c.setOption(fd, SOL.SOCKET, SO.REUSEADDR, 5),
        await c.getOption(fd, SOL.SOCKET, SO.REUSEADDR),
      ];
    },
    expect: [STREAM, DGRAM, 1, 0, 0, 0, 1, 0, 1],
  },
  {
    title: "options that are not there, or of another kind of socket",
    run: async (c) => {
      const { fd } = await listener(c);
      const u = await c.socket(DGRAM);
      return [
        await c.setOption(fd, SOL.SOCKET, 9999, 1),
        await c.getOption(fd, SOL.SOCKET, 9999),
        await c.setOption(u, SOL.TCP, 1, 1),
        await c.getOption(u, SOL.TCP, 1),
      ];
    },
    expect: [E.NOPROTOOPT, E.NOPROTOOPT, E.NOPROTOOPT, E.OPNOTSUPP],
  },
  {
    title: "IP_TTL and IP_TOS: range, reading back, inherited by accept",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const results = [
        await c.getOption(fd, SOL.IP, 2),
        await c.setOption(fd, SOL.IP, 2, 0),
        await c.setOption(fd, SOL.IP, 2, 256),
        await c.setOption(fd, SOL.IP, 2, 9),
        await c.setOption(fd, SOL.IP, 1, 0x20),
        await c.setOption(fd, SOL.TCP, 1, 1),
      ];
      await c.connect(await c.socket(STREAM), port);
      const child = await c.accept(fd);
      return [
        ...results,
        await c.getOption(child, SOL.IP, 2),
        await c.getOption(child, SOL.IP, 1),
        await c.getOption(child, SOL.TCP, 1),
      ];
    },
    expect: [64, E.INVAL, E.INVAL, 0, 0, 0, 9, 0x20, 1],
  },
  {
    title: "a port of living connections is bound anew only with SO_REUSEADDR",
    run: async (c) => {
      const { listen, port, b } = await pair(c);
      await c.close(listen);
      const fd = await c.socket(STREAM);
      const without = await c.bind(fd, port);
      await c.setOption(b, SOL.SOCKET, SO.REUSEADDR, 1);
      await c.setOption(fd, SOL.SOCKET, SO.REUSEADDR, 1);
      return [without, await c.bind(fd, port), await c.listen(fd, 1)];
    },
    expect: [E.ADDRINUSE, 0, 0],
  },
];
