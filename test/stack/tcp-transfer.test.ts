import test from "../conformance/proves.js";
import { createHash } from "node:crypto";
import { Random } from "../../host-tools/sim/random.js";
import { POLLIN, POLLOUT, SOCK_STREAM } from "../support/stack-harness.js";
import { ADDRESS_B, StackPair, type Trouble } from "../support/stack-pair.js";
import type { Options } from "../../stack/options.js";
import { TIGHT } from "../support/option-sets.js";

/** `bytes` pseudo-random bytes. */
function noise(bytes: number, seed: number): Uint8Array {
  const random = new Random(seed);
  return Uint8Array.from({ length: bytes }, () => random.below(256));
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Sends bytes from A to B and the same back through an echo on B; both sides then close. Returns the pair. */
async function echo(
  bytes: number,
  trouble: Trouble,
  options: Partial<Options> = {},
): Promise<{ pair: StackPair; sent: Uint8Array; got: Uint8Array }> {
  const pair = await StackPair.create(trouble, options);
  const { a, b } = pair;
  const sent = noise(bytes, trouble.seed ?? 1);
  const got = new Uint8Array(bytes);
  const listener = b.listen(7);
  const client = a.socket(SOCK_STREAM);
  a.wasm.sysConnect(client, ADDRESS_B, 7);
  let server = -1;
  let held: Uint8Array = new Uint8Array(0);
  let out = 0;
  let back = 0;
  let shut = false;
  let serverDone = false;
  let ended = false;
  pair.until(
    () => {
      if (server < 0) server = b.wasm.sysAccept(listener);
      if (server >= 0 && !serverDone) {
        for (;;) {
          if (held.length === 0) {
            const data = b.receive(server, 1000);
            if (typeof data === "number") break;
            if (data.length === 0) {
              b.wasm.sysClose(server);
              serverDone = true;
              break;
            }
            held = data;
          }
          const taken = b.send(server, held);
          if (taken <= 0) break;
          held = held.slice(taken);
        }
      }
      while (out < bytes) {
        const taken = a.send(client, sent.subarray(out, out + 1500));
        if (taken <= 0) break;
        out += taken;
      }
      if (out === bytes && !shut) shut = a.wasm.sysShutdown(client, 1) === 0;
      for (;;) {
        const data = a.receive(client);
        if (typeof data === "number") {
          if (data !== -11) throw new Error(`client: ${data}`);
          break;
        }
        if (data.length === 0) {
          ended = true;
          break;
        }
        got.set(data, back);
        back += data.length;
      }
      return ended;
    },
    `echo of ${bytes} bytes, ${back} came back, ${JSON.stringify(trouble)}`,
  );
  a.wasm.sysClose(client);
  b.wasm.sysClose(listener);
  return { pair, sent, got: got.subarray(0, back) };
}

test("a stream arrives whole and in order on a clean wire", async (t) => {
  const { sent, got } = await echo(300_000, {});
  t.is(digest(got), digest(sent));
});

for (const trouble of [
  { loss: 5 },
  { loss: 20 },
  { reorder: 20 },
  { duplicate: 20 },
  { corrupt: 5 },
  { loss: 5, reorder: 5, duplicate: 2, corrupt: 1, delayMs: 10 },
]) {
  for (const seed of [1, 2, 3]) {
    test(`a stream arrives whole over ${JSON.stringify(trouble)}, seed ${seed}`, async (t) => {
      const { sent, got } = await echo(60_000, { ...trouble, seed });
      t.is(digest(got), digest(sent));
    });
  }
}

test("a stream arrives whole through rings smaller than a segment", async (t) => {
  const { sent, got } = await echo(40_000, { loss: 3, reorder: 5, seed: 9 }, TIGHT);
  t.is(digest(got), digest(sent));
});

test("tables are back at their level after both sides have closed and 2 MSL have passed", async (t) => {
  const { pair } = await echo(20_000, { loss: 5, seed: 4 });
  const end = pair.nowMs + 200_000;
  pair.until(() => pair.nowMs >= end, "time");
  t.deepEqual(pair.a.tables(), [0, 0, 0, 0]);
  t.deepEqual(pair.b.tables(), [0, 0, 0, 0]);
});

test("poll: a connection that is open is writable, and readable once text has come", async (t) => {
  const pair = await StackPair.create();
  const { a, b } = pair;
  const listener = b.listen(9);
  const client = a.socket(SOCK_STREAM);
  t.is(a.wasm.sysConnect(client, ADDRESS_B, 9), -115);
  t.is(a.wasm.sysEvents(client), 0);
  pair.until(() => a.wasm.sysEvents(client) === POLLOUT, "connect");
  pair.until(() => b.wasm.sysEvents(listener) === POLLIN, "accept queue");
  const server = b.wasm.sysAccept(listener);
  t.is(b.wasm.sysEvents(server), POLLOUT);
  a.send(client, Uint8Array.of(1));
  pair.until(() => (b.wasm.sysEvents(server) & POLLIN) !== 0, "text");
  t.deepEqual(b.receive(server), Uint8Array.of(1));
  t.is(b.wasm.sysEvents(server), POLLOUT);
});
