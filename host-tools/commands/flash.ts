import { existsSync } from "node:fs";
import { Option, type Command } from "commander";
import { UserError } from "../errors.js";
import type { FlashRequest } from "../flash/run.js";
import { colorWanted, parseBaud } from "./monitor.js";

/** Adds `flash`. */
export function register(program: Command): void {
  program
    .command("flash")
    .description("write a program to a board and verify it")
    .option("--board <name>", "board to write to")
    .option(
      "--app <name>",
      "application: a name, or a folder with a main.ts (default: the project's, or demo)",
    )
    .option("--image <file>", "image file (.uf2, .elf, .hex, .bin) instead of an application")
    .option("--port <path>", "serial port; chosen by itself when only one fits")
    .option("--drive <dir>", "folder of the BOOTSEL drive; found by itself when it is mounted")
    .option("--method <method>", "bootsel, an3155 or espruino (default: the board's)")
    .option("--baud <n>", "baud rate of the boot loader", "115200")
    .option("--lines <wiring>", "modem lines that reset the board, as rts=nrst,dtr=boot0")
    .addOption(
      new Option("--erase <what>", "what is erased first")
        .choices(["pages", "all"])
        .default("pages"),
    )
    .option("--wait <seconds>", "how long the board's boot loader is waited for", "60")
    .option(
      "--unprotect",
      "lift an STM32's read and write protection first, which erases all of it",
    )
    .option("--no-verify", "do not read the flash back")
    .option("--no-go", "do not start the program afterwards")
    .option("--mac <mac>", "settings: hardware address, as 02:00:00:12:34:56")
    .option("--hostname <name>", "settings: host name")
    .option("--host <name=address...>", "settings: names that the device knows without asking")
    .option("--ip <address/prefix>", "settings: static address, as 192.168.1.20/24")
    .option("--gateway <address>", "settings: default gateway, with --ip")
    .option("--dns <address>", "settings: DNS server, with --ip (default: the gateway)")
    .option("--ip2 <address/prefix>", "settings: static address of the second interface")
    .option("--gateway2 <address>", "settings: default gateway there, with --ip2")
    .option("--dns2 <address>", "settings: DNS server there, with --ip2 (default: the gateway)")
    .option("--dhcp", "settings: address by DHCP")
    .option("--settings-only", "write only the settings, not the program")
    .option("--install", "install a missing cross compiler without asking (Debian, as root)")
    .option("--dry-run", "say what would be written, and touch nothing")
    .option("--monitor", "show the board's log afterwards")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nExit codes: 0 written and verified; 1 cannot be done, nothing was written; " +
        "2 the board did not\ndo its part; 3 what was read back differs.",
    )
    .action(run);
}

interface FlashOptions {
  board: string;
  app?: string;
  image?: string;
  port?: string;
  drive?: string;
  method?: string;
  baud: string;
  lines?: string;
  erase: "pages" | "all";
  wait: string;
  verify: boolean;
  go: boolean;
  mac?: string;
  hostname?: string;
  host?: string[];
  ip?: string;
  gateway?: string;
  dns?: string;
  ip2?: string;
  gateway2?: string;
  dns2?: string;
  dhcp?: boolean;
  settingsOnly?: boolean;
  unprotect?: boolean;
  dryRun?: boolean;
  install?: boolean;
  monitor?: boolean;
  json?: boolean;
}

async function run(given: Omit<FlashOptions, "board"> & { board?: string }): Promise<void> {
  const { flashBoards, flashFacts } = await import("../flash/board-facts.js");
  const { flash, describeReport } = await import("../flash/run.js");
  const { systemHost } = await import("../flash/host.js");
  const { board } = given;
  if (board === undefined) {
    throw new UserError(`--board is missing; there are: ${flashBoards().join(", ")}`);
  }
  const options: FlashOptions = { ...given, board };
  const facts = flashFacts(board);
  const waitMs = seconds(options.wait) * 1000;
  const baudRate = parseBaud(options.baud);
  const settings = pick(options, [
    ...(["mac", "hostname", "host", "ip", "gateway", "dns", "dhcp"] as const),
    ...(["ip2", "gateway2", "dns2"] as const),
  ]);
  const image = await imageOf(options);
  const report = await flash(
    {
      settings,
      settingsOnly: options.settingsOnly ?? false,
      unprotect: options.unprotect ?? false,
      baudRate,
      erase: options.erase,
      dryRun: options.dryRun ?? false,
      verify: options.verify,
      go: options.go,
      waitMs,
      ...(image !== undefined && { image }),
      ...pick(options, ["port", "drive", "method", "lines"]),
    },
    facts,
    systemHost(),
  );
  if (options.json) console.log(JSON.stringify(report));
  else for (const line of describeReport(report)) console.log(line);
  if (!options.monitor || report.dryRun) return;
  // An Espruino board is flashed over its USB port but logs on a UART; a drive is no port at all.
  const port = { bootsel: options.port, espruino: undefined, an3155: report.target }[facts.method];
  await follow(options, messagesOf(report.image), port ?? undefined);
}

/** The options of these names that were given. */
function pick<K extends keyof FlashOptions>(
  options: FlashOptions,
  names: K[],
): Pick<FlashOptions, K> {
  const given = names.filter((name) => options[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, options[name]])) as Pick<FlashOptions, K>;
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 86_400)) {
    throw new UserError(`--wait cannot be '${text}'; give a number of seconds`);
  }
  return value;
}

/** The image that was named, or what builds the application's once the board is there. */
async function imageOf(options: FlashOptions): Promise<FlashRequest["image"]> {
  if (options.image !== undefined && options.app !== undefined) {
    throw new UserError("--app and --image exclude each other; give one of them");
  }
  if (options.settingsOnly) {
    if ((options.image ?? options.app) === undefined) return undefined;
    throw new UserError("--settings-only writes no program; leave --app and --image out");
  }
  if (options.image !== undefined) return options.image;
  const { ensureCrossCompiler } = await import("../setup/cross-compiler.js");
  const { defaultApp, requireProgram } = await import("../build/apps.js");
  const { buildImage } = await import("../build/device/build.js");
  const app = options.app ?? defaultApp();
  const say = (what: string): void => void process.stderr.write(`${what} ...\n`);
  requireProgram(app);
  await ensureCrossCompiler(say, options.install);
  return async () => {
    const { path } = await buildImage({
      board: options.board,
      app,
      ...(!options.json && { onStep: say }),
    });
    return `${path}.elf`;
  };
}

/** The message table beside an image, where there is one. */
function messagesOf(image: string | null): string | undefined {
  const beside = `${image?.replace(/\.[a-z0-9]+$/i, "")}.messages.json`;
  return image !== null && existsSync(beside) ? beside : undefined;
}

/** The log of the board that was just flashed. */
async function follow(
  options: FlashOptions,
  table: string | undefined,
  port: string | undefined,
): Promise<void> {
  const { loadBoard } = await import("../build/boards.js");
  const { loadTables } = await import("../monitor/messages.js");
  const { monitor } = await import("../monitor/run.js");
  const { parseModemLines } = await import("../flash/modem-lines.js");
  const { systemHost } = await import("../monitor/host.js");
  const board = loadBoard(options.board);
  await monitor(
    {
      baudRate: Number(board["uartBaud"] ?? 115200),
      timestamps: true,
      color: colorWanted(),
      level: "debug",
      json: options.json ?? false,
      awaitPort: true,
      ...(table !== undefined && loadTables(table)),
      ...(port !== undefined && { port }),
      ...(options.lines !== undefined && { lines: parseModemLines(options.lines) }),
    },
    systemHost(),
  );
}
