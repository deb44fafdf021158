import type { Command } from "commander";
import { defaultApp } from "../build/apps.js";
import { relative } from "node:path";
import { listBoards, loadBoard } from "../build/boards.js";
import { buildImage } from "../build/device/build.js";
import { requireProgram } from "../build/compile.js";
import { printSize } from "../build/device/size.js";
import type { Options } from "../../stack/options.js";
import { collectOption } from "./set-option.js";
import { UserError } from "../errors.js";
import { ensureCrossCompiler } from "../setup/cross-compiler.js";

/** Boards that have an image: all that are not virtual. */
export function imageBoards(): string[] {
  return listBoards().filter((name) => loadBoard(name).target !== "wasm");
}

/** Adds `build`. */
export function register(program: Command): void {
  program
    .command("build")
    .description(
      "build the image of an application for a board: ELF, BIN, HEX, and UF2 where the board takes it",
    )
    .option("--board <name>", "board to build for")
    .option("--app <name>", "application: a name, or a folder with a main.ts", defaultApp())
    .option("--release", "optimised (default)")
    .option("--debug", "unoptimised, with debugging information")
    .option(
      "--mirror [bytes]",
      "mirror the first bytes of each frame over the log line, for monitor --pcap",
      parseMirror,
    )
    .option(
      "--set <option=value>",
      "override a build option, as --set TCP_TCBS=4",
      collectOption,
      {},
    )
    .option("--install", "install a missing cross compiler without asking (Debian, as root)")
    .option("--json", "print the result as JSON")
    .addHelpText("after", () => `\nBoards: ${imageBoards().join(", ")}`)
    .action(async (options: BuildOptions) => {
      if (options.release && options.debug) {
        throw new UserError("--release and --debug exclude each other; give one of them");
      }
      const say = (what: string): void => void process.stderr.write(`${what} ...\n`);
      if (options.board === undefined) {
        throw new UserError(`--board is missing; there are: ${imageBoards().join(", ")}`);
      }
      loadBoard(options.board);
      requireProgram(options.app);
      await ensureCrossCompiler(say, options.install);
      const image = await buildImage({
        board: options.board,
        app: options.app,
        debug: options.debug ?? false,
        options: {
          ...options.set,
          ...(options.mirror && { MIRROR_BYTES: mirrorBytes(options.mirror) }),
        },
        onStep: options.json ? () => {} : say,
      });
      const files = image.files.map((extension) => `${image.path}.${extension}`);
      if (options.json) {
        const messages = `${image.path}.messages.json`;
        console.log(
          JSON.stringify({
            board: options.board,
            app: options.app,
            files,
            messages,
            size: image.size,
          }),
        );
        return;
      }
      console.log(printSize(image.size));
      for (const file of files) console.log(relative(process.cwd(), file));
    });
}

/** Snap length when `--mirror` names none: the headers of a TCP segment. */
const MIRROR_DEFAULT = 64;

function parseMirror(text: string): number {
  const bytes = Number(text);
  if (!Number.isInteger(bytes) || bytes < 14 || bytes > 1514) {
    throw new UserError(`--mirror cannot be '${text}'; give a number of bytes from 14 to 1514`);
  }
  return bytes;
}

function mirrorBytes(option: number | true): number {
  return option === true ? MIRROR_DEFAULT : option;
}

interface BuildOptions {
  set: Partial<Options>;
  mirror?: number | true;
  board?: string;
  app: string;
  release?: boolean;
  debug?: boolean;
  install?: boolean;
  json?: boolean;
}
