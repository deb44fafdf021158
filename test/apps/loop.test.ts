/** One program of the event loop, over epoll and over the completion queue. */
import test from "ava";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { Lan } from "../../host-tools/testing/lan.js";

const APP = "test/device/loop";

/** What the program tells, from its first tick to its end. */
async function told(LOOP_RING: number): Promise<string[]> {
  const lan = new Lan();
  const device = await lan.device({ app: APP, options: { LOOP_RING } });
  await device.logged("the end");
  const lines = device.log.map(({ text }) => text);
  lan.close();
  return lines.slice(
    lines.findIndex((text) => text.includes("tick 1")),
    lines.findIndex((text) => text.includes("the end")) + 1,
  );
}

test("the same program text tells the same over epoll and over the completion queue", async (t) => {
  const byEpoll = await told(0);
  // Which of two that are ready comes first is promised by neither.
  t.deepEqual((await told(1)).sort(), [...byEpoll].sort());
  t.true(byEpoll.includes("open, context 30, events 4"));
  t.is(byEpoll.filter((text) => text.startsWith("the server has")).length, 4);
  t.is(byEpoll.filter((text) => text === "handler 7, context 70").length, 1);
  t.true(byEpoll.some((text) => text.startsWith("answer of 0, context 40")));
  t.true(byEpoll.includes("forgotten 0, again -2"), byEpoll.join("\n"));
});

test("the loop has in its image what it stands on, and not the other", async (t) => {
  for (const LOOP_RING of [0, 1]) {
    const { wasm } = await compileFirmware({
      board: "virtual-w5500",
      app: APP,
      options: { LOOP_RING },
      draft: false,
    });
    const has = (part: string): boolean => Buffer.from(wasm).includes(`firmware/net/${part}/`);
    t.deepEqual([has("epoll-set"), has("ring")], [LOOP_RING === 0, LOOP_RING === 1]);
  }
});

test("work that defers itself and a timer that is always due hold up neither each other nor the network", async (t) => {
  for (const LOOP_RING of [0, 1]) {
    const lan = new Lan();
    const device = await lan.device({ app: "test/device/deferring", options: { LOOP_RING } });
    const stream = await device.connect(7);
    for (const text of ["one", "two"]) {
      await stream.write(text);
      t.is((await stream.read(3)).toString(), text);
    }
    t.regex(await device.logged("go on"), /work and ticks/);
    lan.close();
  }
});
