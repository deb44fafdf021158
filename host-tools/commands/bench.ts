import { relative } from "node:path";
import { Argument, InvalidArgumentError, type Command } from "commander";

interface BenchOptions {
  json?: boolean;
  list?: boolean;
  update?: boolean;
  count?: number;
  cell?: string;
}

function countOf(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("a count is wanted");
  return value;
}

/** Adds `bench`. */
export function register(program: Command): void {
  program
    .command("bench")
    .description(
      "count what the stack costs: instructions beside lwIP and uIP, bytes on the bus, size, throughput",
    )
    .addArgument(new Argument("[part]", "only this part; without it all of them"))
    .option("--json", "print the result as JSON")
    .option("--update", "of the part gate: write the present counts into the baseline")
    .option(
      "--count <n>",
      "SYNs in each cell of flood, bytes in each of echo, connections of connections, seeds of kernel and throughput",
      countOf,
    )
    .option("--cell <words>", "of throughput: only the cells whose title has all these words")
    .option("--list", "say which parts there are")
    .action(async (part: string | undefined, options: BenchOptions) => {
      const { listParts, runBench } = await import("../bench/run.js");
      if (options.list) {
        const parts = listParts();
        if (options.json) console.log(JSON.stringify(parts, null, 1));
        else for (const { name, title } of parts) console.log(`${name.padEnd(14)}${title}`);
        return;
      }
      if (options.update && part !== "gate") {
        const { UserError } = await import("../errors.js");
        throw new UserError("'--update' is for the part gate: npm run bench -- gate --update");
      }
      const { ensureCrossCompiler } = await import("../setup/cross-compiler.js");
      await ensureCrossCompiler((what) => void process.stderr.write(`${what} ...\n`));
      if (options.update) {
        const { BASELINE, updateBaseline } = await import("../bench/gate/part.js");
        await updateBaseline((what) => void process.stderr.write(`gate: ${what} ...\n`));
        console.log(`written: ${relative(process.cwd(), BASELINE)}; say in the commit why`);
        return;
      }
      const { count, cell } = options;
      await runBench(part, options.json ?? false, { count, cell });
    });
}
