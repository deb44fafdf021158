/** More of sockets, addresses and options of AF_INET. */
import { DGRAM, E, ERR, HUP, IN, IP, MSG, OUT, SHUT, SO, SOL, STREAM } from "./calls.js";
import { closedPort, datagram, listener, pair, type Behaviour } from "./ends.js";

const TCP = { NODELAY: 1, CORK: 3, KEEPIDLE: 4, KEEPINTVL: 5, KEEPCNT: 6, USER_TIMEOUT: 18 };
const KEEPALIVE = 9;
const [HERE, THERE] = [0x7f000001, 0x7f000002];

export const MORE: Behaviour[] = [
  {
    title: "datagrams: shutdown needs a peer; then send is EPIPE",
    run: async (c) => {
      const [a, b] = [await datagram(c), await datagram(c)];
      const before = [await c.shutdown(a.fd, SHUT.WR), await c.shutdown(a.fd, 7)];
      await c.connect(a.fd, b.port);
      await c.sendto(b.fd, "left", a.port);
      return [
        ...before,
        await c.shutdown(a.fd, 7),
        await c.shutdown(a.fd, SHUT.WR),
        await c.send(a.fd, "x"),
        (await c.poll(a.fd)) & (IN | HUP | ERR),
        await c.shutdown(a.fd, SHUT.RD),
        await c.recv(a.fd),
        await c.recv(a.fd),
        (await c.poll(a.fd)) & (IN | HUP | ERR),
      ];
    },
    expect: [E.NOTCONN, E.INVAL, E.INVAL, 0, E.PIPE, IN, 0, "left", E.AGAIN, IN | HUP],
  },
  {
    title: "datagrams: MSG_TRUNC tells the whole length, with MSG_PEEK too",
    run: async (c) => {
      const { fd, port } = await datagram(c);
      await c.sendto(await c.socket(DGRAM), "0123456789", port);
      return [
        await c.recvLength(fd, 4, MSG.TRUNC | MSG.PEEK),
        await c.recvLength(fd, 4, MSG.PEEK),
        await c.recvLength(fd, 4, MSG.TRUNC),
        await c.recvLength(fd, 4, MSG.TRUNC),
      ];
    },
    expect: [10, 4, 10, E.AGAIN],
  },
  {
    title: "datagrams: another peer, none again; sendto elsewhere from a connected socket",
    run: async (c) => {
      const [y, z] = [await datagram(c), await datagram(c)];
      // A port that was asked for: one that was only given is gone with the peer on Linux.
      const x = { fd: await c.socket(DGRAM), port: await closedPort(c, DGRAM) };
      await c.bind(x.fd, x.port);
      return [
        await c.connect(x.fd, y.port),
        await c.sendto(x.fd, "to z", z.port),
        await c.recv(z.fd),
        await c.connect(x.fd, z.port),
        await c.peerPort(x.fd).then((port) => port === z.port),
        await c.sendto(y.fd, "from y", x.port),
        await c.recv(x.fd),
        await c.dissolve(x.fd),
        await c.peerPort(x.fd),
        await c.localPort(x.fd).then((port) => port === x.port),
        await c.sendto(y.fd, "from y", x.port),
        await c.recv(x.fd),
        await c.send(x.fd, "x"),
      ];
    },
    expect: [
      ...[0, 4, "to z", 0, true, 6, E.AGAIN, 0, E.NOTCONN, true, 6, "from y", E.DESTADDRREQ],
    ],
  },
  {
    title: "datagrams: what waits stays when a peer is chosen; bound by the first send",
    run: async (c) => {
      const [x, y] = [await datagram(c), await datagram(c)];
      const z = await c.socket(DGRAM);
      const unbound = await c.localPort(z);
      await c.sendto(z, "early", x.port);
      return [
        unbound,
        (await c.localPort(z)) > 1023,
        await c.connect(x.fd, y.port),
        await c.recv(x.fd),
        await c.listen(z, 1),
        await c.accept(z),
      ];
    },
    expect: [0, true, 0, "early", E.OPNOTSUPP, E.OPNOTSUPP],
  },
  {
    title: "one port at several addresses; the wildcard overlaps all",
    run: async (c) => {
      const a = await c.socket(DGRAM);
      await c.bind(a, 0, HERE);
      const port = await c.localPort(a);
      const b = await c.socket(DGRAM);
      const s = await c.socket(STREAM);
      await c.bind(s, 0, HERE);
      const streamPort = await c.localPort(s);
      return [
        await c.bind(b, port, THERE),
        await c.bind(await c.socket(DGRAM), port, 0),
        await c.sendto(a, "there", port, THERE),
        await c.recv(b),
        await c.recv(a),
        await c.bind(await c.socket(STREAM), streamPort, THERE),
        await c.bind(await c.socket(STREAM), streamPort, 0),
        await c.bind(await c.socket(STREAM), streamPort, HERE),
      ];
    },
    expect: [0, E.ADDRINUSE, 5, "there", E.AGAIN, 0, E.ADDRINUSE, E.ADDRINUSE],
  },
  {
    title: "streams: listen without bind has a port; names of a listener; a second listener",
    run: async (c) => {
      const fd = await c.socket(STREAM);
      const listening = await c.listen(fd, 1);
      const port = await c.localPort(fd);
      const other = await c.socket(STREAM);
      return [
        listening,
        port > 1023,
        await c.peerPort(fd),
        await c.bind(other, port, 0),
        await c.shutdown(other, SHUT.WR),
        (await c.poll(fd)) & (IN | ERR | HUP),
        await c.recv(fd),
      ];
    },
    expect: [0, true, E.NOTCONN, E.ADDRINUSE, E.NOTCONN, 0, E.NOTCONN],
  },
  {
    title:
      "streams: what a client sent before accept waits; closed before accept: text, then the end",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const a = await c.socket(STREAM);
      await c.connect(a, port);
      const early = [(await c.poll(fd)) & IN, await c.send(a, "early"), await c.close(a)];
      const b = await c.accept(fd);
      return [...early, await c.recv(b), await c.recv(b), (await c.poll(fd)) & IN];
    },
    expect: [IN, 5, 0, "early", "", 0],
  },
  {
    title: "streams: sendto ignores its address; nothing to send; reading nothing",
    run: async (c) => {
      const { a, b } = await pair(c);
      return [
        await c.sendto(a, "text", 9, 0x08080808),
        await c.recv(b, 0),
        await c.recv(b),
        await c.sendto(a, "", 9),
        await c.recv(b),
      ];
    },
    expect: [4, "", "text", 0, E.AGAIN],
  },
  {
    title: "streams: both shut from one end; EPIPE; the other end may still read",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.send(a, "last");
      return [
        await c.shutdown(a, SHUT.RDWR),
        await c.send(a, "x"),
        await c.recv(a),
        await c.recv(b),
        await c.recv(b),
        await c.close(b),
      ];
    },
    expect: [0, E.PIPE, "", "last", "", 0],
  },
  {
    title: "SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_BROADCAST of both types",
    run: async (c) => {
      const s = await c.socket(STREAM);
      const u = await c.socket(DGRAM);
      return [
        await c.getOption(s, SOL.SOCKET, SO.DOMAIN),
        await c.getOption(u, SOL.SOCKET, SO.DOMAIN),
        await c.getOption(s, SOL.SOCKET, SO.PROTOCOL),
        await c.getOption(u, SOL.SOCKET, SO.PROTOCOL),
        await c.getOption(s, SOL.SOCKET, SO.ERROR),
        await c.getOption(u, SOL.SOCKET, SO.ERROR),
        await c.getOption(s, SOL.SOCKET, SO.BROADCAST),
        await c.setOption(u, SOL.SOCKET, SO.BROADCAST, 7),
        await c.getOption(u, SOL.SOCKET, SO.BROADCAST),
        await c.setOption(s, SOL.SOCKET, SO.TYPE, 1),
        await c.setOption(s, SOL.SOCKET, SO.ERROR, 1),
        await c.setOption(s, SOL.SOCKET, SO.ACCEPTCONN, 1),
      ];
    },
    expect: [2, 2, 6, 17, 0, 0, 0, 0, 1, E.NOPROTOOPT, E.NOPROTOOPT, E.NOPROTOOPT],
  },
  {
    title: "keep-alive and user timeout: what they are at first, range, reading back",
    run: async (c) => {
      const s = await c.socket(STREAM);
      const u = await c.socket(DGRAM);
      const results = [await c.getOption(s, SOL.SOCKET, KEEPALIVE)];
      for (const option of [TCP.KEEPIDLE, TCP.KEEPINTVL, TCP.KEEPCNT, TCP.USER_TIMEOUT])
        results.push(await c.getOption(s, SOL.TCP, option));
      for (const option of [TCP.KEEPIDLE, TCP.KEEPINTVL, TCP.KEEPCNT])
        results.push(await c.setOption(s, SOL.TCP, option, 0));
      results.push(await c.setOption(s, SOL.TCP, TCP.KEEPIDLE, 32768));
      results.push(await c.setOption(s, SOL.TCP, TCP.KEEPCNT, 128));
      results.push(await c.setOption(s, SOL.TCP, TCP.USER_TIMEOUT, -1));
      results.push(await c.setOption(s, SOL.TCP, TCP.KEEPIDLE, 30));
      results.push(await c.getOption(s, SOL.TCP, TCP.KEEPIDLE));
      results.push(await c.setOption(s, SOL.SOCKET, KEEPALIVE, 1));
      results.push(await c.getOption(s, SOL.SOCKET, KEEPALIVE));
      results.push(await c.setOption(u, SOL.TCP, TCP.KEEPIDLE, 1));
      return results;
    },
    expect: [
      ...[0, 7200, 75, 9, 0, E.INVAL, E.INVAL, E.INVAL, E.INVAL, E.INVAL, E.INVAL],
      ...[0, 30, 0, 1, E.NOPROTOOPT],
    ],
  },
  {
    title: "IP_TTL: -1 is the system's; IP_TOS: the bits of ECN stay ours on a stream",
    run: async (c) => {
      const s = await c.socket(STREAM);
      return [
        await c.setOption(s, SOL.IP, IP.TTL, 9),
        await c.setOption(s, SOL.IP, IP.TTL, -1),
        await c.getOption(s, SOL.IP, IP.TTL),
        await c.setOption(s, SOL.IP, IP.TOS, 0x2b),
        await c.getOption(s, SOL.IP, IP.TOS),
        await c.setOption(s, SOL.IP, 9999, 1),
        await c.getOption(s, SOL.IP, 9999),
        await c.getOption(s, 9999, 1),
      ];
    },
    expect: [0, 0, 64, 0, 0x28, E.NOPROTOOPT, E.NOPROTOOPT, E.OPNOTSUPP],
  },
  {
    title: "poll: a datagram socket is writable; a listener with somebody waiting is readable",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const results = [await c.poll(await c.socket(DGRAM)), await c.poll(fd)];
      const a = await c.socket(STREAM);
      await c.connect(a, port);
      const ready = (await c.poll(fd)) & IN;
      await c.close(await c.accept(fd));
      return [
        ...results,
        ready,
        (await c.poll(fd)) & IN,
        (await c.poll(a)) & (IN | OUT | HUP | ERR),
      ];
    },
    expect: [OUT, 0, IN, 0, IN | OUT],
  },
];
