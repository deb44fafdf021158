import test from "ava";
import { Lan, wire } from "../../host-tools/testing/index.js";

const PINGS = 20;

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  test(`each ping is answered once while a transfer fills all slots for sending, and is counted once (${board})`, async (t) => {
    const lan = new Lan({ seed: 3, dhcp: false });
    const device = await lan.device({ app: "demo", board, address: "192.168.77.50/24" });
    const stream = await device.connect(19);
    const { stack } = await lan.peer();
    let bytes = 0;
    stack.onProgress = () => {
      for (let got = 1; got > 0; bytes += Math.max(got, 0)) got = stack.recv(stream.fd, 65536);
    };
    stack.wake();
    const station = lan.station();
    const before = { ...device.counters };
    for (let i = 0; i < PINGS; i++) {
      station.send(station.to(device).echo(new Uint8Array(700), 1, i));
      const reply = await station.expect(({ icmp }) => icmp?.type === 0, `reply ${i}`, 200);
      t.is((reply.icmp?.rest ?? 0) & 0xffff, i);
      t.is(reply.icmp?.data.length, 700);
      await lan.sleep(20);
    }
    t.is(station.received.filter(({ icmp }) => icmp).length, 0);
    const counted = (name: string): number =>
      (device.counters[name] as number) - (before[name] as number);
    t.is(counted("ICMP_IN"), PINGS);
    t.is(counted("IP_IN"), PINGS + counted("TCP_IN"));
    t.is(counted("ETHERNET_IN"), counted("IP_IN") + counted("ARP_IN"));
    t.true(bytes > 100_000, `${bytes} bytes of the transfer`);
    lan.close();
  });

  test(`newcomers are let in at once while a transfer fills all slots for sending (${board})`, async (t) => {
    const lan = new Lan({ seed: 3, dhcp: false });
    const device = await lan.device({ app: "demo", board, address: "192.168.77.50/24" });
    const stream = await device.connect(19);
    const { stack } = await lan.peer();
    stack.onProgress = () => {
      for (let got = 1; got > 0;) got = stack.recv(stream.fd, 65536);
    };
    stack.wake();
    await lan.sleep(100);
    for (let i = 0; i < 8; i++) {
      const startNs = lan.clock.nowNs;
      const newcomer = await device.connect(7);
      const ms = (lan.clock.nowNs - startNs) / 1e6;
      t.true(ms < 50, `the handshake of newcomer ${i} took ${ms} ms`);
      newcomer.close();
      await lan.sleep(30);
    }
    lan.close();
  });
}

for (const [board, window] of [
  ["virtual-w5500", 8192],
  ["virtual-enc28j60", 3 * 1460],
] as const) {
  test(`the first window promises no more than ring and chip hold (${board})`, async (t) => {
    const lan = new Lan({ seed: 3, dhcp: false });
    const device = await lan.device({ app: "demo", board, address: "192.168.77.50/24" });
    (await device.connect(7)).close();
    const station = lan.station();
    station.send(
      station
        .to(device)
        .tcp({ sourcePort: 5000, destinationPort: 7, seq: 1000, flags: wire.TCP.SYN }),
    );
    const answer = await station.expect(({ tcp }) => tcp?.ack === 1001, "the SYN-ACK", 200);
    t.is(answer.tcp?.window, window);
    lan.close();
  });
}

test("on a wire that others fill, where hardly an answer gets out, the device goes on receiving", async (t) => {
  const lan = new Lan({ seed: 3, dhcp: false });
  const device = await lan.device({
    app: "demo",
    board: "virtual-enc28j60",
    address: "192.168.77.50/24",
  });
  (await device.connect(7)).close();
  const station = lan.station();
  const to = station.to(device);
  const before = { ...device.counters };
  // A datagram of full length takes 1.2 ms of the wire, a ping a tenth of that.
  for (let ms = 0; ms < 1000; ms++) {
    station.send(to.udp({ sourcePort: 9, destinationPort: 9 }, new Uint8Array(1472)));
    for (let i = 0; i < 2; i++) station.send(to.echo(new Uint8Array(56), 1, ms));
    await lan.sleep(1);
  }
  const got = (device.counters["IP_IN"] as number) - (before["IP_IN"] as number);
  t.true(got > 2400, `${got} packets in a second`);
  lan.close();
});
