/** What random sequences of calls, done here and by the kernel, have found: the differences, each in its shortest form. */
import { DGRAM, E, HUP, IN, OUT, SHUT, SO, SOL, STREAM, UNIX } from "./calls.js";
import { pair, type Behaviour } from "./ends.js";

export const SEQUENCES: Behaviour[] = [
  {
    title: "a shutdown that fails leaves the socket as it was; so does a send without an address",
    run: async (c) => {
      const s = await c.socket(STREAM);
      const u = await c.socket(DGRAM);
      return [
        await c.shutdown(s, SHUT.RD),
        await c.poll(s),
        await c.shutdown(u, SHUT.RD),
        (await c.poll(u)) & IN,
        await c.send(u, "nowhere"),
        (await c.localPort(u)) !== 0,
      ];
    },
    expect: [E.NOTCONN, IN | OUT | HUP, E.NOTCONN, IN, E.DESTADDRREQ, true],
    ours: [E.NOTCONN, OUT | HUP, E.NOTCONN, 0, E.DESTADDRREQ, false],
  },
  {
    title: "the peer is gone and its RST has come: what recv and SO_ERROR tell",
    run: async (c) => {
      const one = await pair(c);
      await c.close(one.a);
      const sent = await c.send(one.b, "lost");
      await c.pause();
      const other = await pair(c);
      await c.close(other.a);
      await c.send(other.b, "lost");
      await c.pause();
      return [
        sent,
        await c.recv(one.b),
        await c.recv(one.b),
        await c.getOption(other.b, SOL.SOCKET, SO.ERROR),
      ];
    },
    expect: [4, "", "", -E.PIPE],
    ours: [4, E.CONNRESET, "", -E.CONNRESET],
  },
  {
    title: "text that comes after shutdown of both ways",
    run: async (c) => {
      const { a, b } = await pair(c);
      const shut = await c.shutdown(a, SHUT.RDWR);
      const sent = await c.send(b, "late");
      await c.pause();
      const then = await c.send(b, "later");
      return [shut, sent, (await c.poll(b)) & HUP, then, await c.recv(a)];
    },
    expect: [0, 4, HUP, E.PIPE, E.CONNRESET],
    ours: [0, 4, 0, 5, ""],
  },
  {
    title: "recv after shutdown of reading: of text that was there, and that comes later",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.send(b, "there");
      await c.pause();
      const shut = await c.shutdown(a, SHUT.RD);
      const there = await c.recv(a);
      const sent = await c.send(b, "later");
      await c.pause();
      return [shut, there, sent, await c.recv(a), await c.recv(a)];
    },
    expect: [0, "there", 5, "later", ""],
    ours: [0, "", 5, "", ""],
  },
  {
    title:
      "connect after a shutdown, when it has not told its success yet; and when both ends are over",
    run: async (c) => {
      const fd = await c.socket(STREAM);
      await c.bind(fd, 0);
      await c.listen(fd, 1);
      const s = await c.socket(STREAM);
      const port = await c.localPort(fd);
      const begun = await c.connect(s, port);
      const other = await c.accept(fd);
      const shut = await c.shutdown(s, SHUT.RDWR);
      const open = await c.connect(s, port);
      await c.close(other);
      await c.pause();
      return [
        begun,
        shut,
        open,
        await c.connect(s, port),
        await c.getOption(s, SOL.SOCKET, SO.ERROR),
      ];
    },
    expect: [E.INPROGRESS, 0, E.ISCONN, E.ISCONN, 0],
  },
  {
    title: "AF_UNIX: datagrams that wait while their sender closes, and those of others then",
    run: async (c) => {
      const [a, b] = (await c.socketpair(DGRAM)) as [number, number];
      await c.send(a, "first");
      await c.close(a);
      const before = await c.poll(b);
      await c.bindName(b, "left");
      const other = await c.socket(DGRAM, 0, UNIX);
      const others = await c.sendtoName(other, "hello", "left");
      return [before, others, await c.send(b, "x"), await c.recv(b), await c.recv(b)];
    },
    expect: [IN | OUT, E.PERM, E.CONNREFUSED, E.AGAIN, E.AGAIN],
    ours: [IN | OUT, 5, E.CONNREFUSED, "first", "hello"],
  },
];
