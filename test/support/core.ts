/** Single functions of a device image on the emulated Cortex-M0+, with instructions and cycles counted. */
import { readFileSync } from "node:fs";
import { RP2040 } from "rp2040js";
import { buildImage } from "../../host-tools/build/device/build.js";
import { readElfTables, type ElfSymbol } from "../../host-tools/build/device/elf.js";
import { readElf } from "../../host-tools/flash/image/elf.js";
import { strictMemory } from "../../host-tools/sim/rp2040/memory.js";

/** Where a function returns to: no instruction is ever fetched there. */
const RETURN = 0x20041000;
const STACK_TOP = 0x20040000;
/** Memory that no image of a test uses. */
export const SCRATCH = 0x20030000;
/** The program's variables: what the generated functions take as their first argument. */
const INSTANCE = 0x20038000;
const INSTRUCTIONS_MAX = 1_000_000;

export interface Called {
  result: number;
  instructions: number;
  cycles: number;
}

export class Core {
  readonly mcu = new RP2040();
  private readonly symbols: ElfSymbol[];

  private constructor(elf: Uint8Array) {
    this.mcu.logger = {
      debug: () => {},
      info: () => {},
      warn: (_component, message) => this.fail(message),
      error: (_component, message) => this.fail(message),
    };
    for (const { address, data } of readElf(elf).segments) {
      this.mcu.flash.set(data, address - 0x10000000);
    }
    this.symbols = readElfTables(elf).symbols;
    strictMemory(this.mcu, 0x200000, (message) => this.fail(message));
  }

  /** The image of an application for the W5500-EVB-Pico. */
  static async load(app: string): Promise<Core> {
    const image = await buildImage({ board: "w5500-evb-pico", app });
    return new Core(readFileSync(`${image.path}.elf`));
  }

  /** RAM from SCRATCH on. */
  get scratch(): Uint8Array {
    return this.mcu.sram.subarray(SCRATCH - 0x20000000, SCRATCH - 0x20000000 + 0x8000);
  }

  /** Calls an exported function (up to three arguments), from its first instruction to its return. */
  call(name: string, ...args: number[]): Called {
    const symbol = this.symbols.find((s) => s.name === `w2c_app_${name}`);
    if (!symbol) throw new Error(`no function ${name} in the image`);
    const { core } = this.mcu;
    core.registers.fill(0);
    core.registers[0] = INSTANCE;
    // As start-up leaves it (host-tools/build/c/w2c-override.h).
    const variables = this.symbols.find((s) => s.name === "w2c_app_only");
    core.registers[9] = variables?.address ?? 0;
    args.forEach((value, i) => (core.registers[1 + i] = value));
    core.SP = STACK_TOP;
    core.LR = RETURN | 1;
    core.PC = symbol.address;
    let instructions = 0;
    let cycles = 0;
    while (core.PC !== RETURN) {
      cycles += core.executeInstruction();
      if (++instructions > INSTRUCTIONS_MAX) throw new Error(`${name} does not return`);
    }
    return { result: core.registers[0], instructions, cycles };
  }

  private fail(message: string): never {
    throw new Error(message);
  }
}
