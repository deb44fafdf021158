/**
 * Every call in every state, with what nobody should pass, on our sockets in virtual time and on this machine's kernel: both give the
 * same, or docs/sockets.md says why not. Each call is done on a socket that was brought into its state for it alone.
 */
import { readFileSync } from "node:fs";
import test from "ava";
import { Random } from "../../host-tools/sim/random.js";
import { type Calls } from "./calls.js";
import type { Result } from "./ends.js";
import { kernelAvailable, kernelCalls, kernelPrivileged } from "./kernel.js";
import { callsFor, type Misuse } from "./misuse-calls.js";
import { DIFFERENCES } from "./misuse-differences.js";
import { STATES, type State } from "./misuse-states.js";
import { ourCalls } from "./ours.js";

const SEED = 20261126;
const kernel = kernelAvailable();
const privileged = kernel && kernelPrivileged();

/** Calls that keep account of the descriptors they give out. */
function tracked(calls: Calls): { calls: Calls; closeAll(): Promise<void> } {
  const open = new Set<number>();
  const kept = async (result: Promise<number>): Promise<number> => {
    const fd = await result;
    if (fd >= 0) open.add(fd);
    return fd;
  };
  const socketpair: Calls["socketpair"] = async (...how) => {
    const fds = await calls.socketpair(...how);
    if (typeof fds !== "number") for (const fd of fds) open.add(fd);
    return fds;
  };
  const close: Calls["close"] = (fd) => {
    open.delete(fd);
    return calls.close(fd);
  };
  return {
    calls: {
      ...calls,
      socket: (...how) => kept(calls.socket(...how)),
      accept: (fd) => kept(calls.accept(fd)),
      dup: (fd) => kept(calls.dup(fd)),
      socketpair,
      close,
    },
    async closeAll() {
      for (const fd of open) {
        // By RST, so that nothing of one case is left for the next one.
        await calls.linger(fd, 0);
        await calls.close(fd);
      }
      open.clear();
    },
  };
}

/** What each call gives in this state. */
async function answers(calls: Calls, state: State, asked: Misuse[]): Promise<Map<string, Result>> {
  const all = new Map<string, Result>();
  const own = tracked(calls);
  for (const { title, run } of asked) {
    all.set(title, await run(own.calls, await state.make(own.calls)));
    await own.closeAll();
  }
  calls.end();
  return all;
}

const found = new Set<string>();

STATES.forEach((state, number) => {
  const compared = state.privileged ? privileged : kernel;
  const asks = (): Misuse[] => {
    const random = new Random(SEED + number);
    return callsFor(state, (below) => random.below(below));
  };
  test.serial(`${state.title}: ${asks().length} calls, right and wrong`, async (t) => {
    const ours = await answers(await ourCalls(), state, asks());
    const theirs = compared ? await answers(kernelCalls(), state, asks()) : ours;
    const surprises: string[] = [];
    for (const [call, result] of ours) {
      if (result === theirs.get(call)) continue;
      const known = DIFFERENCES.findIndex((d) => d.state.test(state.title) && d.call.test(call));
      if (known >= 0) found.add(String(known));
      else surprises.push(`${call}: ${result} here, ${theirs.get(call)} there`);
    }
    t.deepEqual(surprises, []);
  });
});

(privileged ? test.serial : test.skip)("every known difference is one, and has its row", (t) => {
  const page = readFileSync("docs/sockets.md", "utf8");
  DIFFERENCES.forEach(({ row }, number) => {
    t.true(found.has(String(number)), `${row}: ${DIFFERENCES[number]?.call} does not differ`);
    t.true(page.includes(`\n| ${row}`), `docs/sockets.md has no row "${row}"`);
  });
});
