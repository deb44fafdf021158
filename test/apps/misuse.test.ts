/**
 * The face of the sockets under misuse, over the loopback device (test/device/misuse): as WebAssembly, and as the guarded native build,
 * where a byte too far ends the run.
 */
import test from "ava";
import { hasTool } from "../../host-tools/build/device/tools.js";
import { CC } from "../../host-tools/native/build.js";
import { Lan } from "../../host-tools/testing/index.js";
import { deviceBench } from "../support/device-bench.js";

const APP = "test/device/misuse";

test("bad descriptors, lengths, families and links give errors; a storm of calls does no harm", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: APP });
  await device.logged("storm: 20000 calls", 600_000);
  t.deepEqual(
    device.log.filter(({ level }) => level === "error"),
    [],
  );
  lan.close();
});

(hasTool(CC) ? test : test.skip)("the same in the guarded build", async (t) => {
  const here = await deviceBench({
    board: "virtual-w5500",
    app: APP,
    native: true,
    timeoutNs: 600e9,
  });
  here.peer.run(
    (function* () {
      while (!here.world.log.some(({ text }) => text.includes("storm:")))
        yield* here.peer.sleep(500);
      here.world.stop();
    })(),
  );
  const { reason, message } = here.world.run();
  t.is(reason, "stopped", message);
  t.deepEqual(
    here.world.log.filter(({ level }) => level === "error"),
    [],
  );
});
