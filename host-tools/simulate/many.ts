import { join, relative } from "node:path";
import { PcapWriter } from "../net/pcap.js";
import type { Tap } from "./pair.js";
import { firmwareOf, runScenario, type Outcome } from "./run.js";
import { BUILDS, drawScenario, type Build, type Scenario } from "./scenario.js";
import { shrink } from "./shrink.js";
import { typed } from "../root.js";

/** Violations that are told in full; after that only counted. */
const TOLD_MAX = 5;
const PROGRESS_MS = 10_000;

/** What `npm run simulate` does. */
export interface SimulateRequest {
  runs: number;
  seed: number;
  scenario: string;
  /** Number of the first run. */
  first: number;
  /** Where captures go. */
  folder: string;
  print: (line: string) => void;
}

/** Runs many scenarios; tells of each violation with its shortest form and a capture. Gives the number of violations. */
export async function simulate(request: SimulateRequest): Promise<number> {
  const { runs, seed, scenario: name, first, print } = request;
  const totals = { whole: 0, failed: 0, frames: 0, simulatedMs: 0, violations: 0 };
  const start = performance.now();
  let told = start;
  for (let run = first; run < first + runs; run++) {
    const scenario = drawScenario(seed, run, name);
    const firmware = await firmwareOf(scenario.build);
    const outcome = runScenario(firmware, scenario);
    totals.whole += outcome.whole;
    totals.failed += outcome.failed;
    totals.frames += outcome.frames;
    totals.simulatedMs += outcome.simulatedMs;
    if (outcome.violation && totals.violations++ < TOLD_MAX) await tell(request, run, outcome);
    if (performance.now() - told > PROGRESS_MS) {
      told = performance.now();
      print(`${run - first + 1} of ${runs} runs, ${totals.violations} violations`);
    }
  }
  const seconds = (performance.now() - start) / 1000;
  print(
    `${runs} runs, seed ${seed}: ${totals.violations} violations; ${totals.whole} ends had all of their data, ` +
      `${totals.failed} an error; ${totals.frames} frames, ${Math.round(totals.simulatedMs / 3.6e6)} simulated hours ` +
      `in ${Math.round(seconds)} s`,
  );
  return totals.violations;
}

async function tell(
  { seed, scenario: name, folder, print }: SimulateRequest,
  run: number,
  { scenario, violation }: Outcome,
): Promise<void> {
  print(`run ${run}: ${violation?.message}`);
  print(
    `  again: ${typed("simulate", `--seed ${seed} --scenario ${name} --first ${run} --runs 1`)}`,
  );
  const firmwares = new Map<Build, Awaited<ReturnType<typeof firmwareOf>>>();
  for (const build of Object.keys(BUILDS) as Build[]) firmwares.set(build, await firmwareOf(build));
  const shortest = shrink(scenario, (form) => {
    const firmware = firmwares.get(form.build);
    if (!firmware) return false;
    return runScenario(firmware, form).violation?.kind === violation?.kind;
  });
  const file = join(folder, `${seed}-${run}.pcap`);
  print(`  shortest: ${await replay(shortest, file)}`);
  print(`  ${typed("simulate", `--replay '${JSON.stringify(shortest)}'`)}`);
  print(`  frames: ${relative(process.cwd(), file)}`);
}

/** Runs one scenario with a capture; says what was wrong. */
export async function replay(scenario: Scenario, file: string): Promise<string | undefined> {
  const pcap = new PcapWriter(file);
  const tap: Tap = (event, _side, frame, nowNs) => {
    if (event === "sent") pcap.write(nowNs, frame);
  };
  const { violation } = runScenario(await firmwareOf(scenario.build), scenario, tap);
  pcap.close();
  return violation?.message;
}
