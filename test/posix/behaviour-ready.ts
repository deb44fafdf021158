/** epoll(7) of AF_UNIX sockets, of halves that are shut, and of what is changed while it is ready. */
import { DGRAM, IN, OUT, SHUT, STREAM, UNIX, type Calls } from "./calls.js";
import { listener, pair, type Behaviour, type Result } from "./ends.js";

const [ADD, MOD] = [1, 3] as const;
const RDHUP = 0x2000;
const [ONESHOT, ET] = [1 << 30, 0x80000000];

const locals = async (c: Calls, type = STREAM): Promise<[number, number]> =>
  (await c.socketpair(type)) as [number, number];

export const READY: Behaviour[] = [
  {
    title: "epoll, AF_UNIX stream: room, text, the end of one way, of both, the other end closed",
    run: async (c) => {
      const [a, b] = await locals(c);
      const ep = await c.epollCreate();
      await c.epollCtl(ep, ADD, b, IN | OUT | RDHUP, 1);
      const results: Result[] = [await c.epollWait(ep)];
      await c.send(a, "text");
      results.push(await c.epollWait(ep));
      await c.shutdown(a, SHUT.WR);
      results.push(await c.epollWait(ep), await c.recv(b), await c.epollWait(ep));
      await c.shutdown(b, SHUT.WR);
      results.push(await c.epollWait(ep), await c.close(a), await c.epollWait(ep));
      return results;
    },
    expect: ["1:4", "1:5", "1:8197", "text", "1:8197", "1:8213", 0, "1:8213"],
  },
  {
    title: "epoll, AF_UNIX: edges of a stream and of datagrams",
    run: async (c) => {
      const [a, b] = await locals(c);
      const ep = await c.epollCreate();
      await c.epollCtl(ep, ADD, b, (IN | ET) >>> 0, 1);
      const results: Result[] = [await c.epollWait(ep)];
      await c.send(a, "one");
      results.push(await c.epollWait(ep), await c.epollWait(ep), await c.recv(b, 1));
      results.push(await c.epollWait(ep));
      await c.send(a, "two");
      results.push(await c.epollWait(ep), await c.epollWait(ep));
      const [d, e] = await locals(c, DGRAM);
      await c.epollCtl(ep, ADD, e, (IN | ET) >>> 0, 2);
      await c.send(d, "one");
      await c.send(d, "two");
      results.push(await c.epollWait(ep), await c.recv(e), await c.epollWait(ep));
      await c.send(d, "three");
      results.push(await c.epollWait(ep), await c.close(d), await c.epollWait(ep));
      return results;
    },
    expect: ["", "1:1", "", "o", "", "1:1", "", "2:1", "one", "", "2:1", 0, ""],
  },
  {
    title: "epoll, AF_UNIX: listener, and a peer that closes with text unread",
    run: async (c) => {
      const [fd, a] = [await c.socket(STREAM, 0, UNIX), await c.socket(STREAM, 0, UNIX)];
      await c.bindName(fd, "ready");
      await c.listen(fd, 4);
      const ep = await c.epollCreate();
      await c.epollCtl(ep, ADD, fd, IN | OUT, 1);
      await c.epollCtl(ep, ADD, a, IN | OUT, 2);
      const results: Result[] = [await c.epollWait(ep), await c.connectName(a, "ready")];
      results.push(await c.epollWait(ep));
      const b = await c.accept(fd);
      results.push(await c.epollWait(ep));
      await c.send(a, "unread");
      await c.close(b);
      results.push(await c.epollWait(ep), await c.getOption(a, 1, 4), await c.epollWait(ep));
      return results;
    },
    expect: ["2:20", 0, "1:1 2:4", "2:4", "2:29", 104, "2:21"],
  },
  {
    title: "epoll: own shutdown of reading and of writing, level and edge triggered",
    run: async (c) => {
      const { b } = await pair(c);
      const [level, edge] = [await c.epollCreate(), await c.epollCreate()];
      await c.epollCtl(level, ADD, b, IN | RDHUP, 1);
      await c.epollCtl(edge, ADD, b, (IN | RDHUP | ET) >>> 0, 2);
      const results: Result[] = [await c.epollWait(level), await c.epollWait(edge)];
      await c.shutdown(b, SHUT.RD);
      results.push(await c.epollWait(level), await c.epollWait(edge), await c.epollWait(edge));
      await c.shutdown(b, SHUT.WR);
      results.push(await c.epollWait(level), await c.epollWait(edge), await c.epollWait(edge));
      return results;
    },
    expect: ["", "", "1:8193", "2:8193", "", "1:8209", "2:8209", ""],
  },
  {
    title: "epoll: EPOLL_CTL_MOD of what is ready: fewer bits, more, none, EPOLLONESHOT in between",
    run: async (c) => {
      const { a, b } = await pair(c);
      const ep = await c.epollCreate();
      await c.epollCtl(ep, ADD, b, IN | OUT, 1);
      await c.send(a, "text");
      const results: Result[] = [await c.epollWait(ep)];
      for (const events of [OUT, IN, 0, (OUT | ET) >>> 0, IN | ONESHOT, IN | OUT]) {
        results.push(await c.epollCtl(ep, MOD, b, events, 2));
        results.push(await c.epollWait(ep), await c.epollWait(ep));
      }
      return results;
    },
    expect: [
      "1:5",
      0,
      "2:4",
      "2:4",
      0,
      "2:1",
      "2:1",
      0,
      "",
      "",
      0,
      "2:4",
      "",
      0,
      "2:1",
      "",
      0,
      "2:5",
      "2:5",
    ],
  },
  {
    title: "epoll: one that is always ready and one that becomes so, room for one event",
    run: async (c) => {
      const { a, b } = await pair(c);
      const ep = await c.epollCreate();
      const other = await c.socket(DGRAM);
      await c.epollCtl(ep, ADD, other, OUT, 1);
      await c.epollCtl(ep, ADD, b, IN, 2);
      const results: Result[] = [await c.epollWait(ep, 1), await c.epollWait(ep, 1)];
      await c.send(a, "text");
      const two = [await c.epollWait(ep, 1), await c.epollWait(ep, 1)].sort().join(" ");
      results.push(two);
      return results;
    },
    expect: ["1:4", "1:4", "1:4 2:1"],
  },
  {
    title:
      "epoll: a listener that closes while a client waits; listen again on a socket that is watched",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const ep = await c.epollCreate();
      await c.epollCtl(ep, ADD, fd, IN, 1);
      const a = await c.socket(STREAM);
      await c.connect(a, port);
      await c.epollCtl(ep, ADD, a, IN | OUT | RDHUP, 2);
      const results: Result[] = [await c.epollWait(ep), await c.close(fd)];
      await c.pause();
      results.push(await c.epollWait(ep));
      const again = await c.socket(STREAM);
      await c.epollCtl(ep, ADD, again, IN, 3);
      results.push(await c.epollWait(ep).then((text) => String(text).split(" ").at(-1) ?? ""));
      await c.bind(again, 0);
      await c.listen(again, 1);
      results.push(await c.epollWait(ep));
      return results;
    },
    expect: ["1:1 2:4", 0, "2:8221", "3:16", "2:8221"],
  },
];
