/** An idle device wakes for its real deadlines only: idle clients cost nothing, and what is left is the look at chip and cable. */
import test from "ava";
import { Lan, type Device } from "../../host-tools/testing/index.js";

/** Looks at chip and cable in a minute (each 250 ms), and a few for ARP, which asks after those it has talked to. */
const LOOKS = 240;
const NEIGHBOURS = 8;

async function wakesInAMinute(lan: Lan, device: Device): Promise<number> {
  await lan.sleep(5_000);
  const before = device.sleeps;
  await lan.sleep(60_000);
  return device.sleeps - before;
}

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  test(`${board}: the demo wakes as seldom with idle clients as without`, async (t) => {
    const lan = new Lan();
    const device = await lan.device({ app: "demo", board });
    await device.ready();
    const alone = await wakesInAMinute(lan, device);
    t.true(alone <= LOOKS, `${alone}`);
    const streams = [];
    for (let i = 0; i < 3; i++) {
      const client = await device.connect(7);
      await client.write("x");
      await client.read(1);
      streams.push(client);
    }
    const clients = await wakesInAMinute(lan, device);
    t.true(clients <= LOOKS + NEIGHBOURS, `${clients}`);
    // They are still served, at once.
    for (const client of streams) {
      await client.write("y");
      t.is((await client.read(1)).toString(), "y");
    }
    lan.close();
  });
}
