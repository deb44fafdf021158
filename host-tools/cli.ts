import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError } from "commander";
import { UserError, diskFault, faultText } from "./errors.js";
import { packageRoot } from "./root.js";

/** The subcommands, in the order of the help; each module exports `register(program)`. */
const COMMANDS: readonly { name: string; module: string }[] = [
  { name: "new", module: "./commands/new.js" },
  { name: "start", module: "./commands/start.js" },
  { name: "sim", module: "./commands/sim.js" },
  { name: "build", module: "./commands/build.js" },
  { name: "options", module: "./commands/options.js" },
  { name: "flash", module: "./commands/flash.js" },
  { name: "monitor", module: "./commands/monitor.js" },
  { name: "size", module: "./commands/size.js" },
  { name: "native", module: "./commands/native.js" },
  { name: "simulate", module: "./commands/simulate.js" },
  { name: "bench", module: "./commands/bench.js" },
];

/** Exit code of a bug in the host tools (EX_SOFTWARE of sysexits.h). */
const EXIT_BUG = 70;

/**
 * The command that was named is loaded alone; for help and for mistakes all of them are, so that they can be listed and
 * the nearest name can be suggested. A command that this installation lacks is left out.
 */
async function addCommands(program: Command, name: string | undefined): Promise<void> {
  const named = COMMANDS.filter((command) => command.name === name);
  for (const { module } of named.length > 0 ? named : COMMANDS) {
    const url = new URL(module, import.meta.url);
    if (!existsSync(fileURLToPath(url))) continue;
    const { register } = (await import(url.href)) as { register: (program: Command) => void };
    register(program);
  }
}

function makeProgram(): Command {
  const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as {
    version: string;
  };
  return new Command("as-tcpip")
    .description("An allocation-free TCP/IP stack for microcontrollers, and the tools around it.")
    .version(version)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`as-tcpip: ${mistake(text)}\n`),
    });
}

/** A mistake in one line, the suggestion included, or else where the right word can be found. */
function mistake(text: string): string {
  const line = text
    .trim()
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ");
  return /^unknown (command|option) '[^']*'$/.test(line) ? `${line}; --help lists them` : line;
}

/** Runs the command line; gives the exit code. */
async function run(args: string[]): Promise<number> {
  const program = makeProgram();
  try {
    await addCommands(program, args[0]);
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(args, { from: "user" });
    return typeof process.exitCode === "number" ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    if (error instanceof UserError) {
      process.stderr.write(`as-tcpip: ${error.message}\n`);
      return error.exitCode;
    }
    const disk = diskFault(error);
    if (disk !== undefined) {
      process.stderr.write(`as-tcpip: ${disk}\n`);
      return 1;
    }
    process.stderr.write(faultText(error, args, program.version() ?? ""));
    return EXIT_BUG;
  }
}

/** Waits until all that was printed has left the process. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve();
    else stream.write("", () => resolve());
  });
}

/** Why something that was printed is lost, in one line. Who reads a pipe may have had enough of it: that is none. */
let lost: string | undefined;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE" || error.code === "EOF" || lost !== undefined) return;
  lost =
    diskFault(error, "the output") ?? `cannot write the output (${error.code}): ${error.message}`;
});

let code = await run(process.argv.slice(2));
await Promise.all([drained(process.stdout), drained(process.stderr)]);
// An error of the last write is told in the next turn.
await new Promise((resolve) => setImmediate(resolve));
if (lost !== undefined) {
  process.stderr.write(`as-tcpip: ${lost}\n`);
  code ||= 1;
}
// Ends what may still be open, such as a read from a TAP interface, which Node cannot cancel.
process.exit(code);
