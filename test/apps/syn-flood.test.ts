import test from "../conformance/proves.js";
import { Random } from "../../host-tools/sim/random.js";
import { Peer } from "../support/wire-peer.js";
import { macText } from "../support/wire.js";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { get, request } from "./http.js";

const SYN = 2;
const REQUESTS = 40;

/** Simulated milliseconds that requests on one kept connection take, its handshake apart. */
function* keptRequests(bench: Bench): Script<number> {
  const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
  const start = bench.nowMs;
  for (let i = 0; i < REQUESTS; i++) {
    const response = yield* request(connection, get("/style.css"));
    if (response?.status !== 200) throw new Error(`request ${i} has no answer`);
  }
  const taken = bench.nowMs - start;
  connection.close();
  return taken;
}

for (const [board, syns] of [
  ["virtual-w5500", 20_000],
  ["virtual-enc28j60", 5000],
] as const) {
  test(`S-1: after ${syns} SYNs from nobody a kept connection is as fast as before, at once (${board})`, async (t) => {
    const bench = await Bench.create({ board });
    const random = new Random(7);
    let mac = "";
    const wire = bench.world.lan.ethernet.attach("attacker", (frame) => {
      // What the device tells of its address.
      if (Buffer.from(frame).readUInt32BE(28) === DEVICE_ADDRESS && frame[13] === 6)
        mac = macText(frame.subarray(6, 12));
    });
    bench.run(
      (function* () {
        const before = yield* keptRequests(bench);
        const nobody = new Peer("02:00:00:00:00:66", 0, mac, DEVICE_ADDRESS);
        for (let i = 0; i < syns; i++) {
          const source = nobody.as(0x0b00_0000 + random.below(0xff_ffff));
          wire.send(
            source.tcp({
              sourcePort: 1024 + random.below(60_000),
              destinationPort: 80,
              seq: random.u32(),
              flags: SYN,
              options: { mss: 1460 },
            }),
          );
          if (i % 4 === 3) yield* bench.sleep(1);
        }
        const after = yield* keptRequests(bench);
        t.true(after <= before * 1.2, `${before} ms before, ${after} ms after`);
      })(),
    );
  });
}
