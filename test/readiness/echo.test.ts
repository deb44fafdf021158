/** UDP echo through the demo, in simulated time: the answer comes at once, not at a tick. */
import test from "ava";
import { Lan } from "../../host-tools/testing/index.js";

const ROUNDS = 31;

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  test(`${board}: the median of ${ROUNDS} datagrams is back within a millisecond, the slowest within two`, async (t) => {
    const lan = new Lan();
    const device = await lan.device({ app: "demo", board });
    await device.ready();
    const socket = (await lan.host()).udp();
    const times: number[] = [];
    for (let i = 0; i < ROUNDS; i++) {
      // No multiple of any period of the drivers between two of them.
      await lan.sleep(37);
      const sinceNs = lan.clock.nowNs;
      socket.send(`ping ${i}`, device, 7);
      t.is((await socket.receive()).data.toString(), `ping ${i}`);
      // The first one asks for the neighbour.
      if (i > 0) times.push((lan.clock.nowNs - sinceNs) / 1e6);
    }
    times.sort((a, b) => a - b);
    t.true((times[times.length >> 1] ?? 9) < 1, `median ${times[times.length >> 1]} ms`);
    t.true((times.at(-1) ?? 9) < 2, `slowest ${times.at(-1)} ms`);
    lan.close();
  });
}
