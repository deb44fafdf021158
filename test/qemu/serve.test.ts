import { readFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { packageRoot } from "../../host-tools/root.js";
import { PERFECT } from "../../host-tools/net/link.js";
import { Random } from "../../host-tools/sim/random.js";
import { Bench, DEVICE_ADDRESS, type Script } from "../apps/bench.js";
import { converse, get } from "../apps/http.js";
import type { EthernetPeer } from "../apps/peer.js";
import { SMALL, framesOf, qemuTest } from "./support.js";

const page = readFileSync(join(packageRoot, "firmware/demo/assets/index.html"));
const sha = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

for (const board of ["espruino-pico-w5500", "espruino-pico-enc28j60"]) {
  qemuTest(`the ${board} image with the demo serves its page and logs over its UART`, async (t) => {
    const bench = await Bench.create({ board });
    const { responses } = bench.run(converse(bench, 80, get("/", "Connection: close\r\n")));
    t.is(responses[0]?.status, 200);
    t.is(sha(responses[0]?.body as Buffer), sha(page));
    const said = bench.world.log.map((line) => line.text);
    t.true(said.includes(`as-tcpip on ${board}, application demo`), said.join("; "));
    t.true(
      said.some((text) => text.startsWith("link up")),
      said.join("; "),
    );
  });
}

qemuTest(
  "the bluepill-w5500 image starts on an STM32F1 with 8 KB of RAM and serves HTTP",
  async (t) => {
    const bench = await Bench.create({ board: "bluepill-w5500", app: "http", options: SMALL });
    const raw = bench.run(
      (function* (): Script<Buffer> {
        const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 80);
        yield* connection.send(get("/"));
        return yield* connection.ended();
      })(),
    );
    t.regex(raw.toString("latin1"), /^HTTP\/1\.0 200 OK\r\n.*<h1>Hello from flash<\/h1>\n$/s);
    const said = bench.world.log.map((line) => line.text);
    t.true(said.includes("as-tcpip on bluepill-w5500, application http"), said.join("; "));
  },
);

qemuTest(
  "the bluepill-enc28j60 demo serves four connections at once and echoes under loss",
  async (t) => {
    const bench = await Bench.create({
      board: "bluepill-enc28j60",
      impairments: { ...PERFECT, lossPercent: 3 },
      seed: 5,
    });
    const random = new Random(3);
    const sent = Buffer.alloc(16384);
    random.fill(sent);
    const echo = function* (): Script<string> {
      const connection = yield* bench.peer.connect(DEVICE_ADDRESS, 7);
      bench.start(connection.send(sent));
      const got = yield* connection.receive((data) => data.length >= sent.length);
      connection.close();
      return sha(got);
    };
    const hashes = bench.run(bench.all([echo(), echo(), echo(), echo()]));
    t.deepEqual(hashes, Array(4).fill(sha(sent)));
  },
);

qemuTest(
  "Thumb code and WebAssembly of one source send the same frames at the same time",
  async (t) => {
    const script = function* (peer: EthernetPeer): Script {
      for (const [port, text] of [
        [80, get("/", "Connection: close\r\n")],
        [7, "forty bytes, sent two hundred times over".repeat(200)],
      ] as const) {
        const connection = yield* peer.connect(DEVICE_ADDRESS, port);
        yield* connection.send(text);
        connection.finish();
        yield* connection.ended();
        connection.close();
      }
    };
    const model = "espruino-pico-w5500";
    const thumb = await framesOf(model, model, script);
    const wasm = await framesOf("virtual-w5500", model, script);

    t.true(thumb.length >= 12);
    t.deepEqual(thumb, wasm);
  },
);
