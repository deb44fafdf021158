import test from "ava";
import { Random } from "../../host-tools/sim/random.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";

test("VirtualClock: actions run at their instant, and in the order of scheduling within one", (t) => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const note = (name: string) => () => void ran.push(`${name}@${clock.nowNs}`);
  clock.schedule(20, note("c"));
  clock.schedule(10, note("a"));
  clock.schedule(10, note("b"));
  clock.advance(9);
  t.deepEqual(ran, []);
  clock.advance(1);
  t.deepEqual(ran, ["a@10", "b@10"]);
  clock.advance(100);
  t.deepEqual(ran, ["a@10", "b@10", "c@20"]);
  t.is(clock.nowNs, 110);
});

test("VirtualClock: an action may schedule another, at once too", (t) => {
  const clock = new VirtualClock();
  const ran: number[] = [];
  clock.schedule(10, () => {
    clock.schedule(0, () => void ran.push(clock.nowNs));
    clock.schedule(5, () => void ran.push(clock.nowNs));
  });
  clock.advance(12);
  t.deepEqual(ran, [10]);
  t.is(clock.nextNs, 15);
  t.true(clock.runNext());
  t.deepEqual(ran, [10, 15]);
  t.false(clock.runNext());
});

test("VirtualClock: a cancelled action does not run; cancelling twice or too late is harmless", (t) => {
  const clock = new VirtualClock();
  let ran = 0;
  const cancel = clock.schedule(10, () => void ran++);
  const late = clock.schedule(5, () => void ran++);
  cancel();
  cancel();
  clock.advance(20);
  late();
  t.is(ran, 1);
  t.is(clock.nextNs, undefined);
});

test("VirtualClock: an action cannot advance the clock, and a delay is not negative", (t) => {
  const clock = new VirtualClock();
  clock.schedule(10, () => clock.advanceTo(20));
  t.throws(() => clock.advance(10), { message: /must not advance/ });
  t.throws(() => clock.schedule(-1, () => undefined), { instanceOf: RangeError });
  t.throws(() => clock.schedule(NaN, () => undefined), { instanceOf: RangeError });
});

test("VirtualClock: thousands of actions, many cancelled, run in order", (t) => {
  const clock = new VirtualClock();
  const random = new Random(1);
  const expected: { atNs: number; order: number }[] = [];
  const ran: { atNs: number; order: number }[] = [];
  for (let order = 0; order < 5000; order++) {
    const item = { atNs: random.below(1000), order };
    const cancel = clock.schedule(item.atNs, () => void ran.push(item));
    if (random.chance(0.7)) cancel();
    else expected.push(item);
  }
  expected.sort((a, b) => a.atNs - b.atNs || a.order - b.order);
  clock.advance(1000);
  t.deepEqual(ran, expected);
});
