/**
 * The hosted stack in either of its two forms: as WebAssembly, or, when AS_TCPIP_NATIVE is set, as the guarded native
 * build, in which an access outside a buffer ends the test with the sanitizer's report. With `shared` (`npm test`) that goes for the
 * sets of options that many tests share, with `1` (`npm run native`) for all: a set of its own costs five seconds of a processor.
 */
import { loadBoard } from "../../host-tools/build/boards.js";
import {
  appFolder,
  compileFirmware,
  resolveOptions,
  type Firmware,
} from "../../host-tools/build/compile.js";
import { buildNative } from "../../host-tools/native/build.js";
import { NativeProcess, type NativeImports } from "../../host-tools/native/process.js";
import type { Options } from "../../stack/options.js";
import { SHARED } from "./option-sets.js";

/** A compiled stack of which instances are made. */
export interface HostedProgram {
  firmware: Firmware;
  /** A new instance: its exports. */
  instantiate(imports: NativeImports): unknown;
}

const NATIVE = process.env["AS_TCPIP_NATIVE"];
const BOARD = "hosted";
const APP = "hosted";

/** All options of a set, the same text for the same set. */
function resolved(options: Partial<Options>): string {
  return JSON.stringify(resolveOptions(loadBoard(BOARD), appFolder(APP), options));
}

function isGuarded(options: Partial<Options>): boolean {
  if (NATIVE === "1") return true;
  if (NATIVE !== "shared") return false;
  const wanted = resolved(options);
  return SHARED.some((set) => resolved(set) === wanted);
}

/** The hosted stack with these options; `nic`: with another frame device than its own, and then as WebAssembly. */
export async function hostedProgram(
  options: Partial<Options>,
  nic?: string,
): Promise<HostedProgram> {
  const request = { board: BOARD, app: APP, options, ...(nic ? { bind: { nic } } : {}) };
  if (!nic && isGuarded(options)) {
    const program = await buildNative(request);
    return {
      firmware: program.firmware,
      instantiate: (imports) => new NativeProcess(program, imports).exports,
    };
  }
  const firmware = await compileFirmware(request);
  const module = new WebAssembly.Module(firmware.wasm);
  return {
    firmware,
    instantiate: (hw) => new WebAssembly.Instance(module, { hw }).exports,
  };
}
