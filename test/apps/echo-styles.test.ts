/** The same echo in six styles, and by workers (firmware/examples): one script for all. */
import test from "ava";
import { appFileName, appFolder } from "../../host-tools/build/apps.js";
import { type Bench, DEVICE_ADDRESS, type Script } from "./bench.js";
import { exampleBench, type Example } from "./examples.js";

const TEXT = Buffer.from(
  Array.from({ length: 20_000 }, (_unused, i) => 33 + ((i * 7 + (i >> 8)) % 94)),
);

/** Sends text, finishes its side, and takes what comes back meanwhile. */
function* echoed(bench: Bench, text: Buffer): Script<boolean> {
  const client = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
  yield* client.send(text);
  client.finish();
  const back = yield* client.ended();
  const whole = client.ending === "closed" && back.equals(text);
  client.close();
  return whole;
}

/** Each program, how many workers it has, and whether a client may have to wait for another one. */
const PROGRAMS: [name: Example, workers: number, oneAtATime: boolean][] = [
  ["echo-blocking", 0, true],
  ["echo-poll", 0, false],
  ["echo-select", 0, false],
  ["echo-epoll", 0, false],
  ["echo-ring", 0, false],
  ["echo-loop", 0, false],
  ["worker-one", 1, true],
  ["worker-shared", 4, false],
  ["worker-reuseport", 3, true],
];

for (const [name, workers, oneAtATime] of PROGRAMS) {
  test(`${name}: six clients at once, text larger than every ring, half-closed; one that does not read`, async (t) => {
    t.true(appFolder(name).endsWith(`firmware/examples/${name}`));
    t.is(appFileName(name), name);
    const bench = await exampleBench(name, { limitSeconds: 60 });
    bench.run(
      (function* () {
        const clients = [...Array(6).keys()].map((i) => echoed(bench, TEXT.subarray(i * 900)));
        t.deepEqual(yield* bench.all(clients), Array(6).fill(true));
        // One that does not read holds up nobody where several are served at once, and elsewhere for ten seconds.
        const greedy = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
        greedy.paused = true;
        bench.start(greedy.send(Buffer.concat([TEXT, TEXT, TEXT])));
        yield* bench.sleep(500);
        const start = bench.nowMs;
        t.true(yield* echoed(bench, TEXT.subarray(0, 100)));
        t.true(bench.nowMs - start < (oneAtATime ? 11_000 : 50), `${bench.nowMs - start} ms`);
        greedy.abort();
        t.true(yield* echoed(bench, Buffer.alloc(0)));
      })(),
    );
    const used = bench.world.log.flatMap(({ text }) => /^worker (\d)/.exec(text)?.[1] ?? []);
    t.is(new Set(used).size, workers);
  });
}
