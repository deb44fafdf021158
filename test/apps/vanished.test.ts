/** Clients that vanish or stay silent hold up nobody for ever. */
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
