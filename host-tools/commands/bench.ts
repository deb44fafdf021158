import { Argument, type Command } from "commander";

/** Adds `bench`. */
export function register(program: Command): void {
  program
    .command("bench")
    .description(
      "count what the stack costs: instructions beside lwIP and uIP, bytes on the bus, size, throughput",
    )
    .addArgument(new Argument("[part]", "only this part; without it all of them"))
    .option("--json", "print the result as JSON")
    .option("--list", "say which parts there are")
    .action(async (part: string | undefined, options: { json?: boolean; list?: boolean }) => {
      const { listParts, runBench } = await import("../bench/run.js");
      if (options.list) {
        for (const { name, title } of listParts()) console.log(`${name.padEnd(14)}${title}`);
        return;
      }
      const { ensureCrossCompiler } = await import("../setup/cross-compiler.js");
      await ensureCrossCompiler((what) => void process.stderr.write(`${what} ...\n`));
      await runBench(part, options.json ?? false);
    });
}
