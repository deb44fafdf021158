import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { InvalidArgumentError, type Command } from "commander";
import { UserError } from "../errors.js";
import { buildFolder } from "../root.js";

interface SimulateOptions {
  runs: number;
  seed: number;
  scenario: string;
  first: number;
  replay?: string;
  pcap?: string;
}

function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0xffff_ffff)
    throw new InvalidArgumentError("a whole number is wanted");
  return value;
}

/** Adds `simulate`. */
export function register(program: Command): void {
  program
    .command("simulate")
    .description(
      "let two stacks talk over links with drawn troubles, in virtual time, and check every step",
    )
    .option("--runs <n>", "how many runs; of the scenario 'short': connections", count, 300)
    .option("--seed <n>", "where all is drawn from", count, 1)
    .option("--scenario <name>", "one trouble only, by its name; 'mixed' draws among all", "mixed")
    .option("--first <n>", "number of the first run, to repeat one of many", count, 0)
    .option("--replay <json>", "one run, from what a failure has printed")
    .option("--pcap <file>", "with --replay: where the frames go")
    .action(async (options: SimulateOptions) => {
      const { SCENARIOS, readScenario } = await import("../simulate/scenario.js");
      const names = [...SCENARIOS, "short", "chips"];
      if (!names.includes(options.scenario)) {
        throw new UserError(
          `there is no scenario '${options.scenario}'; there are: ${names.join(", ")}`,
        );
      }
      if (options.scenario === "short") {
        const { shortConnections } = await import("../simulate/short.js");
        const { firmwareOf } = await import("../simulate/run.js");
        const result = shortConnections(await firmwareOf("middle"), options.runs, options.seed);
        console.log(JSON.stringify(result, null, 1));
        return;
      }
      if (options.scenario === "chips") {
        const { chipRuns } = await import("../simulate/chips.js");
        await chipRuns(options, (line) => console.log(line));
        return;
      }
      const { simulate, replay } = await import("../simulate/many.js");
      const folder = buildFolder("simulate");
      mkdirSync(folder, { recursive: true });
      const file = options.pcap ?? join(folder, "replay.pcap");
      if (options.replay !== undefined) {
        const failure = await replay(readScenario(options.replay), file);
        console.log(failure ?? "no violation");
        console.log(`frames: ${relative(process.cwd(), file)}`);
        if (failure !== undefined) process.exitCode = 1;
        return;
      }
      const { runs, seed, scenario, first } = options;
      const violations = await simulate({
        runs,
        seed,
        scenario,
        first,
        folder,
        print: (line) => console.log(line),
      });
      if (violations > 0) process.exitCode = 1;
    });
}
