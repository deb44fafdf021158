/** Small programs: clients that vanish or stay silent hold up nobody for ever; what can be left out is left out. */
import test from "ava";
import { Lan } from "../../host-tools/testing/index.js";

test("G3, L5: four clients of the echo program vanish without a word; keep-alive gives their places back", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "echo" });
  await device.ready();
  const gone = await lan.host();
  for (let i = 0; i < 4; i++) {
    const stream = await gone.connect(device, 7);
    await stream.write("x");
    await stream.read(1);
  }
  gone.stack.close();
  await lan.sleep(300_000);
  const stream = await device.connect(7);
  await stream.write("still here");
  t.is((await stream.read(10)).toString(), "still here");
  lan.close();
});

test("G11: seven silent connections in front of it cost a request nothing", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "http" });
  for (let i = 0; i < 7; i++) await device.connect(80);
  const since = lan.clock.nowNs;
  const stream = await device.connect(80);
  await stream.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  t.regex((await stream.readAll()).toString(), /Hello from flash/);
  t.true(lan.clock.nowNs - since < 100e6, `${(lan.clock.nowNs - since) / 1e6} ms`);
  lan.close();
});

test("K4: whatever can be left out is: the echo program with every optional part at 0", async (t) => {
  const lan = new Lan({ dhcp: false });
  const options = {
    UDP_SOCKETS: 0,
    TCP_RANGES: 0,
    TCP_SACK: 0,
    TCP_WINDOW_SCALE: 0,
    TCP_KEEPALIVE: 0,
    DHCP: 0,
    DNS_ENTRIES: 0,
    MDNS: 0,
    LOOPBACK_BYTES: 0,
    ARP_PENDING_BYTES: 0,
  };
  const device = await lan.device({ app: "echo", options, address: "192.168.77.9/24" });
  const stream = await device.connect(7);
  await stream.write("least");
  t.is((await stream.read(5)).toString(), "least");
  lan.close();
});
