import test from "ava";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../host-tools/root.js";
import { DEVICE_ADDRESS, type Script } from "../apps/bench.js";
import { get, parseResponse } from "../apps/http.js";
import type { EthernetPeer } from "../apps/peer.js";
import { EspruinoPico } from "./model/f4.js";
import { BoardWorld } from "./model/world.js";

const page = readFileSync(join(packageRoot, "firmware/demo/assets/index.html"));
const sha = (data: Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** Fetches the page, and has some bytes echoed; both must come back whole. */
function* visit(peer: EthernetPeer, got: string[]): Script {
  const web = yield* peer.connect(DEVICE_ADDRESS, 80);
  yield* web.send(get("/", "Connection: close\r\n"));
  const answer = yield* web.ended();
  got.push(sha(parseResponse(answer, false, true)?.body ?? Buffer.alloc(0)));
  web.close();
  const echo = yield* peer.connect(DEVICE_ADDRESS, 7);
  yield* echo.send(page);
  const back = yield* echo.receive((data) => data.length >= page.length);
  got.push(sha(back));
  echo.close();
}

const boards: [string, number, number][] = [
  ["bluepill-w5500", 72e6, 18e6],
  ["bluepill-enc28j60", 72e6, 18e6],
  ["espruino-pico-w5500", 84e6, 21e6],
  ["espruino-pico-enc28j60", 80e6, 20e6],
];

for (const [board, coreHz, spiHz] of boards) {
  test(`${board}: clocks, pins, SPI with DMA, EXTI and sleep serve the demo on modelled registers`, async (t) => {
    const world = await BoardWorld.create({ board });
    const got: string[] = [];
    world.run((peer) => visit(peer, got));
    t.deepEqual(got, [sha(page), sha(page)]);
    t.is(world.mcu.rcc.coreHz, coreHz);
    t.is(world.mcu.spi.sckHz, spiHz);
    t.is(world.said[0], `as-tcpip on ${board}, application demo`);
    const { bytes, dmaBytes } = world.mcu.spi;
    t.true(dmaBytes > bytes / 2, `DMA moves ${dmaBytes} of ${bytes} bytes`);
    const { sleptNs } = world.mcu.core;
    t.true(sleptNs > 0.9 * world.clock.nowNs, `asleep for ${sleptNs / world.clock.nowNs}`);
    t.true(world.mcu.watchdog.fed > 0);
  });
}

for (const [board, coreHz] of [
  ["bluepill-enc28j60", 64e6],
  ["espruino-pico-enc28j60", 76e6],
] as const) {
  test(`${board}: without a crystal it runs from the internal oscillator and says so`, async (t) => {
    const world = await BoardWorld.create({ board, faults: { noCrystal: true } });
    const got: string[] = [];
    world.run((peer) => visit(peer, got));
    t.deepEqual(got, [sha(page), sha(page)]);
    t.is(world.mcu.rcc.coreHz, coreHz);
    t.is(world.said[0], "no 8 MHz crystal, running from the internal oscillator");
  });
}

for (const [board, coreHz] of [
  ["bluepill-w5500", 8e6],
  ["espruino-pico-w5500", 16e6],
] as const) {
  test(`${board}: a PLL that does not lock ends in a slow board, not in a dead one`, async (t) => {
    const world = await BoardWorld.create({ board, faults: { noLock: true }, seconds: 3 });
    world.run();
    t.is(world.mcu.rcc.coreHz, coreHz);
    t.true(world.said.includes(`as-tcpip on ${board}, application demo`), world.said.join("; "));
  });
}

test("an Espruino Pico starts with what the boot loader left running, and switches its USB off", async (t) => {
  const world = await BoardWorld.create({ board: "espruino-pico-w5500", seconds: 0.5 });
  const mcu = world.mcu as EspruinoPico;
  t.true(mcu.usbIsOn);
  world.run();
  t.false(mcu.usbIsOn);
});

const macOf = (said: string[]): string | undefined => said.find((line) => line.startsWith("mac "));

test("RM0008 30.2: the MAC address comes from the unique id, so it is the same at every start", async (t) => {
  const first = await BoardWorld.create({ board: "bluepill-w5500", seed: 1, seconds: 0.2 });
  const second = await BoardWorld.create({ board: "bluepill-w5500", seed: 2, seconds: 0.2 });
  first.run();
  second.run();
  t.regex(macOf(first.said) ?? "", /^mac 02:/);
  t.is(macOf(first.said), macOf(second.said));
});

for (const board of ["bluepill-w5500", "espruino-pico-w5500"]) {
  test(`${board}: noise sources that stand still are reported`, async (t) => {
    const dead = await BoardWorld.create({ board, faults: { deadNoise: true }, seconds: 0.2 });
    const live = await BoardWorld.create({ board, seconds: 0.2 });
    dead.run();
    live.run();
    const warning = "a noise source for random numbers does not move";
    t.true(dead.said.includes(warning), dead.said.join("; "));
    t.false(live.said.includes(warning));
  });
}
