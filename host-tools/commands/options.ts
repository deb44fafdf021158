import type { Command } from "commander";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Options } from "../../stack/options.js";
import { appFolder, defaultApp, explainOptions, type OptionValue } from "../build/apps.js";
import { loadBoard } from "../build/boards.js";
import { packageRoot } from "../root.js";
import { optionsPage } from "./options-page.js";
import { collectOption } from "./set-option.js";

interface Given {
  board: string;
  app: string;
  set: Partial<Options>;
  json?: boolean;
  markdown?: boolean;
}

/** Adds `options`. */
export function register(program: Command): void {
  program
    .command("options")
    .description("list the build options: each value in force, where it comes from, what it means")
    .option("--board <name>", "board", "virtual-w5500")
    .option("--app <name>", "application: a name, or a folder with a main.ts", defaultApp())
    .option(
      "--set <option=value>",
      "override a build option, as --set TCP_TCBS=4",
      collectOption,
      {},
    )
    .option("--json", "print the result as JSON")
    .option("--markdown", "print docs/options.md: all options, for every board")
    .action((given: Given) => {
      if (given.markdown) {
        process.stdout.write(optionsPage(optionMeanings()));
        return;
      }
      const values = explainOptions(loadBoard(given.board), appFolder(given.app), given.set);
      if (given.json) console.log(JSON.stringify(values));
      else for (const line of describeOptions(values)) console.log(line);
    });
}

function describeOptions(values: Record<string, OptionValue>): string[] {
  const meanings = optionMeanings();
  const width = Math.max(...Object.keys(values).map((name) => name.length));
  return Object.entries(values).map(([name, { value, from }]) => {
    const meaning = (meanings[name] ?? "").split(/(?<=\.)\s/)[0];
    return `${name.padEnd(width)}  ${String(value).padStart(6)}  ${from.padEnd(12)}  ${meaning}`;
  });
}

/** The comment of each option in stack/options.ts; one that has none shares that of the option before it. */
export function optionMeanings(): Record<string, string> {
  const source = readFileSync(join(packageRoot, "stack/options.ts"), "utf8");
  const list = source.slice(source.indexOf("OPTIONS = {"), source.indexOf("\n};"));
  const meanings: Record<string, string> = {};
  let meaning = "";
  for (const [, comment, name] of list.matchAll(/\/\*\*((?:(?!\*\/)[^])*)\*\/|^ {2}(\w+):/gm)) {
    if (comment !== undefined) meaning = comment.replace(/\s*\n\s*\*\s?/g, " ").trim();
    if (name !== undefined) meanings[name] = meaning;
  }
  return meanings;
}
