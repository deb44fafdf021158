import test from "ava";
import { RealClock } from "../../host-tools/sim/world-clock.js";

test("actions run in the order of their instants, none before its time", async (t) => {
  const clock = new RealClock();
  const order: number[] = [];
  const at = (delayNs: number): Promise<void> => {
    const dueNs = clock.nowNs + delayNs;
    return new Promise((resolve) => {
      clock.schedule(delayNs, () => {
        t.true(clock.nowNs >= dueNs);
        order.push(dueNs);
        resolve();
      });
    });
  };
  await Promise.all([at(8e6), at(0), at(3e6), at(8e6)]);
  // Their instants are what they are: time goes on between the calls, too.
  t.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  t.is(order.length, 4);
  clock.stop();
});

test("a cancelled action does not run, nor does anything after stop", async (t) => {
  const clock = new RealClock();
  clock.schedule(1e6, () => t.fail())();
  await new Promise<void>((resolve) => clock.schedule(2e6, resolve));
  clock.schedule(1e6, () => t.fail());
  clock.stop();
  const other = new RealClock();
  await new Promise<void>((resolve) => other.schedule(5e6, resolve));
  t.pass();
});

test("an action may schedule the next one, and an earlier one than those that wait", async (t) => {
  const clock = new RealClock();
  const order: number[] = [];
  await new Promise<void>((resolve) => {
    clock.schedule(20e6, () => {
      order.push(3);
      resolve();
    });
    clock.schedule(1e6, () => {
      order.push(1);
      clock.schedule(1e6, () => order.push(2));
    });
  });
  t.deepEqual(order, [1, 2, 3]);
  clock.stop();
});
