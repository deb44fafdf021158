/** Digital pins (as-tcpip/gpio): by the event loop (test/device/pins), by a web server (test/device/web). */
import test from "ava";
import { RELEASED_MS } from "../../host-tools/sim/pins.js";
import { Lan } from "../../host-tools/testing/index.js";

test("the button is an event at once, the LED is seen, a pin follows another; nothing wakes an idle device", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "test/device/pins", address: "192.168.77.9/24" });
  await device.ready();
  const given = device.log.map(({ text }) => /watching.* gives (-?\d+)/.exec(text)?.[1]);
  t.deepEqual(given.filter(Boolean), ["0", "0", "-105", "-22"]);
  t.false(device.led);
  await lan.sleep(5000);
  const before = device.sleeps;
  await lan.sleep(10_000);
  t.true(device.sleeps - before <= 50, `${device.sleeps - before} sleeps`);
  const from = lan.clock.nowNs;
  for (const lit of [true, false, true]) {
    await device.press();
    t.is(device.led, lit);
  }
  // A program that looks at the button now and then would else take them for one.
  t.is((lan.clock.nowNs - from) / 1e6, 3 * 100 + 2 * RELEASED_MS);
  const pressed = device.log.filter(({ text }) => text.includes("button 1, pressed 1"));
  t.is(pressed.length, 3);

  t.false(device.pin(4));
  device.drive(3, true);
  await lan.sleep(1);
  t.true(device.pin(4));
  device.drive(3, false);
  await lan.sleep(1);
  t.false(device.pin(4));
  // A pulse that is over when the program looks, then nothing: the pull-down holds.
  device.drive(3, true);
  device.drive(3, undefined);
  await lan.sleep(1);
  t.false(device.pin(4));
  const edges = device.log.map(({ text }) => /edges (\d)/.exec(text)?.[1]).filter(Boolean);
  t.deepEqual(edges, ["1", "2", "3"]);
  lan.close();
});

test("a web server has pins in its loop", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "test/device/web" });
  await device.connect(80);
  await device.press();
  t.true(device.led);
  t.truthy(await device.logged("button"));
  lan.close();
});
