/** epoll(7), whose look never waits here: levels, edges, EPOLLONESHOT, EPOLLEXCLUSIVE, and what happens between a wait and a read. */
import { DGRAM, E, ERR, HUP, IN, OUT, SHUT, SOL, STREAM, type Calls } from "./calls.js";
import { datagram, listener, pair, type Behaviour, type Result } from "./ends.js";

const [ADD, DEL, MOD] = [1, 2, 3] as const;
const NODELAY = 1;
const PRI = 2;
const RDHUP = 0x2000;
const [EXCLUSIVE, ONESHOT, ET] = [1 << 28, 1 << 30, 0x80000000];

/** A connection and an instance that watches its end `b` for `events`, under the number 7. */
async function watched(
  c: Calls,
  events: number,
): Promise<{ a: number; b: number; ep: number; look(): Promise<string | number> }> {
  const { a, b } = await pair(c);
  // Nagle's algorithm would keep a second text until the first is acknowledged.
  await c.setOption(a, SOL.TCP, NODELAY, 1);
  const ep = await c.epollCreate();
  await c.epollCtl(ep, ADD, b, events, 7);
  return { a, b, ep, look: () => c.epollWait(ep) };
}

export const EPOLL: Behaviour[] = [
  {
    title: "epoll: level triggered, as long as it is so",
    run: async (c) => {
      const { a, b, look } = await watched(c, IN);
      const results = [await look()];
      await c.send(a, "text");
      results.push(await look(), await look(), await c.recv(b, 2), await look());
      results.push(await c.recv(b), await look());
      return results;
    },
    expect: ["", "7:1", "7:1", "te", "7:1", "xt", ""],
  },
  {
    title: "epoll: a socket that is ready already is told after EPOLL_CTL_ADD, edge triggered too",
    run: async (c) => {
      const { a, b } = await pair(c);
      await c.send(a, "text");
      const ep = await c.epollCreate();
      const results: Result[] = [await c.epollCtl(ep, ADD, b, (IN | OUT | ET) >>> 0, 1)];
      results.push(await c.epollWait(ep), await c.epollWait(ep));
      // EPOLL_CTL_MOD looks anew.
      results.push(await c.epollCtl(ep, MOD, b, (IN | ET) >>> 0, 2));
      results.push(await c.epollWait(ep), await c.epollWait(ep));
      return results;
    },
    expect: [0, "1:5", "", 0, "2:1", ""],
  },
  {
    title: "epoll: edge triggered, text that comes while older text is unread is told",
    run: async (c) => {
      const { a, b, look } = await watched(c, (IN | ET) >>> 0);
      const results: Result[] = [await look()];
      await c.send(a, "one");
      results.push(await look(), await look());
      await c.send(a, "two");
      results.push(await look(), await look(), await c.recv(b, 1), await look());
      await c.send(a, "three");
      results.push(await look(), await c.recv(b), await look());
      return results;
    },
    expect: ["", "7:1", "", "7:1", "", "o", "", "7:1", "netwothree", ""],
  },
  {
    title: "epoll: edge triggered, text between the wait and the read; read before the wait",
    run: async (c) => {
      const { a, b, look } = await watched(c, (IN | ET) >>> 0);
      await c.send(a, "one");
      const results: Result[] = [await look()];
      await c.send(a, "two");
      // All is read; the edge of "two" has nothing left to tell.
      results.push(await c.recv(b), await look());
      await c.send(a, "three");
      results.push(await c.recv(b), await look());
      await c.send(a, "four");
      results.push(await look(), await c.recv(b), await c.recv(b), await look());
      return results;
    },
    expect: ["7:1", "onetwo", "", "three", "", "7:1", "four", E.AGAIN, ""],
  },
  {
    title: "epoll: edge triggered, the end of the stream and both ends",
    run: async (c) => {
      const { a, b, look } = await watched(c, (IN | RDHUP | ET) >>> 0);
      await c.send(a, "last");
      const results: Result[] = [await look()];
      await c.shutdown(a, SHUT.WR);
      results.push(await look(), await look(), await c.recv(b), await c.recv(b), await look());
      await c.shutdown(b, SHUT.WR);
      results.push(await look(), await look());
      return results;
    },
    expect: ["7:1", "7:8193", "", "last", "", "", "7:8209", ""],
  },
  {
    title: "epoll: edge triggered, room that was full is told when it is there again",
    run: async (c) => {
      const { a, b, ep } = await watched(c, (IN | ET) >>> 0);
      await c.epollCtl(ep, ADD, a, (OUT | ET) >>> 0, 8);
      const results: Result[] = [await c.epollWait(ep), await c.epollWait(ep)];
      const block = "x".repeat(4096);
      let sent = 0;
      for (let got = 1; got > 0; sent += Math.max(got, 0)) got = await c.send(a, block);
      results.push(await c.poll(a).then((bits) => bits & OUT));
      const full = await c.epollWait(ep);
      results.push(full);
      let read = 0;
      for (let turns = 0; turns < 10_000 && read < sent; turns++) {
        const text = await c.recv(b, 65536);
        if (typeof text === "string") read += text.length;
        else await c.pause();
      }
      await c.pause();
      const after = String(await c.epollWait(ep)).split(" ");
      results.push(after.includes("8:4"), read === sent, await c.epollWait(ep));
      return results;
    },
    expect: ["8:4", "", 0, "7:1", true, true, ""],
  },
  {
    title: "epoll: EPOLLONESHOT is silent until EPOLL_CTL_MOD, whatever happens",
    run: async (c) => {
      const { a, b, ep, look } = await watched(c, IN | ONESHOT);
      await c.send(a, "one");
      const results: Result[] = [await look(), await look()];
      await c.send(a, "two");
      results.push(await look(), await c.epollCtl(ep, ADD, b, IN | ONESHOT, 8));
      results.push(await c.epollCtl(ep, MOD, b, IN | ONESHOT, 9), await look(), await look());
      await c.shutdown(a, SHUT.WR);
      await c.shutdown(b, SHUT.WR);
      results.push(await look(), await c.epollCtl(ep, MOD, b, (IN | ONESHOT | ET) >>> 0, 10));
      results.push(await look(), await look(), await c.epollCtl(ep, DEL, b), await look());
      return results;
    },
    expect: ["7:1", "", "", E.EXIST, 0, "9:1", "", "", 0, "10:17", "", 0, ""],
  },
  {
    title: "epoll: errors and the end are told to who asks for nothing",
    run: async (c) => {
      const { a, b, ep, look } = await watched(c, 0);
      await c.send(a, "text");
      const results: Result[] = [await look()];
      await c.linger(a, 0);
      await c.close(a);
      await c.pause();
      results.push(await look(), await c.epollCtl(ep, MOD, b, ET, 8), await look(), await look());
      return results;
    },
    expect: ["", `7:${ERR | HUP}`, 0, `8:${ERR | HUP}`, ""],
  },
  {
    title:
      "epoll: closed while it is among the ready ones; its descriptor's successor is another one",
    run: async (c) => {
      const { a, b, ep, look } = await watched(c, IN);
      await c.send(a, "text");
      const results: Result[] = [await look(), await c.close(b), await look()];
      const next = await c.socket(DGRAM);
      results.push(await c.epollCtl(ep, MOD, next, OUT, 1), await c.epollCtl(ep, DEL, next));
      results.push(await c.epollCtl(ep, ADD, next, OUT, 2), await look());
      results.push(b === next || (await c.epollCtl(ep, DEL, b)) === E.BADF);
      return results.map(String);
    },
    expect: ["7:1", "0", "", `${E.NOENT}`, `${E.NOENT}`, "0", "2:4", "true"],
  },
  {
    title: "epoll: taken out while it is among the ready ones, put in again",
    run: async (c) => {
      const { a, b, ep, look } = await watched(c, IN);
      await c.send(a, "text");
      return [
        await c.epollCtl(ep, DEL, b),
        await look(),
        await c.epollCtl(ep, DEL, b),
        await c.epollCtl(ep, MOD, b, IN, 1),
        await c.epollCtl(ep, ADD, b, IN, 2),
        await look(),
        await c.epollCtl(ep, ADD, b, IN, 3),
        await look(),
      ];
    },
    expect: [0, "", E.NOENT, E.NOENT, 0, "2:1", E.EXIST, "2:1"],
  },
  {
    title: "epoll: of more ready ones than there is room for, all have their turn",
    run: async (c) => {
      const ep = await c.epollCreate();
      const sockets = [await datagram(c), await datagram(c), await datagram(c)];
      for (const [i, { fd }] of sockets.entries()) await c.epollCtl(ep, ADD, fd, OUT, i);
      const rounds = [];
      for (let i = 0; i < 6; i++) rounds.push(String(await c.epollWait(ep, 1)));
      const first = rounds.slice(0, 3).sort().join(" ");
      return [first, rounds.slice(3).sort().join(" "), await c.epollWait(ep, 0)];
    },
    expect: ["0:4 1:4 2:4", "0:4 1:4 2:4", E.INVAL],
  },
  {
    title:
      "epoll: a listener, and a connection attempt that succeeds, is refused, or was never made",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const ep = await c.epollCreate();
      const a = await c.socket(STREAM);
      await c.epollCtl(ep, ADD, fd, (IN | ET) >>> 0, 1);
      await c.epollCtl(ep, ADD, a, OUT, 2);
      const results: Result[] = [await c.epollWait(ep)];
      await c.connect(a, port);
      results.push(await c.epollWait(ep), await c.epollWait(ep));
      await c.connect(await c.socket(STREAM), port);
      results.push(await c.epollWait(ep), (await c.accept(fd)) >= 0, await c.epollWait(ep));
      await c.epollCtl(ep, DEL, a);
      const b = await c.socket(STREAM);
      await c.connect(b, (await c.localPort(await c.socket(DGRAM))) || 1);
      await c.epollCtl(ep, ADD, b, OUT, 3);
      results.push(await c.epollWait(ep));
      return results.map(String);
    },
    expect: [
      `2:${OUT | HUP}`,
      `1:${IN} 2:${OUT}`,
      `2:${OUT}`,
      `1:${IN} 2:${OUT}`,
      "true",
      `2:${OUT}`,
      `3:${OUT | ERR | HUP}`,
    ],
  },
  {
    title: "epoll: EPOLLEXCLUSIVE, whoever looks first is told, the others need not be",
    run: async (c) => {
      const { fd, port } = await listener(c);
      const [one, other] = [await c.epollCreate(), await c.epollCreate()];
      const results: Result[] = [
        await c.epollCtl(one, ADD, fd, IN | EXCLUSIVE, 1),
        await c.epollCtl(other, ADD, fd, IN | EXCLUSIVE, 2),
      ];
      results.push(await c.epollWait(one), await c.epollWait(other));
      await c.connect(await c.socket(STREAM), port);
      results.push(await c.epollWait(other), await c.epollWait(other));
      results.push((await c.accept(fd)) >= 0 ? 0 : -1, await c.epollWait(other));
      await c.connect(await c.socket(STREAM), port);
      results.push(await c.epollWait(one), await c.epollClose(one));
      return results;
    },
    expect: [0, 0, "", "", "2:1", "2:1", 0, "", "1:1", 0],
  },
  {
    title: "epoll: what EPOLLEXCLUSIVE goes with",
    run: async (c) => {
      const ep = await c.epollCreate();
      const fd = await c.socket(DGRAM);
      const results = [];
      for (const bits of [PRI, RDHUP, ONESHOT])
        results.push(await c.epollCtl(ep, ADD, fd, IN | EXCLUSIVE | bits));
      results.push(await c.epollCtl(ep, ADD, fd, IN));
      results.push(await c.epollCtl(ep, MOD, fd, IN | EXCLUSIVE), await c.epollCtl(ep, DEL, fd));
      const all = (IN | OUT | ERR | HUP | EXCLUSIVE | ET) >>> 0;
      results.push(await c.epollCtl(ep, ADD, fd, all), await c.epollCtl(ep, MOD, fd, IN));
      results.push(await c.epollWait(ep), await c.epollCtl(ep, DEL, fd));
      return results;
    },
    expect: [E.INVAL, E.INVAL, E.INVAL, 0, E.INVAL, 0, 0, E.INVAL, "0:4", 0],
  },
  {
    title: "epoll: two instances watch one socket, each in its own way",
    run: async (c) => {
      const { a, b, look } = await watched(c, IN);
      const edge = await c.epollCreate();
      await c.epollCtl(edge, ADD, b, (IN | ET) >>> 0, 8);
      await c.send(a, "text");
      const results: Result[] = [await look(), await c.epollWait(edge)];
      results.push(await look(), await c.epollWait(edge), await c.epollClose(edge));
      results.push(await c.epollWait(edge), await look(), await c.recv(b), await look());
      return results;
    },
    expect: ["7:1", "8:1", "7:1", "", 0, E.BADF, "7:1", "text", ""],
  },
  {
    title: "epoll: datagrams edge by edge; a refused one is an error",
    run: async (c) => {
      const { fd, port } = await datagram(c);
      const ep = await c.epollCreate();
      const from = await c.socket(DGRAM);
      await c.epollCtl(ep, ADD, fd, (IN | ET) >>> 0, 1);
      await c.sendto(from, "one", port);
      await c.sendto(from, "two", port);
      const results: Result[] = [await c.epollWait(ep), await c.recv(fd)];
      results.push(await c.epollWait(ep));
      await c.sendto(from, "three", port);
      results.push(await c.epollWait(ep), await c.recv(fd), await c.recv(fd), await c.recv(fd));
      await c.connect(from, port);
      await c.close(fd);
      await c.epollCtl(ep, ADD, from, (IN | ET) >>> 0, 2);
      results.push(await c.epollWait(ep));
      await c.send(from, "lost");
      results.push(await c.epollWait(ep), await c.epollWait(ep), await c.recv(from));
      return results;
    },
    expect: ["1:1", "one", "", "1:1", "two", "three", E.AGAIN, "", `2:${ERR}`, "", E.CONNREFUSED],
  },
];
