/**
 * The mutation check: each row of `mutations.json` removes or inverts the line that implements a requirement, in a copy of the
 * project, and a test that claims to prove the requirement must fail there. `npm run mutate -- SEED COUNT` takes a sample.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { idsOf } from "./evidence.js";

/** One broken line. */
export interface Mutation {
  /** The requirement that the line implements. */
  id: string;
  file: string;
  /** The text that is replaced; it occurs once in the file. */
  from: string;
  to: string;
  /** The test file that must notice, as its name in `test/` without the ending. */
  test: string;
}

/** All mutations. */
export function mutations(root: string): Mutation[] {
  return JSON.parse(
    readFileSync(join(root, "test/conformance/mutations.json"), "utf8"),
  ) as Mutation[];
}

/** The same sample for the same seed. */
export function sample(all: readonly Mutation[], seed: number, count: number): Mutation[] {
  const left = [...all];
  const taken: Mutation[] = [];
  let state = (seed ^ 0x9e3779b9) >>> 0;
  while (left.length > 0 && taken.length < count) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    taken.push(...left.splice((state >>> 8) % left.length, 1));
  }
  return taken;
}

/** Runs the test of a mutation in a copy of the project with that line broken; undefined when it was noticed, else what happened. */
export function survives(root: string, mutation: Mutation): string | undefined {
  mkdirSync(join(root, "build"), { recursive: true });
  const copy = mkdtempSync(join(root, "build/mutant-"));
  try {
    for (const name of ["stack", "firmware", "drivers", "hal", "host-tools", "build/js"])
      cpSync(join(root, name), join(copy, name), { recursive: true });
    for (const name of ["package.json", "ava.config.mjs"])
      cpSync(join(root, name), join(copy, name));
    cpSync(join(root, "test"), join(copy, "test"), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");
    const file = join(copy, mutation.file);
    const text = readFileSync(file, "utf8");
    if (text.split(mutation.from).length !== 2) return `'${mutation.from}' is not once there`;
    writeFileSync(file, text.replace(mutation.from, mutation.to));
    const run = spawnSync(
      process.execPath,
      ["node_modules/ava/entrypoints/cli.js", "--tap", `build/js/test/${mutation.test}.test.js`],
      { cwd: copy, encoding: "utf8", env: { ...process.env, AVA_FORCE_CI: "not-ci" } },
    );
    const failed = [...run.stdout.matchAll(/^not ok \d+ - (.*)$/gm)].map((match) => match[1] ?? "");
    if (failed.some((title) => idsOf(title.replace(/^.* › /, ""), new Set([mutation.id])).length))
      return undefined;
    if (failed.length > 0) return `other tests failed: ${failed.join("; ")}`;
    return run.status === 0 ? "no test failed" : `ava: ${run.stdout.slice(-300)}${run.stderr}`;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function main(seed = "1", count = "1000"): void {
  const root = resolve(".");
  const taken = sample(mutations(root), Number(seed), Number(count));
  let killed = 0;
  for (const mutation of taken) {
    const reason = survives(root, mutation);
    if (reason === undefined) killed++;
    process.stdout.write(`${reason ? "SURVIVES" : "noticed "} ${mutation.id} ${mutation.file}`);
    process.stdout.write(reason ? `: ${reason}\n` : "\n");
  }
  process.stdout.write(`mutations: ${killed} of ${taken.length} noticed\n`);
  if (killed < taken.length) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(...process.argv.slice(2));
