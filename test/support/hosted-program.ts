/**
 * The hosted stack in either of its two forms: as WebAssembly, or, when AS_TCPIP_NATIVE is set, as the guarded native
 * build, in which an access outside a buffer ends the test with the sanitizer's report.
 */
import { compileFirmware, type Firmware } from "../../host-tools/build/compile.js";
import { buildNative } from "../../host-tools/native/build.js";
import { NativeProcess, type NativeImports } from "../../host-tools/native/process.js";
import type { Options } from "../../stack/options.js";

/** A compiled stack of which instances are made. */
export interface HostedProgram {
  firmware: Firmware;
  /** A new instance: its exports. */
  instantiate(imports: NativeImports): unknown;
}

/** True when tests are to run on the guarded native build. */
export const NATIVE = process.env["AS_TCPIP_NATIVE"] === "1";

/** The hosted stack with these options. */
export async function hostedProgram(options: Partial<Options>): Promise<HostedProgram> {
  const request = { board: "hosted", app: "hosted", options };
  if (NATIVE) {
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
