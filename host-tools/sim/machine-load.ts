import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { UserError } from "../errors.js";
import type { CreateMachine, DeviceMachine, MachineEnvironment } from "./machine.js";

/** Modules that make machines, by the target of the board; each exports `createMachine`. */
const MACHINES: Readonly<Record<string, string>> = {
  wasm: "./machine-wasm.js",
  rp2040: "./machine-rp2040.js",
  stm32f1: "./qemu/machine.js",
  stm32f4: "./qemu/machine.js",
  native: "../native/machine.js",
};

/** True when images of this target can be simulated. */
export function isSimulated(target: string): boolean {
  const module = MACHINES[target];
  return module !== undefined && existsSync(fileURLToPath(new URL(module, import.meta.url)));
}

/** Makes the machine for the board that the firmware was built for. */
export async function loadMachine(environment: MachineEnvironment): Promise<DeviceMachine> {
  const { board } = environment.firmware;
  if (!isSimulated(board.target)) {
    throw new UserError(
      `the board ${board.name} cannot be simulated; use virtual-w5500 or virtual-enc28j60`,
    );
  }
  const module = (await import(MACHINES[board.target] as string)) as {
    createMachine: CreateMachine;
  };
  return module.createMachine(environment);
}
