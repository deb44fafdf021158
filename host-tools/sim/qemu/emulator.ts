import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasTool } from "../../build/device/tools.js";
import { UserError } from "../../errors.js";
import { fifoFolder } from "../../fifos.js";

/** The emulator; another may be named in the environment. */
export const QEMU = process.env["QEMU_SYSTEM_ARM"] ?? "qemu-system-arm";

/** True when images can be run here. */
export function hasQemu(): boolean {
  return process.platform !== "win32" && hasTool(QEMU);
}

/** @throws UserError where QEMU is missing. */
export function requireQemu(): void {
  if (hasQemu()) return;
  throw new UserError(
    `'${QEMU}' is not installed; apt-get install qemu-system-arm (Debian, Ubuntu), ` +
      "dnf install qemu-system-arm (Fedora), brew install qemu (macOS)",
  );
}

/** Bytes at an address of the emulated flash. */
export interface FlashPiece {
  address: number;
  data: Uint8Array;
}

/**
 * Runs a command and kills it at the end of standard input, so that it never outlives this process. The command inherits
 * the writing end of a FIFO: the end of that FIFO is the end of the command.
 */
const KEEPER =
  'exec 3>to-host; "$@" & pid=$!; exec 3>&-; read -r _; kill -9 $pid 2>/dev/null; wait';

/** What to run. */
export interface EmulatorOptions {
  /** Machine of QEMU. */
  machine: string;
  /** The image, loaded where its program headers say. */
  elf: string;
  /** What lies in flash besides. */
  pieces?: FlashPiece[];
  /** Further arguments of QEMU. */
  more?: string[];
}

/**
 * A QEMU process with the two FIFOs of the bridge. A reset ends it, so a device that gives up is seen as the end of its
 * FIFO. It lives in a temporary folder of its own, where `serial` is what its UART has sent.
 */
export class Emulator {
  readonly folder: string;
  readonly serial: string;
  /** FIFO ends: what the device writes, what it reads. */
  readonly fromTarget: number;
  readonly toTarget: number;
  private readonly child: ChildProcess;

  /** Starts the process; QEMU is installed. */
  constructor(options: EmulatorOptions) {
    this.folder = fifoFolder("as-tcpip-qemu-", ["to-host", "to-target"]);
    this.serial = join(this.folder, "serial");
    const errors = openSync(join(this.folder, "errors"), "w");
    this.child = spawn("sh", ["-c", KEEPER, "sh", QEMU, ...this.arguments(options)], {
      cwd: this.folder,
      stdio: ["pipe", errors, errors],
    });
    closeSync(errors);
    this.fromTarget = openSync(join(this.folder, "to-host"), constants.O_RDONLY);
    // Opened both ways, so that neither opening nor writing waits for the device.
    this.toTarget = openSync(join(this.folder, "to-target"), constants.O_RDWR);
  }

  /** What QEMU has said. */
  get errors(): string {
    return readFileSync(join(this.folder, "errors"), "utf8").trim();
  }

  /** Ends the process and removes its files. */
  close(): void {
    this.child.stdin?.destroy();
    closeSync(this.fromTarget);
    closeSync(this.toTarget);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private arguments(options: EmulatorOptions): string[] {
    const { machine, elf, pieces = [], more = [] } = options;
    const fixed = ["-nographic", "-monitor", "none", "-no-reboot", "-serial", "file:serial"];
    const semihosting = ["-semihosting-config", "enable=on,target=native"];
    const loaders = pieces.flatMap(({ address, data }, index) => {
      writeFileSync(join(this.folder, `piece-${index}`), data);
      return ["-device", `loader,file=piece-${index},addr=${address},force-raw=on`];
    });
    return ["-M", machine, ...fixed, ...semihosting, "-kernel", elf, ...loaders, ...more];
  }
}
