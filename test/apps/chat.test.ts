/** The chat (firmware/examples/chat): people by TCP, a part of the firmware by AF_UNIX, in one room. */
import test from "ava";
import { DEVICE_ADDRESS, type Script } from "./bench.js";
import { exampleBench, takeUntil } from "./examples.js";
import type { Connection } from "./peer.js";

test("lines go to all others and the clock answers; names; a full room; who reads nothing is put out, the others go on", async (t) => {
  const bench = await exampleBench("chat", { limitSeconds: 100 });
  bench.run(
    (function* () {
      const enter = (): Script<Connection> => bench.peer.connect(DEVICE_ADDRESS, 4000);
      const ann = yield* enter();
      const bob = yield* enter();
      t.is(yield* takeUntil(ann, "\n"), "* c has come\r\n");
      yield* ann.send("/nick Ann\r\n");
      yield* ann.send("hel");
      yield* ann.send("lo\r\n");
      t.is(yield* takeUntil(bob, "\n"), "Ann: hello\r\n");
      yield* bob.send("/nick a name that is too long\nwhat is the uptuptime?\n");
      t.is(yield* takeUntil(ann, "\n"), "a name that : what is the uptuptime?\r\n");
      for (const person of [ann, bob]) {
        t.regex(yield* takeUntil(person, "\n"), /^clock: up for \d+ s\r\n$/);
      }
      yield* ann.send(`${"x".repeat(300)}\n`);
      t.is(yield* takeUntil(bob, "\n"), `Ann: ${"x".repeat(80)}\r\n`);

      const more = [];
      for (let i = 0; i < 3; i++) more.push(yield* enter());
      const seventh = yield* enter();
      yield* seventh.ended();
      t.is(seventh.ending, "closed");
      seventh.close();
      // The last one reads nothing any more: in the end its window and its ring are full.
      const deaf = more[2];
      if (!deaf) throw new Error("nobody");
      deaf.paused = true;
      for (let i = 0; i < 1200; i++) {
        yield* ann.send(`${"y".repeat(79)}\n`);
        yield* takeUntil(bob, "y\r\n");
      }
      deaf.paused = false;
      yield* deaf.ended();
      t.is(deaf.ending, "closed");
      yield* bob.send("still here\n");
      yield* ann.receive((data) => data.includes("still here"));
      bob.finish();
      yield* ann.receive((data) => data.includes("* a name that  has gone"));
      t.is(ann.ending, "open");
      const eve = yield* enter();
      yield* ann.receive((data) => /has come\r\n$/.test(data.toString()));
      t.is(eve.ending, "open");
    })(),
  );
});
