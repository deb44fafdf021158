/** dup(), and options that few applications have. */
import { DGRAM, E, IN, IP, MSG, NVAL, OUT, SHUT, SO, SOL, STREAM, UNIX } from "./calls.js";
import { datagram, listener, pair, type Behaviour } from "./ends.js";

const TCP = { NODELAY: 1, MAXSEG: 2, DEFER_ACCEPT: 9, CONGESTION: 13 };

export const FEW: Behaviour[] = [
  {
    title:
      "dup: two descriptors of one connection; it lives until both are closed, in either order",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.setOption(a, SOL.TCP, TCP.NODELAY, 1);
      await c.setOption(b, SOL.TCP, TCP.NODELAY, 1);
      const other = await c.dup(b);
      const results = [
        other !== b,
        await c.send(other, "by one"),
        await c.send(b, " and the other"),
        await c.recv(a),
        await c.setOption(other, SOL.TCP, TCP.NODELAY, 0),
        await c.getOption(b, SOL.TCP, TCP.NODELAY),
        await c.setOption(b, SOL.TCP, TCP.NODELAY, 1),
        await c.close(b),
        await c.send(b, "x"),
        await c.poll(b),
        await c.recv(a),
        await c.send(other, "still"),
        await c.recv(a),
      ];
      const third = await c.dup(other);
      return [
        ...results,
        await c.close(third),
        await c.send(other, "here"),
        await c.recv(a),
        await c.close(other),
        await c.recv(a),
        await c.dup(other),
        await c.close(other),
      ];
    },
    expect: [
      ...[true, 6, 14, "by one and the other", 0, 0, 0, 0, E.BADF, NVAL, E.AGAIN, 5, "still"],
      ...[0, 4, "here", 0, "", E.BADF, E.BADF],
    ],
  },
  {
    title: "dup: of a listener, of a datagram socket, of a descriptor that was made by it",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const second = await c.dup(await c.dup(fd));
      await c.close(fd);
      const a = await c.socket(STREAM);
      await c.connect(a, port);
      const b = await c.accept(second);
      const u = await datagram(c);
      const v = await c.dup(u.fd);
      return [
        await c.getOption(second, SOL.SOCKET, SO.ACCEPTCONN),
        (await c.localPort(b)) === port,
        // The listener's first descriptor is closed; the connection's is not.
        await c.close(await c.dup(b)),
        await c.shutdown(b, SHUT.WR),
        await c.recv(a),
        await c.close(u.fd),
        await c.sendto(v, "to ourselves", u.port),
        await c.recv(v),
        (await c.localPort(v)) === u.port,
        await c.close(v),
        await c.bind(await c.socket(DGRAM), u.port),
      ];
    },
    expect: [1, true, 0, 0, "", 0, 12, "to ourselves", true, 0, 0],
  },
  {
    title:
      "SO_RCVLOWAT: range; a connection is readable with so much text, at its end, or when it is read anyway",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.setOption(a, SOL.TCP, TCP.NODELAY, 1);
      await c.setOption(b, SOL.TCP, TCP.NODELAY, 1);
      const u = await datagram(c);
      const results = [
        await c.getOption(b, SOL.SOCKET, SO.RCVLOWAT),
        await c.setOption(b, SOL.SOCKET, SO.RCVLOWAT, 0),
        await c.getOption(b, SOL.SOCKET, SO.RCVLOWAT),
        await c.setOption(b, SOL.SOCKET, SO.RCVLOWAT, 5),
        await c.getOption(b, SOL.SOCKET, SO.RCVLOWAT),
        await c.send(a, "four"),
        (await c.poll(b)) & IN,
        await c.send(a, "!"),
        (await c.poll(b)) & IN,
        await c.recv(b, 2),
        (await c.poll(b)) & IN,
        await c.recv(b),
        await c.send(a, "end"),
        await c.shutdown(a, SHUT.WR),
        (await c.poll(b)) & IN,
      ];
      return [
        ...results,
        await c.setOption(u.fd, SOL.SOCKET, SO.RCVLOWAT, 100),
        await c.getOption(u.fd, SOL.SOCKET, SO.RCVLOWAT),
        await c.sendto(u.fd, "x", u.port),
        (await c.poll(u.fd)) & IN,
      ];
    },
    expect: [1, 0, 1, 0, 5, 4, 0, 1, IN, "fo", 0, "ur!", 3, 0, IN, 0, 100, 1, IN],
  },
  {
    title: "SO_RCVLOWAT: inherited by accept; -1 is as much as there can be",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const set = await c.setOption(fd, SOL.SOCKET, SO.RCVLOWAT, 7);
      await c.connect(await c.socket(STREAM), port);
      const child = await c.accept(fd);
      return [
        set,
        await c.getOption(child, SOL.SOCKET, SO.RCVLOWAT),
        await c.setOption(child, SOL.SOCKET, SO.RCVLOWAT, -1),
        (await c.getOption(child, SOL.SOCKET, SO.RCVLOWAT)) > 1000,
      ];
    },
    expect: [0, 7, 0, true],
  },
  {
    title: "SO_RCVBUF, SO_SNDBUF: may be set; what they are is told",
    run: async (c) => {
      const fd = await c.socket(STREAM);
      const u = await c.socket(DGRAM);
      return [
        await c.setOption(fd, SOL.SOCKET, SO.RCVBUF, 4096),
        (await c.getOption(fd, SOL.SOCKET, SO.RCVBUF)) > 0,
        await c.setOption(fd, SOL.SOCKET, SO.SNDBUF, 4096),
        (await c.getOption(fd, SOL.SOCKET, SO.SNDBUF)) > 0,
        await c.setOption(u, SOL.SOCKET, SO.RCVBUF, 1),
        await c.setOption(u, SOL.SOCKET, SO.SNDBUF, 1),
        await c.setOption(await c.socket(STREAM, 0, UNIX), SOL.SOCKET, SO.SNDBUF, 4096),
      ];
    },
    expect: [0, true, 0, true, 0, 0, 0],
  },
  {
    title: "SO_BINDTODEVICE: no such device; to the one that is used; none again",
    run: async (c) => {
      const u = await datagram(c);
      const v = await c.socket(DGRAM);
      return [
        await c.getName(v, SOL.SOCKET, SO.BINDTODEVICE),
        await c.setName(v, SOL.SOCKET, SO.BINDTODEVICE, "nosuch0"),
        await c.setName(v, SOL.SOCKET, SO.BINDTODEVICE, "lo"),
        await c.getName(v, SOL.SOCKET, SO.BINDTODEVICE),
        await c.sendto(v, "near", u.port),
        await c.recv(u.fd),
        await c.setName(v, SOL.SOCKET, SO.BINDTODEVICE, ""),
        await c.getName(v, SOL.SOCKET, SO.BINDTODEVICE),
        await c.sendto(v, "any", u.port),
        await c.recv(u.fd),
      ];
    },
    expect: ["", E.NODEV, 0, "lo", 4, "near", 0, "", 3, "any"],
    privileged: true,
  },
  {
    title: "SO_BINDTODEVICE: a listener of the loopback device, and a connection by it",
    run: async (c) => {
      const fd = await c.socket(STREAM);
      const set = await c.setName(fd, SOL.SOCKET, SO.BINDTODEVICE, "lo");
      await c.bind(fd, 0);
      await c.listen(fd, 1);
      const a = await c.socket(STREAM);
      await c.setName(a, SOL.SOCKET, SO.BINDTODEVICE, "lo");
      await c.connect(a, await c.localPort(fd));
      const b = await c.accept(fd);
      return [set, await c.send(a, "in"), await c.recv(b)];
    },
    expect: [0, 2, "in"],
    privileged: true,
  },
  {
    title: "TCP_MAXSEG: range, what it is at first, and what it makes of a connection",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const a = await c.socket(STREAM);
      const results = [
        await c.getOption(a, SOL.TCP, TCP.MAXSEG),
        await c.setOption(a, SOL.TCP, TCP.MAXSEG, 87),
        await c.setOption(a, SOL.TCP, TCP.MAXSEG, 32768),
        await c.setOption(a, SOL.TCP, TCP.MAXSEG, -1),
        await c.setOption(a, SOL.TCP, TCP.MAXSEG, 600),
        await c.getOption(a, SOL.TCP, TCP.MAXSEG),
      ];
      await c.connect(a, port);
      const b = await c.accept(fd);
      const text = "x".repeat(2000);
      const sizes = [
        (await c.getOption(a, SOL.TCP, TCP.MAXSEG)) <= 600,
        (await c.getOption(b, SOL.TCP, TCP.MAXSEG)) <= 600,
      ];
      await c.setOption(fd, SOL.TCP, TCP.MAXSEG, 300);
      const d = await c.socket(STREAM);
      await c.connect(d, port);
      const e = await c.accept(fd);
      return [
        ...results,
        ...sizes,
        (await c.getOption(d, SOL.TCP, TCP.MAXSEG)) <= 300,
        (await c.getOption(e, SOL.TCP, TCP.MAXSEG)) <= 300,
        await c.send(a, text),
        (await c.recv(b, 4096)) === text,
        await c.setOption(await c.socket(DGRAM), SOL.TCP, TCP.MAXSEG, 600),
      ];
    },
    expect: [
      536,
      E.INVAL,
      E.INVAL,
      E.INVAL,
      0,
      600,
      true,
      true,
      true,
      true,
      2000,
      true,
      E.NOPROTOOPT,
    ],
  },
  {
    title: "TCP_DEFER_ACCEPT: a time in steps; who has sent nothing is not accepted",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const results = [await c.getOption(fd, SOL.TCP, TCP.DEFER_ACCEPT)];
      for (const seconds of [1, 2, 5, 0, -3, 30]) {
        results.push(await c.setOption(fd, SOL.TCP, TCP.DEFER_ACCEPT, seconds));
        results.push(await c.getOption(fd, SOL.TCP, TCP.DEFER_ACCEPT));
      }
      const a = await c.socket(STREAM);
      await c.connect(a, port);
      const silent = [(await c.poll(a)) & OUT, (await c.poll(fd)) & IN, await c.accept(fd)];
      const sent = await c.send(a, "now");
      const ready = (await c.poll(fd)) & IN;
      const b = await c.accept(fd);
      return [...results, ...silent, sent, ready, await c.recv(b)];
    },
    expect: [0, 0, 1, 0, 3, 0, 7, 0, 0, 0, 0, 0, 31, OUT, 0, E.AGAIN, 3, IN, "now"],
  },
  {
    title: "TCP_CONGESTION: its name; that name; one that there is not",
    run: async (c) => {
      const fd = await c.socket(STREAM);
      const name = (await c.getName(fd, SOL.TCP, TCP.CONGESTION)) as string;
      return [
        name.length > 2,
        await c.setName(fd, SOL.TCP, TCP.CONGESTION, name),
        await c.setName(fd, SOL.TCP, TCP.CONGESTION, "nosuch"),
        (await c.getName(fd, SOL.TCP, TCP.CONGESTION)) === name,
      ];
    },
    expect: [true, 0, E.NOENT, true],
  },
  {
    title:
      "TCP_CONGESTION: reno is chosen for a listener; what it accepts has it, what connects has not, and may change it",
    run: async (c) => {
      const usual = await c.getName(await c.socket(STREAM), SOL.TCP, TCP.CONGESTION);
      const { fd, port } = await listener(c);
      const set = await c.setName(fd, SOL.TCP, TCP.CONGESTION, "reno");
      const a = await c.socket(STREAM);
      await c.connect(a, port);
      const b = await c.accept(fd);
      const names = [];
      for (const s of [fd, b]) names.push(await c.getName(s, SOL.TCP, TCP.CONGESTION));
      const other = (await c.getName(a, SOL.TCP, TCP.CONGESTION)) === usual;
      const changed = await c.setName(a, SOL.TCP, TCP.CONGESTION, "reno");
      return [set, ...names, other, changed, await c.getName(a, SOL.TCP, TCP.CONGESTION)];
    },
    expect: [0, "reno", "reno", true, 0, "reno"],
  },
  {
    title: "IP_PKTINFO: the address that a datagram was sent to, while it is asked for",
    run: async (c) => {
      const u = await c.socket(DGRAM);
      await c.bind(u, 0, 0);
      const port = await c.localPort(u);
      const from = await c.socket(DGRAM);
      const results = [
        await c.getOption(u, SOL.IP, IP.PKTINFO),
        await c.sendto(from, "one", port, 0x7f000001),
        await c.recvTo(u),
        await c.setOption(u, SOL.IP, IP.PKTINFO, 1),
        await c.getOption(u, SOL.IP, IP.PKTINFO),
        await c.sendto(from, "two", port, 0x7f000002),
        await c.sendto(from, "three", port, 0x7f000001),
        await c.recvTo(u),
        await c.recvTo(u),
        await c.recvTo(u),
        await c.setOption(u, SOL.IP, IP.PKTINFO, 0),
        await c.getOption(u, SOL.IP, IP.PKTINFO),
      ];
      return [...results, await c.setOption(await c.socket(STREAM), SOL.IP, IP.PKTINFO, 1)];
    },
    expect: [
      ...[0, 3, "one to ?", 0, 1, 3, 5, "two to 127.0.0.2", "three to 127.0.0.1", E.AGAIN, 0, 0],
      0,
    ],
  },
  {
    title: "MSG_NOSIGNAL changes nothing; flags that nobody knows",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.setOption(a, SOL.TCP, TCP.NODELAY, 1);
      await c.setOption(b, SOL.TCP, TCP.NODELAY, 1);
      return [
        await c.send(a, "quiet", MSG.NOSIGNAL),
        await c.recv(b, 4096, MSG.DONTWAIT | MSG.NOSIGNAL),
        await c.send(a, "on", MSG.DONTWAIT),
        await c.recv(b, 1, MSG.PEEK | MSG.DONTWAIT),
        await c.recv(b),
      ];
    },
    expect: [5, "quiet", 2, "o", "on"],
  },
];
