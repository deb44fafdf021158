/** Counters have one list, an enum of device code; whoever shows them has the same names in the same order. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { counterNames } from "../../host-tools/testing/counters.js";
import { NIC_COUNTERS } from "../../host-tools/testing/nic-harness.js";
import { COUNTERS } from "../support/stack-harness.js";

const source = (path: string): string => readFileSync(join(packageRoot, path), "utf8");

const camel = (name: string): string =>
  name.toLowerCase().replace(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());

test("the status document names every counter of the stack, then every one of the frame device", (t) => {
  const body = /enum NicCounter \{([^}]*)\}/.exec(source("drivers/nic-counters.ts"))?.[1] ?? "";
  const nic = [...body.matchAll(/^ {2}([A-Z_]+) = /gm)]
    .map(([, name]) => name as string)
    .filter((name) => name !== "COUNT")
    .map(camel);
  const texts = source("firmware/services/status/counter-names.ts").matchAll(/text\(\s*"([^"]*)"/g);
  const words = [...texts].flatMap(([, text]) => (text as string).trim().split(" "));
  t.deepEqual(words, [...counterNames().map(camel), ...nic]);
  t.deepEqual([...NIC_COUNTERS], nic);
  t.deepEqual(COUNTERS, counterNames().map(camel));
});
