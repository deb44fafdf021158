/** The W5500's own UDP, IP, ARP and IGMP (data sheet 4.1, 4.2): what a host sees in registers and memory, and a peer on the wire. */
import test from "ava";
import {
  arpPacket,
  be16,
  be32,
  concat,
  ethernetFrame,
  ETHERTYPE,
  icmpMessage,
  ip,
  ipv4Packet,
  macBytes,
  macText,
  pattern,
  PROTOCOL,
  udpDatagram,
} from "../../host-tools/testing/wire.js";
import { COMMON, socketBlock } from "../support/w5500.js";
import { CHIP, CR, IR, PEER, ROUTER, SocketHost, SR } from "../support/w5500-sockets.js";

const UDP = 2;
const ALL_STATIONS = "ff:ff:ff:ff:ff:ff";

/** Answers each ARP question for one of these. */
function answering(host: SocketHost, ...who: (typeof PEER)[]): void {
  host.onFrame = () => {
    const question = host.sent[host.sent.length - 1]?.arp;
    const asked = who.find(({ address }) => address === question?.targetAddress);
    if (question?.operation !== 1 || !asked) return;
    const reply = arpPacket({
      operation: 2,
      senderMac: asked.mac,
      senderAddress: asked.address,
      targetMac: CHIP.mac,
      targetAddress: CHIP.address,
    });
    const fields = { destination: CHIP.mac, source: asked.mac, type: ETHERTYPE.ARP };
    host.clock.schedule(1e5, () => host.chip.receive(ethernetFrame(fields, reply)));
  };
}

/** A datagram from the peer. */
function datagram(
  port: number,
  data: Uint8Array,
  lies: { destination?: number; mac?: string; checksum?: number } = {},
): Uint8Array {
  const destination = lies.destination ?? CHIP.address;
  const fields = { source: PEER.address, destination, sourcePort: 4000, destinationPort: port };
  return ethernetFrame(
    { destination: lies.mac ?? CHIP.mac, source: PEER.mac },
    ipv4Packet(
      { source: PEER.address, destination, protocol: PROTOCOL.UDP },
      udpDatagram({ ...fields, checksum: lies.checksum }, data),
    ),
  );
}

test("UDP: ARP once, the datagram as the registers say, SENDOK; another peer is asked for, a far one by the router", (t) => {
  const host = new SocketHost();
  answering(host, PEER, ROUTER);
  host.open(3, UDP, 5003);
  t.is(host.status(3), SR.UDP);
  host.spi.write(socketBlock(3), 0x15, 0xb8, 9);
  host.to(3, PEER.address, 7000);
  for (const length of [100, 3]) {
    t.is(host.send(3, pattern(length)), length);
    t.true(host.take(3, IR.SENDOK));
  }
  t.is(macText(Uint8Array.from(host.spi.read(socketBlock(3), 0x06, 6))), PEER.mac);
  host.to(3, ip("198.51.100.1"), 7001);
  host.send(3, pattern(1));
  t.true(host.take(3, IR.SENDOK));
  t.deepEqual(
    host.sent.map((f) =>
      f.arp ? `who has ${f.arp.targetAddress - PEER.address}` : f.udp?.data.length,
    ),
    ["who has 0", 100, 3, "who has 253", 1],
  );
  const [question, first, , , far] = host.sent;
  t.is(question?.destination, ALL_STATIONS);
  t.deepEqual(question?.arp, {
    operation: 1,
    senderMac: CHIP.mac,
    senderAddress: CHIP.address,
    targetMac: "00:00:00:00:00:00",
    targetAddress: PEER.address,
  });
  t.deepEqual([first?.destination, far?.destination], [PEER.mac, ROUTER.mac]);
  t.deepEqual([first?.udp?.sourcePort, first?.udp?.destinationPort], [5003, 7000]);
  t.deepEqual([first?.ip?.tos, first?.ip?.ttl, first?.ip?.dontFragment], [0xb8, 9, true]);
  t.deepEqual(first?.udp?.data, pattern(100));
  t.deepEqual(
    host.sent.flatMap(({ problems }) => problems),
    [],
  );
  t.deepEqual([host.get16(3, 0x20), host.get16(3, 0x22), host.get16(3, 0x24)], [2048, 104, 104]);
});

test("UDP: nobody answers ARP: RCR + 1 questions, RTR apart, TIMEOUT, and what was to be sent is gone", (t) => {
  const host = new SocketHost();
  host.spi.write(COMMON, 0x19, 0x00, 0x64, 3);
  host.open(1, UDP, 5000);
  host.to(1, PEER.address, 7000);
  host.send(1, pattern(100));
  t.is(host.get16(1, 0x20), 2048 - 100);
  host.wait(39);
  t.is(host.flags(1), 0);
  t.is(host.sent.length, 4);
  host.wait(2);
  t.deepEqual([host.flags(1), host.status(1), host.get16(1, 0x20)], [IR.TIMEOUT, SR.UDP, 2048]);
});

test("UDP: SEND_MAC asks nobody; a broadcast neither; MR.FARP asks each time", (t) => {
  const host = new SocketHost();
  answering(host, PEER);
  host.open(1, UDP, 68);
  host.spi.write(socketBlock(1), 0x06, ...macBytes(ROUTER.mac));
  host.to(1, PEER.address, 67);
  host.send(1, pattern(5), CR.SEND_MAC);
  t.true(host.take(1, IR.SENDOK));
  host.to(1, 0xffffffff, 67);
  host.send(1, pattern(6));
  t.true(host.take(1, IR.SENDOK));
  host.to(1, ip("192.0.2.255"), 67);
  host.send(1, pattern(7));
  t.true(host.take(1, IR.SENDOK));
  t.deepEqual(
    host.sent.map((f) => [f.destination, f.udp?.data.length]),
    [
      [ROUTER.mac, 5],
      [ALL_STATIONS, 6],
      [ALL_STATIONS, 7],
    ],
  );
  host.spi.write(COMMON, 0x00, 0x02);
  host.to(1, PEER.address, 67);
  for (let i = 0; i < 2; i++) {
    host.send(1, pattern(8));
    t.true(host.take(1, IR.SENDOK));
  }
  t.deepEqual(
    host.sent.slice(3).map((f) => f.arp?.operation ?? "datagram"),
    [1, "datagram", 1, "datagram"],
  );
});

test("UDP: what comes stands behind its sender's address, port and length; what is another's, broken or too long is not there", (t) => {
  const host = new SocketHost();
  host.open(2, UDP, 5002);
  host.open(4, UDP, 5004);
  host.chip.receive(datagram(5003, pattern(10)));
  host.chip.receive(datagram(5002, pattern(10), { checksum: 0x1234 }));
  host.chip.receive(datagram(5002, pattern(10), { destination: ip("192.0.2.11") }));
  host.chip.receive(datagram(5002, pattern(10), { mac: "02:00:00:00:00:ab" }));
  t.deepEqual([host.flags(2), host.get16(2, 0x26)], [0, 0]);
  host.chip.receive(datagram(5002, pattern(11)));
  host.chip.receive(datagram(5004, pattern(12), { checksum: 0 }));
  host.chip.receive(datagram(5002, pattern(0)));
  t.true(host.take(2, IR.RECV));
  const record = (data: Uint8Array): Uint8Array =>
    concat(be32(PEER.address), be16(4000), be16(data.length), data);
  t.deepEqual(host.recv(2), concat(record(pattern(11)), record(pattern(0))));
  t.deepEqual(host.recv(4), record(pattern(12)));
  host.chip.receive(datagram(5002, pattern(1400)));
  host.chip.receive(datagram(5002, pattern(1400)));
  t.is(host.get16(2, 0x26), 1408);
  t.deepEqual(host.recv(2), record(pattern(1400)));
});

test("UDP: BCASTB keeps broadcasts out", (t) => {
  const host = new SocketHost();
  const everybody = { destination: 0xffffffff, mac: ALL_STATIONS };
  for (const [mode, bytes] of [
    [UDP, 18],
    [UDP | 0x40, 0],
  ] as const) {
    host.open(1, mode, 5001);
    host.chip.receive(datagram(5001, pattern(10), everybody));
    t.is(host.get16(1, 0x26), bytes);
  }
});

test("UDP with MULTI: IGMP at OPEN and CLOSE, the group's datagrams, UCASTB without those to the chip alone", (t) => {
  const host = new SocketHost();
  const group = ip("239.1.2.3");
  const mac = "01:00:5e:01:02:03";
  for (const [mode, types] of [
    [0x82, [0x16, 0x17]],
    [0xb2, [0x12]],
  ] as const) {
    host.sent.length = 0;
    host.spi.write(socketBlock(1), 0x06, ...macBytes(mac));
    host.to(1, group, 6000);
    host.open(1, mode, 6000);
    host.chip.receive(datagram(6000, pattern(10), { destination: group, mac }));
    host.chip.receive(datagram(6000, pattern(11), { destination: ip("239.1.2.4"), mac }));
    host.chip.receive(datagram(6000, pattern(12)));
    t.is(host.get16(1, 0x26), mode & 0x10 ? 18 : 38);
    host.recv(1);
    host.send(1, pattern(9));
    t.true(host.take(1, IR.SENDOK));
    host.command(1, CR.CLOSE);
    host.wait(1);
    const igmp = host.sent.filter((f) => f.ip?.protocol === PROTOCOL.IGMP);
    t.deepEqual(
      igmp.map((f) => f.ip?.payload[0]),
      [...types],
    );
    t.deepEqual(
      igmp.map((f) => f.ip?.ttl),
      types.map(() => 1),
    );
    const [out] = host.sent.filter((f) => f.udp);
    t.deepEqual([out?.destination, out?.ip?.destination], [mac, group]);
  }
});

test("IP: the host's own ping, and what comes of another protocol is not its", (t) => {
  const host = new SocketHost();
  answering(host, PEER);
  host.spi.write(socketBlock(1), 0x14, PROTOCOL.ICMP);
  host.open(1, 3, 0);
  t.is(host.status(1), SR.IPRAW);
  host.to(1, PEER.address, 0);
  const request = icmpMessage({ type: 8, rest: 0x00010002 }, pattern(32));
  host.send(1, request);
  t.true(host.take(1, IR.SENDOK));
  const out = host.sent[1];
  t.deepEqual([out?.ip?.protocol, out?.icmp?.type, out?.icmp?.data], [1, 8, pattern(32)]);
  const reply = icmpMessage({ type: 0, rest: 0x00010002 }, pattern(32));
  const back = { source: PEER.address, destination: CHIP.address, protocol: PROTOCOL.ICMP };
  const macs = { destination: CHIP.mac, source: PEER.mac };
  host.chip.receive(ethernetFrame(macs, ipv4Packet({ ...back, protocol: PROTOCOL.GRE }, reply)));
  host.chip.receive(ethernetFrame(macs, ipv4Packet(back, reply)));
  t.deepEqual(host.recv(1), concat(be32(PEER.address), be16(reply.length), reply));
});

test("IR.UNREACH: UIPR and UPORTR say whose port it was", (t) => {
  const host = new SocketHost();
  answering(host, PEER);
  host.open(1, UDP, 5001);
  host.to(1, PEER.address, 7007);
  host.send(1, pattern(30));
  t.true(host.take(1, IR.SENDOK));
  const [, out] = host.sent;
  const inner = (out?.bytes ?? new Uint8Array(0)).subarray(14, 14 + 28);
  host.chip.receive(
    ethernetFrame(
      { destination: CHIP.mac, source: PEER.mac },
      ipv4Packet(
        { source: PEER.address, destination: CHIP.address, protocol: PROTOCOL.ICMP },
        icmpMessage({ type: 3, code: 3 }, inner),
      ),
    ),
  );
  t.is(host.spi.read8(COMMON, 0x15), 0x40);
  t.deepEqual(host.spi.read(COMMON, 0x28, 6), [...be32(PEER.address), ...be16(7007)]);
});
