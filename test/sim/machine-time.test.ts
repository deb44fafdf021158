import test from "ava";
import { PacedTime, VirtualTime, type PacedLink } from "../../host-tools/sim/machine-time.js";
import { StopSimulation } from "../../host-tools/sim/machine.js";

const never = (): boolean => false;

test("virtual time: idle jumps from event to event and ends at its limit", (t) => {
  const time = new VirtualTime();
  const seen: number[] = [];
  for (const at of [5e9, 2e9, 30e9]) time.clock.schedule(at, () => seen.push(time.clock.nowNs));
  time.idle(10e9, never);
  t.deepEqual(seen, [2e9, 5e9]);
  t.is(time.clock.nowNs, 10e9);
});

test("virtual time: idle ends at the event that wakes the machine", (t) => {
  const time = new VirtualTime();
  let interrupt = false;
  time.clock.schedule(3e9, () => (interrupt = true));
  time.idle(Infinity, () => interrupt);
  t.is(time.clock.nowNs, 3e9);
});

test("virtual time: a world in which nothing can happen any more ends", (t) => {
  t.throws(() => new VirtualTime().idle(Infinity, never), { instanceOf: StopSimulation });
});

test("virtual time: stop ends the run at the next turn, with its reason", (t) => {
  const time = new VirtualTime();
  time.clock.schedule(1e9, () => time.stop("expected"));
  const error = t.throws(() => time.idle(5e9, never), { instanceOf: StopSimulation });
  t.is(error?.reason, "expected");
  t.is(time.clock.nowNs, 1e9);
  t.throws(() => time.busy(), { instanceOf: StopSimulation });
});

test("virtual time: another thread can end the run", (t) => {
  let wanted = false;
  const time = new VirtualTime(undefined, () => wanted);
  time.busy();
  wanted = true;
  t.is(t.throws(() => time.busy(), { instanceOf: StopSimulation })?.reason, "stopped");
});

/** A paced machine whose real time goes on by `stepNs` whenever it is looked at. */
function paced(
  stepNs: number,
  link: Partial<PacedLink> = {},
): { time: PacedTime; real: () => number } {
  let realNs = 0;
  const time = new PacedTime(
    {
      collect: () => undefined,
      pending: never,
      stopWanted: never,
      bell: new Int32Array(new SharedArrayBuffer(4)),
      ...link,
    },
    () => (realNs += stepNs),
  );
  return { time, real: () => realNs };
}

test("paced: a busy machine is held until real time has caught up", (t) => {
  const { time, real } = paced(300_000);
  for (let i = 0; i < 20; i++) {
    time.clock.advance(100_000);
    time.busy();
    t.true(time.clock.nowNs <= real());
  }
});

test("paced: no event runs before its real time, and idle ends at its limit", (t) => {
  const { time, real } = paced(200_000);
  const late: number[] = [];
  for (const at of [1e6, 2e6, 3e6]) {
    time.clock.schedule(at, () => {
      t.true(real() >= time.clock.nowNs);
      late.push(time.clock.nowNs);
    });
  }
  time.idle(2.5e6, never);
  t.deepEqual(late, [1e6, 2e6]);
  t.is(time.clock.nowNs, 2.5e6);
});

test("paced: a machine that is behind catches up without waiting, event by event", (t) => {
  const { time } = paced(1e9);
  const seen: number[] = [];
  for (const at of [10e6, 20e6]) time.clock.schedule(at, () => seen.push(time.clock.nowNs));
  time.idle(50e6, never);
  t.deepEqual(seen, [10e6, 20e6]);
});

test("paced: what the other thread has sent is collected, and can wake the machine", (t) => {
  let sent = true;
  let arrived = false;
  const { time } = paced(1e6, {
    collect: () => {
      if (!sent) return;
      sent = false;
      time.clock.schedule(120_000, () => (arrived = true));
    },
    pending: () => sent,
  });
  time.idle(Infinity, () => arrived);
  t.is(time.clock.nowNs, 120_000);
});

test("paced: the other thread can end the run", (t) => {
  const { time } = paced(1e6, { stopWanted: () => true });
  t.throws(() => time.idle(Infinity, never), { instanceOf: StopSimulation });
  const other = paced(1e6, { stopWanted: () => true }).time;
  other.clock.advance(1e6);
  t.throws(() => other.busy(), { instanceOf: StopSimulation });
});
