/** AF_UNIX (unix(7)): streams, datagrams and pairs, by names that no file has. */
import {
  DGRAM,
  E,
  ERR,
  HUP,
  IN,
  MSG,
  OUT,
  SHUT,
  SO,
  SOL,
  STREAM,
  UNIX,
  type Calls,
} from "./calls.js";
import type { Behaviour, Result } from "./ends.js";

const named = async (c: Calls, type: number, name: string): Promise<number> => {
  const fd = await c.socket(type, 0, UNIX);
  await c.bindName(fd, name);
  return fd;
};

const listening = async (c: Calls, name: string, backlog = 4): Promise<number> => {
  const fd = await named(c, STREAM, name);
  await c.listen(fd, backlog);
  return fd;
};

/** Two ends of a stream, by way of a listener. */
async function connected(c: Calls): Promise<{ listen: number; a: number; b: number }> {
  const listen = await listening(c, "server");
  const a = await c.socket(STREAM, 0, UNIX);
  await c.connectName(a, "server");
  return { listen, a, b: await c.accept(listen) };
}

const pairOf = async (c: Calls, type: number): Promise<[number, number]> =>
  (await c.socketpair(type)) as [number, number];

export const LOCAL_SOCKETS: Behaviour[] = [
  {
    title: "AF_UNIX: types and protocols; options; socketpair of another family",
    run: async (c) => {
      const fd = await c.socket(STREAM, 0, UNIX);
      const u = await c.socket(DGRAM, 0, UNIX);
      return [
        await c.socket(9, 0, UNIX),
        await c.socket(STREAM, 6, UNIX),
        await c.getOption(fd, SOL.SOCKET, SO.TYPE),
        await c.getOption(u, SOL.SOCKET, SO.TYPE),
        await c.getOption(fd, SOL.SOCKET, SO.DOMAIN),
        await c.getOption(fd, SOL.SOCKET, SO.PROTOCOL),
        await c.getOption(fd, SOL.SOCKET, SO.ACCEPTCONN),
        await c.setOption(fd, SOL.TCP, 1, 1),
        await c.getOption(fd, SOL.TCP, 1),
        (await c.socketpair(STREAM, 0, 2)) as number,
        (await c.socketpair(STREAM, 0, 99)) as number,
        (await c.socketpair(9)) as number,
      ];
    },
    expect: [
      ...[E.SOCKTNOSUPPORT, E.PROTONOSUPPORT, STREAM, DGRAM, UNIX, 0, 0],
      ...[E.OPNOTSUPP, E.OPNOTSUPP, E.OPNOTSUPP, E.AFNOSUPPORT, E.SOCKTNOSUPPORT],
    ],
  },
  {
    title: "AF_UNIX: bind: each type has its names; twice, a name in use; names of the ends",
    run: async (c) => {
      const first = await named(c, STREAM, "one");
      const second = await c.socket(DGRAM, 0, UNIX);
      return [
        await c.localName(second),
        await c.bindName(second, "one"),
        await c.bindName(second, "two"),
        await c.bindName(await c.socket(STREAM, 0, UNIX), "one"),
        await c.localName(first),
        await c.localName(second),
        await c.peerName(first),
        await c.close(first),
        await c.bindName(await c.socket(STREAM, 0, UNIX), "one"),
      ];
    },
    expect: ["", 0, E.INVAL, E.ADDRINUSE, "one", "one", E.NOTCONN, 0, 0],
  },
  {
    title: "AF_UNIX stream: connect: nobody there, nobody listens, wrong type, again, a listener",
    run: async (c) => {
      const a = await c.socket(STREAM, 0, UNIX);
      const results = [await c.connectName(a, "nobody")];
      const quiet = await named(c, STREAM, "quiet");
      await named(c, DGRAM, "datagrams");
      results.push(await c.connectName(a, "quiet"), await c.connectName(a, "datagrams"));
      await c.listen(quiet, 4);
      return [
        ...results,
        await c.connectName(a, "quiet"),
        await c.connectName(a, "quiet"),
        await c.peerName(a),
        await c.localName(a),
        await c.connectName(await listening(c, "other"), "quiet"),
      ];
    },
    expect: [E.CONNREFUSED, E.CONNREFUSED, E.CONNREFUSED, 0, E.ISCONN, "quiet", "", E.INVAL],
  },
  {
    title: "AF_UNIX stream: listen and accept: misuse, nothing there, names of the accepted",
    run: async (c) => {
      const fd = await c.socket(STREAM, 0, UNIX);
      const u = await named(c, DGRAM, "u");
      const results = [
        await c.listen(fd, 1),
        await c.accept(fd),
        await c.listen(u, 1),
        await c.accept(u),
        await c.bindName(fd, "s"),
        await c.listen(fd, 1),
        await c.listen(fd, 2),
        await c.getOption(fd, SOL.SOCKET, SO.ACCEPTCONN),
        await c.accept(fd),
        (await c.poll(fd)) & (IN | ERR),
      ];
      const client = await named(c, STREAM, "client");
      await c.connectName(client, "s");
      const ready = (await c.poll(fd)) & IN;
      const child = await c.accept(fd);
      return [
        ...results,
        ready,
        await c.peerName(child),
        await c.localName(child),
        (await c.poll(fd)) & IN,
        await c.listen(child, 1),
      ];
    },
    expect: [
      ...[E.INVAL, E.INVAL, E.OPNOTSUPP, E.OPNOTSUPP, 0, 0, 0, 1, E.AGAIN, 0],
      ...[IN, "client", "s", 0, E.INVAL],
    ],
  },
  {
    title:
      "AF_UNIX stream: the backlog; connections are accepted in their order, with what was sent",
    run: async (c) => {
      const fd = await listening(c, "s", 1);
      const clients = [];
      const results: Result[] = [];
      for (const text of ["first", "second", "third"]) {
        const client = await c.socket(STREAM, 0, UNIX);
        clients.push(client);
        results.push(await c.connectName(client, "s"), await c.send(client, text));
      }
      results.push(
        await c.recv(await c.accept(fd)),
        await c.connectName(clients[2] as number, "s"),
      );
      results.push(await c.recv(await c.accept(fd)));
      return results;
    },
    expect: [0, 5, 0, 6, E.AGAIN, E.NOTCONN, "first", 0, "second"],
  },
  {
    title: "AF_UNIX stream: text both ways, MSG_PEEK, short reads, what poll says",
    run: async (c) => {
      const { a, b } = await connected(c);
      return [
        await c.poll(await c.socket(STREAM, 0, UNIX)),
        await c.poll(a),
        await c.recv(a),
        await c.send(a, "hello"),
        await c.send(a, " you"),
        await c.poll(b),
        await c.recv(b, 3, MSG.PEEK),
        await c.recv(b, 7),
        await c.recv(b),
        await c.recv(b),
        await c.send(b, "back"),
        await c.recv(a),
        await c.send(a, ""),
        await c.recv(b),
      ];
    },
    expect: [
      ...[OUT | HUP, OUT, E.AGAIN, 5, 4, IN | OUT, "hel", "hello y", "ou", E.AGAIN, 4, "back", 0],
      E.AGAIN,
    ],
  },
  {
    title: "AF_UNIX stream: before connect, and sendto with a name",
    run: async (c) => {
      const fd = await c.socket(STREAM, 0, UNIX);
      const { a } = await connected(c);
      return [
        await c.send(fd, "x"),
        await c.recv(fd),
        await c.sendtoName(fd, "x", "server"),
        await c.sendtoName(a, "x", "server"),
        await c.shutdown(fd, 7),
      ];
    },
    expect: [E.NOTCONN, E.INVAL, E.OPNOTSUPP, E.ISCONN, E.INVAL],
  },
  {
    title: "AF_UNIX stream: a full ring is EAGAIN and not writable, until the other end reads",
    run: async (c) => {
      const [a, b] = await pairOf(c, STREAM);
      let sent: number;
      let whole = 0;
      do whole += sent = Math.max(0, await c.send(a, "x".repeat(4000)));
      while (sent > 0 && whole < 4e6);
      const full = [await c.send(a, "x"), (await c.poll(a)) & OUT, (await c.poll(b)) & OUT];
      let read = 0;
      for (let got = await c.recv(b, 4000); typeof got === "string"; got = await c.recv(b, 4000))
        read += got.length;
      return [...full, read === whole, await c.send(a, "x"), (await c.poll(a)) & OUT];
    },
    expect: [E.AGAIN, 0, OUT, true, 1, OUT],
  },
  {
    title: "AF_UNIX stream: close wakes the other end: text, the end, EPIPE",
    run: async (c) => {
      const { a, b } = await connected(c);
      await c.send(b, "last");
      return [
        await c.close(b),
        (await c.poll(a)) & (IN | HUP | ERR),
        await c.send(a, "x"),
        await c.recv(a),
        await c.recv(a),
        await c.recv(a),
        await c.getOption(a, SOL.SOCKET, SO.ERROR),
      ];
    },
    expect: [0, IN | HUP, E.PIPE, "last", "", "", 0],
  },
  {
    title: "AF_UNIX stream: the other end closes with text unread: ECONNRESET once",
    run: async (c) => {
      const { a, b } = await connected(c);
      await c.send(a, "unread");
      await c.close(b);
      const told = [(await c.poll(a)) & (IN | HUP | ERR), await c.recv(a), await c.recv(a)];
      const [x, y] = await pairOf(c, STREAM);
      await c.send(x, "unread");
      await c.close(y);
      return [...told, await c.getOption(x, SOL.SOCKET, SO.ERROR), await c.recv(x)];
    },
    expect: [IN | HUP | ERR, E.CONNRESET, "", -E.CONNRESET, ""],
  },
  {
    title: "AF_UNIX stream: closing a listener resets those who wait; its name is free again",
    run: async (c) => {
      const fd = await listening(c, "s");
      const a = await c.socket(STREAM, 0, UNIX);
      await c.connectName(a, "s");
      await c.close(fd);
      return [
        (await c.poll(a)) & (IN | HUP | ERR),
        await c.recv(a),
        await c.recv(a),
        await c.connectName(await c.socket(STREAM, 0, UNIX), "s"),
        await c.bindName(await c.socket(STREAM, 0, UNIX), "s"),
      ];
    },
    expect: [IN | HUP | ERR, E.CONNRESET, "", E.CONNREFUSED, 0],
  },
  {
    title: "AF_UNIX stream: shutdown of one way, of the other, of both",
    run: async (c) => {
      const { a, b } = await connected(c);
      const [x, y] = await pairOf(c, STREAM);
      await c.send(a, "last");
      return [
        await c.shutdown(a, SHUT.WR),
        await c.send(a, "x"),
        (await c.poll(b)) & (IN | HUP),
        await c.recv(b),
        await c.recv(b),
        await c.send(b, "back"),
        await c.recv(a),
        await c.shutdown(x, SHUT.RD),
        await c.send(y, "x"),
        await c.recv(x),
        await c.send(x, "still"),
        await c.recv(y),
        await c.shutdown(x, SHUT.RDWR),
        (await c.poll(y)) & (IN | HUP),
      ];
    },
    expect: [0, E.PIPE, IN, "last", "", 4, "back", 0, E.PIPE, "", 5, "still", 0, IN | HUP],
  },
  {
    title: "AF_UNIX socketpair of streams: no names, the whole way back",
    run: async (c) => {
      const [a, b] = await pairOf(c, STREAM);
      return [
        await c.send(a, "to b"),
        await c.send(b, "to a"),
        await c.recv(a),
        await c.recv(b),
        await c.localName(a),
        await c.peerName(a),
        await c.close(a),
        await c.recv(b),
      ];
    },
    expect: [4, 4, "to a", "to b", "", "", 0, ""],
  },
  {
    title: "AF_UNIX datagrams: bounds, senders' names, empty ones, cut ones, MSG_TRUNC",
    run: async (c) => {
      const fd = await named(c, DGRAM, "sink");
      const a = await named(c, DGRAM, "a");
      const b = await c.socket(DGRAM, 0, UNIX);
      return [
        await c.recv(fd),
        await c.sendtoName(a, "first", "sink"),
        await c.sendtoName(b, "", "sink"),
        await c.sendtoName(b, "third", "sink"),
        (await c.poll(fd)) & (IN | OUT),
        await c.recvName(fd),
        await c.recvName(fd),
        await c.recv(fd, 4096, MSG.PEEK),
        await c.recv(fd, 2),
        await c.recv(fd),
      ];
    },
    expect: [...[E.AGAIN, 5, 0, 5, IN | OUT, "first from a", " from ", "third", "th", E.AGAIN]],
  },
  {
    title: "AF_UNIX datagrams: nobody there, no name given, a stream's name, too long",
    run: async (c) => {
      const fd = await named(c, DGRAM, "d");
      await listening(c, "s");
      return [
        await c.send(fd, "x"),
        await c.sendtoName(fd, "x", "nobody"),
        await c.sendtoName(fd, "x", "s"),
        await c.connectName(fd, "nobody"),
        await c.connectName(fd, "s"),
        await c.sendHex(fd, "00"),
        await c.peerName(fd),
      ];
    },
    expect: [
      ...[E.NOTCONN, E.CONNREFUSED, E.CONNREFUSED, E.CONNREFUSED, E.CONNREFUSED, E.NOTCONN],
      E.NOTCONN,
    ],
  },
  {
    title: "AF_UNIX datagrams: connect; a socket that is connected hears its peer only: EPERM",
    run: async (c) => {
      const a = await named(c, DGRAM, "a");
      const b = await named(c, DGRAM, "b");
      const third = await named(c, DGRAM, "third");
      return [
        await c.connectName(a, "b"),
        await c.peerName(a),
        await c.send(a, "one"),
        await c.recvName(b),
        await c.sendtoName(third, "x", "a"),
        await c.connectName(third, "a"),
        await c.sendtoName(b, "two", "a"),
        await c.recv(a),
        await c.sendtoName(a, "three", "third"),
        await c.recvName(third),
      ];
    },
    expect: [0, "b", 3, "one from a", E.PERM, E.PERM, 3, "two", 5, "three from a"],
  },
  {
    title: "AF_UNIX datagrams: the peer closes: ECONNREFUSED once, then ENOTCONN",
    run: async (c) => {
      const [a, b] = await pairOf(c, DGRAM);
      await c.send(b, "left");
      return [
        await c.send(a, "x"),
        await c.close(b),
        await c.recv(a),
        await c.send(a, "x"),
        await c.send(a, "x"),
        await c.recv(a),
      ];
    },
    expect: [1, 0, "left", E.CONNREFUSED, E.NOTCONN, E.AGAIN],
  },
  {
    title: "AF_UNIX datagrams: shutdown: EPIPE for who sends, and to who does not read",
    run: async (c) => {
      const [a, b] = await pairOf(c, DGRAM);
      const results = [await c.shutdown(a, SHUT.WR), await c.send(a, "x")];
      return [
        ...results,
        await c.send(b, "x"),
        await c.shutdown(a, SHUT.RD),
        await c.send(b, "y"),
        await c.recv(a),
        await c.recv(a),
      ];
    },
    expect: [0, E.PIPE, 1, 0, E.PIPE, "x", E.AGAIN],
  },
  {
    title: "AF_UNIX datagrams: no room: EAGAIN, until one was read; longer than any room: EMSGSIZE",
    run: async (c) => {
      const [a, b] = await pairOf(c, DGRAM);
      let count = 0;
      while ((await c.send(a, "x".repeat(100))) === 100 && count < 10000) count++;
      const full = [await c.send(a, "x".repeat(100))];
      await c.recv(b);
      return [
        ...full,
        count > 0,
        await c.send(a, "x".repeat(100)),
        await c.send(a, "x".repeat(c.tooLong)),
      ];
    },
    expect: [E.AGAIN, true, 100, E.MSGSIZE],
  },
  {
    title: "AF_UNIX: every call on a closed descriptor: EBADF",
    run: async (c) => {
      const fd = await c.socket(STREAM, 0, UNIX);
      await c.close(fd);
      return [
        await c.bindName(fd, "x"),
        await c.listen(fd, 1),
        await c.accept(fd),
        await c.connectName(fd, "x"),
        await c.send(fd, "x"),
        await c.sendtoName(fd, "x", "x"),
        await c.recv(fd),
        await c.shutdown(fd, SHUT.WR),
        await c.close(fd),
      ];
    },
    expect: Array<number>(9).fill(E.BADF),
  },
];
