/** Two interfaces (INTERFACES 2): two LANs, each with an address, a lease, neighbours and routes of its own. */
import test from "ava";
import { SOL_SOCKET } from "../../stack/posix.js";
import { TWO_LANS } from "../support/option-sets.js";
import { ERRNO, MASK_24, SOCK_STREAM, StackHarness } from "../support/stack-harness.js";
import { TcpPeer } from "../support/tcp-peer.js";
import { DHCP, clientMessage, serverMessage } from "../support/wire-dhcp.js";
import { BROADCAST_MAC, ip, pattern } from "../support/wire.js";

const MACS = ["02:00:00:00:00:aa", "02:00:00:00:00:bb"] as const;
const ADDRESSES = [ip("192.168.7.2"), ip("10.5.0.2")] as const;
const GATEWAYS = [ip("192.168.7.1"), ip("10.5.0.1")] as const;
const HOSTS = ["192.168.7.9", "10.5.0.9"] as const;
const HOST_MACS = ["02:00:00:00:01:09", "02:00:00:00:02:09"] as const;
const ROUTER_MACS = ["02:00:00:00:01:01", "02:00:00:00:02:01"] as const;
const [SO_REUSEPORT, SO_BINDTODEVICE] = [15, 25];
const [LO, ETH0, ETH1] = [1, 2, 3];
const LANS = [0, 1] as const;
const OPTIONS = TWO_LANS;

/** A stack with an address on each LAN, its announcements over; only the first has a gateway unless the test says otherwise. */
async function dual(secondGateway = 0): Promise<StackHarness> {
  const stack = await StackHarness.create({
    options: OPTIONS,
    address: ADDRESSES[0],
    gateway: GATEWAYS[0],
    second: { mac: MACS[1], address: ADDRESSES[1], gateway: secondGateway },
  });
  stack.advance(5000);
  for (const lan of LANS) {
    stack.on(lan).take();
    stack.neighbour(HOSTS[lan], HOST_MACS[lan]);
    stack.neighbour(lan === 0 ? "192.168.7.1" : "10.5.0.1", ROUTER_MACS[lan]);
  }
  return stack.on(0);
}

/** Takes what was sent, by LAN. */
function taken(stack: StackHarness): ReturnType<StackHarness["take"]>[] {
  return LANS.map((lan) => stack.on(lan).take());
}

/** The LAN that a datagram to an address leaves by, and the MAC that it goes to and its source; or the error. */
function by(stack: StackHarness, to: string, fd = stack.udpSocket()): unknown {
  taken(stack);
  const result = stack.sendTo(fd, pattern(4), ip(to), 9);
  if (result < 0) return result;
  const sent = taken(stack).map((frames) => frames.filter((frame) => frame.udp));
  return sent.map((frames) => frames.map((frame) => [frame.destination, frame.ip?.source]));
}

const FIRST = (mac: string): unknown => [[[mac, ADDRESSES[0]]], []];
const SECOND = (mac: string): unknown => [[], [[mac, ADDRESSES[1]]]];

test("each interface asks for a lease on its own LAN, and gets it", async (t) => {
  const stack = await StackHarness.create({
    options: OPTIONS,
    address: 0,
    second: { mac: MACS[1], address: 0 },
  });
  const networks = [ip("192.168.7.0"), ip("10.5.0.0")] as const;
  const leased = [networks[0] + 50, networks[1] + 60];
  const said: number[][] = [[], []];
  for (let ms = 0; ms < 4000; ms += 10) {
    for (const lan of LANS) {
      const server = stack
        .on(lan)
        .peer(HOSTS[lan], ROUTER_MACS[lan])
        .as(networks[lan] + 1);
      for (const frame of stack.take().filter((sent) => sent.udp?.destinationPort === 67)) {
        const message = clientMessage(frame);
        t.is(message.chaddr, MACS[lan]);
        said[lan]?.push(message.type);
        const type = message.type === DHCP.DISCOVER ? DHCP.OFFER : DHCP.ACK;
        const text = serverMessage({
          xid: message.xid,
          yiaddr: leased[lan] as number,
          chaddr: message.chaddr,
          options: [
            [53, [type]],
            [54, networks[lan] + 1],
            [51, 3600],
            [1, MASK_24],
            [3, networks[lan] + 1],
          ],
        });
        const below = { ip: { destination: 0xffffffff }, ethernet: { destination: BROADCAST_MAC } };
        stack.inject(server.udp({ sourcePort: 67, destinationPort: 68 }, text, below));
      }
    }
    stack.advance(10);
  }
  t.deepEqual(said, [
    [DHCP.DISCOVER, DHCP.REQUEST],
    [DHCP.DISCOVER, DHCP.REQUEST],
  ]);
  t.deepEqual(
    LANS.map((lan) => stack.wasm.interfaceAddress(lan) >>> 0),
    leased,
  );
  // Half of the lease later each renews with its own server, from its own address.
  taken(stack);
  stack.advance(1_800_000);
  const asked = taken(stack).map((frames) =>
    frames.filter(({ arp }) => arp?.operation === 1).map(({ arp }) => arp?.targetAddress),
  );
  t.true(asked[0]?.includes(networks[0] + 1));
  t.true(asked[1]?.includes(networks[1] + 1));
  t.false(asked[0]?.includes(networks[1] + 1));
});

test("a conflict on one LAN takes the address of that interface alone", async (t) => {
  const stack = await StackHarness.create({
    options: { ...OPTIONS, ACD_UNIT_MS: 1 },
    address: ADDRESSES[0],
    second: { mac: MACS[1], address: ADDRESSES[1] },
  });
  stack.on(1).run();
  stack.inject(stack.peer("10.5.0.2", HOST_MACS[1]).arpRequest({ targetAddress: ADDRESSES[1] }));
  stack.advance(5000);
  taken(stack);
  for (const lan of LANS) {
    const asker = stack.on(lan).peer(HOSTS[lan], HOST_MACS[lan]);
    const replies = stack.exchange(asker.arpRequest()).filter(({ arp }) => arp?.operation === 2);
    t.is(replies.length, lan === 0 ? 1 : 0);
  }
});

test("RFC 1122 3.3.4.2: an interface answers for its own address alone, by ARP and by IP", async (t) => {
  const stack = await dual();
  for (const lan of LANS) {
    const host = stack.on(lan).peer(HOSTS[lan], HOST_MACS[lan]);
    t.is(stack.exchange(host.arpRequest()).length, 1);
    t.deepEqual(
      stack.exchange(host.arpRequest({ targetAddress: ADDRESSES[1 - lan] as number })),
      [],
    );
    t.true(stack.answers(host));
    const other = { ip: { destination: ADDRESSES[1 - lan] as number } };
    const counted = stack.counted(() => {
      t.deepEqual(stack.exchange(host.echo(pattern(8), 1, 1, other)), []);
    });
    t.is(counted["ipNotOurs"], 1);
    t.deepEqual(stack.on(1 - lan).take(), []);
  }
});

test("the same address on both LANs is another neighbour on each, and a cable that was away forgets its own", async (t) => {
  const stack = await StackHarness.create({
    options: OPTIONS,
    address: ADDRESSES[0],
    second: { mac: MACS[1], address: ip("192.168.7.3") },
  });
  stack.advance(5000);
  const sockets = LANS.map((lan) => {
    stack.on(lan).neighbour(HOSTS[0], HOST_MACS[lan]);
    const fd = stack.udpSocket();
    stack.wasm.sysSetOption(fd, SOL_SOCKET, SO_BINDTODEVICE, lan === 0 ? ETH0 : ETH1);
    return fd;
  });
  const first = [[[HOST_MACS[0], ADDRESSES[0]]], []];
  const second = [[], [[HOST_MACS[1], ip("192.168.7.3")]]];
  t.deepEqual(by(stack, HOSTS[0], sockets[0]), first);
  t.deepEqual(by(stack, HOSTS[0], sockets[1]), second);
  stack.wasm.linkChangedSecond(0);
  stack.wasm.linkChangedSecond(1);
  t.deepEqual(by(stack, HOSTS[0], sockets[0]), first);
  t.deepEqual(by(stack, HOSTS[0], sockets[1]), [[], []]);
  stack.on(1).neighbour(HOSTS[0], HOST_MACS[1]);
  t.deepEqual(by(stack, HOSTS[0], sockets[1]), second);
});

test("RFC 3927 2.6.2: an address of 169.254/16 is asked for on a link that is up, with a gateway or without, by no route", async (t) => {
  const stack = await StackHarness.create({
    options: { ...OPTIONS, AUTO_IP: 1 },
    address: ADDRESSES[0],
    gateway: 0,
    second: { mac: MACS[1], address: ADDRESSES[1], gateway: GATEWAYS[1] },
  });
  stack.advance(5000);
  const PRINTER = "169.254.8.9";
  const asked = (): (number | undefined)[][] => {
    const fd = stack.udpSocket();
    taken(stack);
    stack.sendTo(fd, pattern(4), ip(PRINTER), 9);
    return taken(stack).map((frames) => frames.map(({ arp }) => arp?.targetAddress));
  };
  t.deepEqual(asked(), [[ip(PRINTER)], []]);
  stack.wasm.linkChanged(0);
  stack.advance(2000);
  t.deepEqual(asked(), [[], [ip(PRINTER)]]);
  stack.wasm.linkChanged(1);
  stack.wasm.linkChangedSecond(0);
  stack.advance(2000);
  t.deepEqual(asked(), [[ip(PRINTER)], []]);
});

test("a packet waits for ARP on the LAN of its next hop", async (t) => {
  const stack = await dual();
  t.deepEqual(by(stack, "10.5.0.77"), [[], []]);
  stack.advance(1000);
  const asked = taken(stack);
  t.deepEqual(asked[0], []);
  t.is(asked[1]?.[0]?.arp?.targetAddress, ip("10.5.0.77"));
  stack.on(1).inject(stack.peer("10.5.0.77", HOST_MACS[1]).arpReply());
  const sent = taken(stack);
  t.deepEqual(sent[0], []);
  t.is(sent[1]?.filter((frame) => frame.udp).length, 1);
});

test("the longest prefix of both interfaces decides; of two gateways the first, while its link is up", async (t) => {
  const stack = await dual(GATEWAYS[1]);
  t.deepEqual(by(stack, HOSTS[0]), FIRST(HOST_MACS[0]));
  t.deepEqual(by(stack, HOSTS[1]), SECOND(HOST_MACS[1]));
  t.deepEqual(by(stack, "8.8.8.8"), FIRST(ROUTER_MACS[0]));
  t.is(stack.wasm.sysRouteAdd(ip("8.8.0.0"), ip("255.255.0.0"), ip(HOSTS[1])), 0);
  t.deepEqual(by(stack, "8.8.8.8"), SECOND(HOST_MACS[1]));
  t.deepEqual(by(stack, "9.9.9.9"), FIRST(ROUTER_MACS[0]));
  stack.wasm.linkChanged(0);
  t.deepEqual(by(stack, "9.9.9.9"), SECOND(ROUTER_MACS[1]));
  t.deepEqual(by(stack, "255.255.255.255"), -ERRNO.EACCES);
});

test("what is sent to one of our addresses comes by the loopback device, whichever interface has it", async (t) => {
  const stack = await dual();
  const heard = stack.udpSocket(9);
  for (const address of ADDRESSES) {
    taken(stack);
    const fd = stack.udpSocket();
    stack.sendTo(fd, pattern(5), address, 9);
    const got = stack.receiveFrom(heard);
    t.is(typeof got === "number" ? got : got.address, address);
    t.deepEqual(taken(stack), [[], []]);
    stack.wasm.sysClose(fd);
  }
});

test("a TCP connection over each, at the same time, in and out", async (t) => {
  const stack = await dual();
  const listener = stack.listen(80);
  const hosts = LANS.map((lan) => stack.on(lan).peer(HOSTS[lan], HOST_MACS[lan]));
  const clients = LANS.map((lan) => TcpPeer.client(stack.on(lan), hosts[lan] as never, 4000, 80));
  const fds = LANS.map(() => stack.wasm.sysAccept(listener));
  const accepted = fds.map((fd) => stack.wasm.sysLocalAddress(fd) >>> 0);
  t.deepEqual([...accepted].sort(), [...ADDRESSES].sort());
  for (const lan of LANS) {
    const fd = fds[accepted.indexOf(ADDRESSES[lan])] as number;
    const peer = clients[lan] as TcpPeer;
    taken(stack);
    peer.stack.on(lan);
    peer.say("PA", {}, pattern(100));
    t.deepEqual(stack.receive(fd), pattern(100));
    stack.send(fd, pattern(200));
    const text = stack
      .on(lan)
      .take()
      .filter((frame) => (frame.tcp?.data.length ?? 0) > 0);
    t.is(text.at(-1)?.tcp?.data.length, 200);
    t.deepEqual(stack.on(1 - lan).take(), []);
  }
  // Out: a socket connects by the LAN that the peer is on.
  for (const lan of LANS) {
    const { fd } = TcpPeer.server(stack.on(lan), hosts[lan] as never, 8080);
    t.is(stack.wasm.sysLocalAddress(fd) >>> 0, ADDRESSES[lan]);
    t.deepEqual(stack.on(1 - lan).take(), []);
  }
});

test("the address of one interface is lost: its connections end, the other's stay", async (t) => {
  const stack = await dual();
  const fds = LANS.map((lan) => {
    const host = stack.on(lan).peer(HOSTS[lan], HOST_MACS[lan]);
    return TcpPeer.server(stack, host, 8080).fd;
  });
  stack.wasm.startSecond(0x0200, 0xbb, ip("10.6.0.2"), MASK_24, 0);
  stack.run();
  t.is(stack.wasm.sysError(fds[0] as number), 0);
  t.is(stack.wasm.sysError(fds[1] as number), ERRNO.ENETDOWN);
});

test("SO_BINDTODEVICE: a socket sends and hears by its device alone", async (t) => {
  const stack = await dual(GATEWAYS[1]);
  const fd = stack.udpSocket(77);
  const bind = (device: number): number =>
    stack.wasm.sysSetOption(fd, SOL_SOCKET, SO_BINDTODEVICE, device);
  t.is(bind(4), -ERRNO.ENODEV);
  t.is(bind(ETH1), 0);
  t.is(stack.wasm.sysGetOption(fd, SOL_SOCKET, SO_BINDTODEVICE), ETH1);
  // By its gateway, though the first interface's is the one that others use; and not to the other LAN.
  t.deepEqual(by(stack, "9.9.9.9", fd), SECOND(ROUTER_MACS[1]));
  for (const lan of LANS) {
    const host = stack.on(lan).peer(HOSTS[lan], HOST_MACS[lan]);
    stack.inject(host.udp({ sourcePort: 9, destinationPort: 77 }, pattern(3 + lan)));
  }
  const got = stack.receiveFrom(fd);
  t.is(typeof got === "number" ? got : got.data.length, 4);
  t.is(stack.receiveFrom(fd), -ERRNO.EAGAIN);
  t.is(bind(ETH0), 0);
  t.deepEqual(by(stack, "9.9.9.9", fd), FIRST(ROUTER_MACS[0]));
  t.is(bind(LO), 0);
  t.is(by(stack, "9.9.9.9", fd), -ERRNO.ENETUNREACH);
  const stream = stack.socket(SOCK_STREAM);
  t.is(stack.wasm.sysSetOption(stream, SOL_SOCKET, SO_BINDTODEVICE, ETH1), 0);
  t.is(stack.wasm.sysConnect(stream, ip("9.9.9.9"), 80), -ERRNO.EINPROGRESS);
  taken(stack);
  stack.run();
  t.is(stack.wasm.sysLocalAddress(stream) >>> 0, ADDRESSES[1]);
});

test("SO_BINDTODEVICE with SO_REUSEPORT: connections are spread over the listeners of their LAN alone, and stay there when one is closed", async (t) => {
  const stack = await dual();
  const listeners = [ETH0, ETH1, ETH0, ETH1].map((device) => {
    const fd = stack.socket(SOCK_STREAM);
    stack.wasm.sysSetOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    stack.wasm.sysSetOption(fd, SOL_SOCKET, SO_BINDTODEVICE, device);
    t.is(stack.wasm.sysBind(fd, 0, 80), 0);
    t.is(stack.wasm.sysListen(fd, 8), 0);
    return fd;
  });
  const dial = (lan: number, port: number): void => {
    const host = stack.on(lan).peer(HOSTS[lan] as string, HOST_MACS[lan] as string);
    TcpPeer.client(stack, host, port, 80);
  };
  for (let i = 0; i < 8; i++) dial(1, 5000 + i);
  t.is(stack.wasm.sysAccept(listeners[0] as number), -ERRNO.EAGAIN);
  t.is(stack.wasm.sysAccept(listeners[2] as number), -ERRNO.EAGAIN);
  // Nobody but a listener of the same LAN takes over what waits.
  stack.wasm.sysClose(listeners[1] as number);
  t.is(stack.wasm.sysAccept(listeners[0] as number), -ERRNO.EAGAIN);
  const got = Array.from({ length: 8 }, () => stack.wasm.sysAccept(listeners[3] as number));
  t.true(got.every((fd) => fd > 0));
});

test("a group is reported on both LANs, and left on both", async (t) => {
  const stack = await dual();
  const fd = stack.udpSocket(5000);
  taken(stack);
  const IP_ADD_MEMBERSHIP = 35;
  t.is(stack.wasm.sysSetOption(fd, 0, IP_ADD_MEMBERSHIP, ip("239.1.2.3")), 0);
  stack.run();
  const reports = taken(stack).map((frames) => frames.filter((frame) => frame.ip?.protocol === 2));
  t.deepEqual(
    reports.map((frames) => frames.map((frame) => frame.ip?.source)),
    [[ADDRESSES[0]], [ADDRESSES[1]]],
  );
  stack.wasm.sysClose(fd);
  const left = taken(stack).map((frames) => frames.filter((frame) => frame.ip?.protocol === 2));
  t.deepEqual(
    left.map((frames) => frames.length),
    [1, 1],
  );
});

test("both wires are read by turns: a flood on one does not silence the other", async (t) => {
  const stack = await dual();
  const junk = pattern(60);
  const flooder = stack.on(0).peer(HOSTS[0], HOST_MACS[0]);
  for (let i = 0; i < 14; i++) stack.queue(flooder.frame(junk, { type: 0x1234 }));
  stack.on(1).queue(stack.peer(HOSTS[1], HOST_MACS[1]).arpRequest());
  taken(stack);
  stack.wasm.step(stack.nowMs);
  t.is(stack.on(1).take().length, 1);
});
