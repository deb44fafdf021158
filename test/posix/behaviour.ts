/**
 * What the socket calls do, one list for every implementation. A behaviour runs its calls and tells their results; `expect`
 * is what a program may rely on. `ours` is there where our stack differs from the kernel; docs/sockets.md has the reason.
 */
import { DGRAM, E, ERR, HUP, IN, MSG, NVAL, OUT, SHUT, SO, SOL, STREAM } from "./calls.js";
import { closedPort, datagram, listener, pair, type Behaviour } from "./ends.js";
import { ERRORS } from "./behaviour-errors.js";
import { DATAGRAMS, OPTIONS } from "./behaviour-others.js";
import { RAW_SOCKETS } from "./behaviour-raw.js";
import { EPOLL } from "./behaviour-epoll.js";
import { READY } from "./behaviour-ready.js";
import { MORE } from "./behaviour-more.js";
import { GROUPS } from "./behaviour-groups.js";
import { LOCAL_SOCKETS } from "./behaviour-local.js";
import { FEW } from "./behaviour-options.js";
import { SEQUENCES } from "./behaviour-sequences.js";

const CALLS: Behaviour[] = [
  {
    title: "socket: wrong family, type, protocol",
    run: async (c) => [
      await c.socket(STREAM, 0, 99),
      await c.socket(STREAM, 17),
      await c.socket(DGRAM, 6),
      (await c.socket(STREAM, 6)) >= 0,
      (await c.socket(DGRAM, 17)) >= 0,
    ],
    expect: [E.AFNOSUPPORT, E.PROTONOSUPPORT, E.PROTONOSUPPORT, true, true],
  },
  {
    title: "every call on a closed descriptor: EBADF",
    run: async (c) => {
      const fd = await c.socket(STREAM);
      await c.close(fd);
      return [
        await c.bind(fd, 0),
        await c.listen(fd, 1),
        await c.accept(fd),
        await c.connect(fd, 80),
        await c.send(fd, "x"),
        await c.recv(fd),
        await c.shutdown(fd, SHUT.WR),
        await c.setOption(fd, SOL.SOCKET, SO.REUSEADDR, 1),
        await c.close(fd),
        await c.poll(fd),
      ];
    },
    expect: [...Array<number>(9).fill(E.BADF), NVAL],
  },
  {
    title: "calls of streams on a datagram socket",
    run: async (c) => {
      const { fd } = await datagram(c);
      return [await c.listen(fd, 1), await c.accept(fd), await c.send(fd, "x")];
    },
    expect: [E.OPNOTSUPP, E.OPNOTSUPP, E.DESTADDRREQ],
  },
  {
    title: "bind: twice on one socket, to a port in use, to an address that is not ours",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const other = await c.socket(STREAM);
      return [
        await c.bind(fd, 0),
        await c.bind(other, port),
        await c.bind(other, 0, 0x08080808),
        await c.bind(other, 0),
        await c.bind(other, 0),
      ];
    },
    expect: [E.INVAL, E.ADDRINUSE, E.ADDRNOTAVAIL, 0, E.INVAL],
  },
  {
    title: "bind of datagram sockets: twice, after sendto, after connect, port in use",
    run: async (c) => {
      const { fd, port } = await datagram(c);
      const sent = await c.socket(DGRAM);
      await c.sendto(sent, "x", port);
      const connected = await c.socket(DGRAM);
      await c.connect(connected, port);
      return [
        await c.bind(fd, 0),
        await c.bind(sent, 0),
        await c.bind(connected, 0),
        await c.bind(await c.socket(DGRAM), port),
      ];
    },
    expect: [E.INVAL, E.INVAL, E.INVAL, E.ADDRINUSE],
  },
  {
    title: "listen again is allowed; on a connected socket it is not",
    run: async (c) => {
      const { a, listen } = await pair(c);
      return [await c.listen(listen, 8), await c.listen(a, 1)];
    },
    expect: [0, E.INVAL],
  },
  {
    title: "accept: nothing there; not a listener",
    run: async (c) => {
      const { a, listen } = await pair(c);
      return [await c.accept(listen), await c.accept(a), await c.accept(await c.socket(STREAM))];
    },
    expect: [E.AGAIN, E.INVAL, E.INVAL],
  },
];

const CONNECT: Behaviour[] = [
  {
    title:
      "connect: in progress, then connected, then EISCONN; on a listener EISCONN or EOPNOTSUPP",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const a = await c.socket(STREAM);
      return [
        await c.connect(a, port),
        (await c.poll(a)) & (OUT | ERR),
        await c.connect(a, port),
        await c.connect(a, port),
        await c.getOption(a, SOL.SOCKET, SO.ERROR),
        (await c.connect(fd, port)) < 0,
      ];
    },
    expect: [E.INPROGRESS, OUT, 0, E.ISCONN, 0, true],
  },
  {
    title: "refused connect: poll bits, SO_ERROR once, then ECONNABORTED, then a new attempt",
    run: async (c) => {
      const port = await closedPort(c, STREAM);
      const a = await c.socket(STREAM);
      return [
        await c.connect(a, port),
        await c.poll(a),
        await c.getOption(a, SOL.SOCKET, SO.ERROR),
        await c.getOption(a, SOL.SOCKET, SO.ERROR),
        await c.connect(a, port),
        await c.connect(a, port),
      ];
    },
    expect: [E.INPROGRESS, IN | OUT | ERR | HUP, -E.CONNREFUSED, 0, E.CONNABORTED, E.INPROGRESS],
  },
  {
    title: "refused connect: connect tells it once, and the next attempt can succeed",
    run: async (c) => {
      const { port } = await listener(c);
      const a = await c.socket(STREAM);
      const first = await c.connect(a, await closedPort(c, STREAM));
      return [first, await c.connect(a, port), await c.connect(a, port), await c.connect(a, port)];
    },
    expect: [E.INPROGRESS, E.CONNREFUSED, E.INPROGRESS, 0],
  },
  {
    title: "refused connect: recv tells it, then end of stream",
    run: async (c) => {
      const a = await c.socket(STREAM);
      await c.connect(a, await closedPort(c, STREAM));
      return [await c.recv(a), await c.recv(a), await c.send(a, "x")];
    },
    expect: [E.CONNREFUSED, "", E.PIPE],
  },
  {
    title: "names of both ends; none before connect",
    run: async (c) => {
      const fresh = await c.socket(STREAM);
      const { a, b, port } = await pair(c);
      return [
        await c.localPort(fresh),
        await c.peerPort(fresh),
        (await c.peerPort(a)) === port,
        (await c.localPort(b)) === port,
        (await c.peerPort(b)) === (await c.localPort(a)),
      ];
    },
    expect: [0, E.NOTCONN, true, true, true],
  },
  {
    title: "calls before connect",
    run: async (c) => {
      const a = await c.socket(STREAM);
      return [await c.recv(a), await c.shutdown(a, SHUT.WR), await c.poll(a)];
    },
    expect: [E.NOTCONN, E.NOTCONN, OUT | HUP],
  },
];

const DATA: Behaviour[] = [
  {
    title: "text goes both ways; nothing there is EAGAIN; poll says so",
    run: async (c) => {
      const { a, b } = await pair(c);
      return [
        await c.recv(a),
        await c.poll(b),
        await c.send(a, "hello"),
        await c.poll(b),
        await c.recv(b, 2),
        await c.recv(b),
        await c.recv(b),
        await c.send(b, "back"),
        await c.recv(a),
      ];
    },
    expect: [E.AGAIN, OUT, 5, IN | OUT, "he", "llo", E.AGAIN, 4, "back"],
  },
  {
    title: "MSG_PEEK leaves the text; zero bytes are no error",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.send(a, "abc");
      return [
        await c.recv(b, 2, MSG.PEEK),
        await c.recv(b, 4096, MSG.PEEK),
        await c.recv(b),
        await c.send(a, ""),
        await c.recv(b, 4096, MSG.DONTWAIT),
      ];
    },
    expect: ["ab", "abc", "abc", 0, E.AGAIN],
  },
  {
    title: "half-close: text, then the end, again and again; the other way stays open",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.send(a, "last");
      return [
        await c.shutdown(a, SHUT.WR),
        await c.send(a, "x"),
        await c.recv(b),
        await c.recv(b),
        await c.recv(b),
        (await c.poll(b)) & (IN | OUT | HUP | ERR),
        await c.send(b, "still"),
        await c.recv(a),
        await c.shutdown(a, SHUT.WR),
      ];
    },
    expect: [0, E.PIPE, "last", "", "", IN | OUT, 5, "still", 0],
  },
  {
    title: "both ends shut: POLLHUP; shutdown of a finished connection",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.shutdown(a, SHUT.WR);
      await c.shutdown(b, SHUT.WR);
      return [
        (await c.poll(a)) & (IN | HUP | ERR),
        (await c.poll(b)) & (IN | HUP | ERR),
        await c.recv(a),
        await c.recv(b),
      ];
    },
    expect: [IN | HUP, IN | HUP, "", ""],
  },
  {
    title: "shutdown: a wrong direction; reading",
    run: async (c) => {
      const { a } = await pair(c);
      return [await c.shutdown(a, 7), await c.shutdown(a, SHUT.RD), await c.recv(a)];
    },
    expect: [E.INVAL, 0, ""],
  },
  {
    title: "the peer closes with text unread: ECONNRESET once, then the end; EPIPE",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.send(a, "unread");
      await c.close(b);
      return [
        (await c.poll(a)) & (IN | ERR | HUP),
        await c.recv(a),
        await c.recv(a),
        await c.send(a, "x"),
      ];
    },
    expect: [IN | ERR | HUP, E.CONNRESET, "", E.PIPE],
  },
  {
    title: "SO_LINGER of 0: close() resets the peer",
    run: async (c) => {
      const { a, b } = await pair(c);
      return [
        await c.linger(b, 0),
        await c.close(b),
        await c.getOption(a, SOL.SOCKET, SO.ERROR),
        await c.recv(a),
      ];
    },
    expect: [0, 0, -E.CONNRESET, ""],
  },
  {
    title:
      "sending to a peer that has closed: the first goes, its RST makes EPIPE or ECONNRESET of the next",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.close(b);
      return [await c.recv(a), await c.send(a, "x"), (await c.send(a, "y")) < 0];
    },
    expect: ["", 1, true],
  },
  {
    title: "closing a listener resets those who wait to be accepted",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const a = await c.socket(STREAM);
      await c.connect(a, port);
      await c.close(fd);
      return [await c.recv(a), await c.recv(a)];
    },
    expect: [E.CONNRESET, ""],
  },
];

export const BEHAVIOURS: Behaviour[] = [
  ...CALLS,
  ...CONNECT,
  ...DATA,
  ...DATAGRAMS,
  ...OPTIONS,
  ...ERRORS,
  ...RAW_SOCKETS,
  ...LOCAL_SOCKETS,
  ...GROUPS,
  ...MORE,
  ...EPOLL,
  ...READY,
  ...FEW,
  ...SEQUENCES,
];
