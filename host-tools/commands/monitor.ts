import { existsSync } from "node:fs";
import { Option, type Command } from "commander";
import { defaultApp } from "../build/apps.js";
import { UserError } from "../errors.js";
import { typed } from "../root.js";

/** Adds `monitor`. */
export function register(program: Command): void {
  program
    .command("monitor")
    .description("show a board's serial log; reconnects when the board is unplugged")
    .option("--port <path>", "serial port; chosen by itself when only one fits")
    .option("--baud <n>", "baud rate (default: the board's, or 115200)")
    .option("--board <name>", "board: finds the messages of its build, and its baud rate")
    .option("--app <name>", "application that runs on the board", defaultApp())
    .option("--messages <file>", "message table of the image (<image>.messages.json)")
    .option("--log <file>", "append all lines to a file")
    .option("--pcap <file>", "write Ethernet frames that the board mirrors to a capture")
    .option("--no-timestamps", "lines without the time")
    .addOption(new Option("--timestamps", "lines with the time").default(true).hideHelp())
    .addOption(
      new Option("--level <level>", "least grave level that is shown")
        .choices(["error", "warn", "info", "debug"])
        .default("debug"),
    )
    .option("--json", "one JSON object a line")
    .option("--no-color", "no colours")
    .addHelpText("after", "\nCtrl-C ends it with exit code 0.")
    .action(run);
}

interface MonitorOptions {
  port?: string;
  baud?: string;
  board?: string;
  app: string;
  messages?: string;
  log?: string;
  pcap?: string;
  timestamps: boolean;
  level: "error" | "warn" | "info" | "debug";
  json?: boolean;
  color: boolean;
}

/** Reads `--baud`. */
export function parseBaud(text: string): number {
  const baud = Number(text);
  if (!Number.isInteger(baud) || baud < 300 || baud > 12_000_000) {
    throw new UserError(`--baud cannot be '${text}'; give a number such as 115200`);
  }
  return baud;
}

async function run(options: MonitorOptions): Promise<void> {
  const { loadBoard } = await import("../build/boards.js");
  const { loadTables } = await import("../monitor/messages.js");
  const { monitor } = await import("../monitor/run.js");
  const { systemHost } = await import("../monitor/host.js");
  const board = options.board === undefined ? undefined : loadBoard(options.board);
  const boardBaud = Number(board?.["uartBaud"] ?? 115200);
  const table = options.messages ?? (await builtMessages(options));
  const host = systemHost();
  if (table === undefined) {
    host.say(
      "Log calls are shown by number: give --board and --app, or --messages, for their text",
    );
  }
  await monitor(
    {
      baudRate: options.baud === undefined ? boardBaud : parseBaud(options.baud),
      timestamps: options.timestamps,
      color: options.color && colorWanted(),
      level: options.level,
      json: options.json ?? false,
      awaitPort: false,
      ...(table !== undefined && loadTables(table)),
      ...(options.port !== undefined && { port: options.port }),
      ...(options.log !== undefined && { log: options.log }),
      ...(options.pcap !== undefined && { pcap: options.pcap }),
    },
    host,
  );
}

/** Colours on a terminal, unless the environment says no (no-color.org). */
export function colorWanted(): boolean {
  return process.stdout.isTTY === true && !process.env["NO_COLOR"];
}

/** The message table of the board's last build of the application. */
async function builtMessages(options: MonitorOptions): Promise<string | undefined> {
  if (options.board === undefined) return undefined;
  const { latestImage } = await import("../build/device/build.js");
  const path = `${latestImage(options.board, options.app)}.messages.json`;
  if (existsSync(path)) return path;
  const app = options.app === defaultApp() ? "" : ` --app "${options.app}"`;
  const build = typed("build", `--board ${options.board}${app}`);
  throw new UserError(
    `${options.app} was not built for ${options.board} yet; run '${build}', or give --messages FILE`,
  );
}
