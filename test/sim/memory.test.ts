/** N6: a simulation that is attacked for long keeps nothing of it. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import { Attacker } from "../../host-tools/bench/flood/attacker.js";
import { parseAddress } from "../../host-tools/net/addresses.js";
import { Lan } from "../../host-tools/testing/index.js";

const SYNS = 10_000;

test("N6: the process is no larger after 40,000 SYNs and their answers than after 20,000", async (t) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const lan = new Lan({ seed: 1, dhcp: false, limitMs: 600_000 });
  const address = "192.168.77.50/24";
  const device = await lan.device({ app: "demo", board: "virtual-w5500", address });
  const attacker = new Attacker(lan, device, parseAddress("192.168.77.1"), 1);
  await device.ready();
  const sizes: number[] = [];
  for (let round = 0; round < 4; round++) {
    let over = false;
    attacker.flood(80, SYNS, 4200, () => (over = true));
    await lan.until(() => over, "the end of the flood", 60_000);
    (await device.connect(80)).close();
    await lan.sleep(1000);
    collect();
    const { heapUsed, external } = process.memoryUsage();
    sizes.push(heapUsed + external);
  }
  t.true(attacker.answers >= 4 * SYNS);
  t.true((sizes[3] as number) - (sizes[1] as number) < 500_000, sizes.join());
  lan.close();
});
