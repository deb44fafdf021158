/** Groups of datagram sockets (ip(7)). Each behaviour has a group of its own: a kernel gives it to all who listen. */
import { DGRAM, E, IP, SO, SOL, STREAM, type Calls } from "./calls.js";
import type { Behaviour } from "./ends.js";

const ANY = 0;
let used = 0xefff0000 + ((process.pid & 0xff) << 8);
const fresh = (): number => ++used;

/** A socket bound to a port (0: a free one) that it shares. */
async function shared(c: Calls, port: number, address = ANY): Promise<number> {
  const fd = await c.socket(DGRAM);
  await c.setOption(fd, SOL.SOCKET, SO.REUSEADDR, 1);
  await c.bind(fd, port, address);
  await c.multicastHere(fd);
  return fd;
}

export const GROUPS: Behaviour[] = [
  {
    title: "groups: join and leave: misuse; streams have none",
    run: async (c) => {
      const fd = await c.socket(DGRAM);
      const group = fresh();
      return [
        await c.joinGroup(fd, 0x7f000001),
        await c.leaveGroup(fd, group),
        await c.joinGroup(fd, group),
        await c.joinGroup(fd, group),
        await c.joinGroup(fd, fresh()),
        await c.leaveGroup(fd, group),
        await c.leaveGroup(fd, group),
        await c.joinGroup(await c.socket(STREAM), group),
        await c.setOption(await c.socket(STREAM), SOL.IP, IP.MULTICAST_TTL, 1),
      ];
    },
    expect: [E.INVAL, E.ADDRNOTAVAIL, 0, E.ADDRINUSE, 0, 0, E.ADDRNOTAVAIL, E.PROTO, E.INVAL],
  },
  {
    title: "groups: IP_MULTICAST_TTL and IP_MULTICAST_LOOP: what they are at first, and range",
    run: async (c) => {
      const fd = await c.socket(DGRAM);
      return [
        await c.getOption(fd, SOL.IP, IP.MULTICAST_TTL),
        await c.getOption(fd, SOL.IP, IP.MULTICAST_LOOP),
        await c.setOption(fd, SOL.IP, IP.MULTICAST_TTL, 256),
        await c.setOption(fd, SOL.IP, IP.MULTICAST_TTL, -2),
        await c.setOption(fd, SOL.IP, IP.MULTICAST_TTL, 9),
        await c.getOption(fd, SOL.IP, IP.MULTICAST_TTL),
        await c.getOption(fd, SOL.IP, IP.TTL),
        await c.setOption(fd, SOL.IP, IP.MULTICAST_TTL, -1),
        await c.getOption(fd, SOL.IP, IP.MULTICAST_TTL),
        await c.setOption(fd, SOL.IP, IP.MULTICAST_LOOP, 0),
        await c.getOption(fd, SOL.IP, IP.MULTICAST_LOOP),
      ];
    },
    expect: [1, 1, E.INVAL, E.INVAL, 0, 9, 64, 0, 1, 0, 0],
  },
  {
    title: "groups: a datagram comes to all who share the port, also by the name of the group",
    run: async (c) => {
      const group = fresh();
      const first = await shared(c, 0);
      const port = await c.localPort(first);
      const second = await shared(c, port);
      const exact = await shared(c, port, group);
      const elsewhere = await shared(c, port, 0x7f000001);
      const from = await shared(c, 0);
      return [
        await c.joinGroup(first, group),
        await c.joinGroup(second, group),
        await c.sendto(from, "to all", port, group),
        await c.recv(first),
        await c.recv(second),
        await c.recv(exact),
        await c.recv(elsewhere),
        await c.recv(first),
      ];
    },
    expect: [0, 0, 6, "to all", "to all", "to all", E.AGAIN, E.AGAIN],
  },
  {
    title: "groups: before anybody has joined and after all have left nothing comes",
    run: async (c) => {
      const group = fresh();
      const fd = await shared(c, 0);
      const port = await c.localPort(fd);
      const from = await shared(c, 0);
      const before = [await c.sendto(from, "early", port, group), await c.recv(fd)];
      await c.joinGroup(fd, group);
      const loud = [await c.sendto(from, "loud", port, group), await c.recv(fd)];
      await c.leaveGroup(fd, group);
      return [...before, ...loud, await c.sendto(from, "late", port, group), await c.recv(fd)];
    },
    expect: [5, E.AGAIN, 4, "loud", 4, E.AGAIN],
  },
  {
    title: "groups: connected to a group, time to live 0; closing leaves",
    run: async (c) => {
      const group = fresh();
      const fd = await shared(c, 0);
      const port = await c.localPort(fd);
      await c.joinGroup(fd, group);
      const from = await shared(c, 0);
      const results = [
        await c.connect(from, port, group),
        await c.send(from, "connected"),
        await c.recv(fd),
        await c.setOption(from, SOL.IP, IP.MULTICAST_TTL, 0),
        await c.send(from, "near"),
        await c.recv(fd),
      ];
      await c.close(fd);
      const other = await shared(c, port);
      return [...results, await c.send(from, "gone"), await c.recv(other)];
    },
    expect: [0, 9, "connected", 0, 4, "near", 4, E.AGAIN],
  },
];
