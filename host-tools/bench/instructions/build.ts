import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Options } from "../../../stack/options.js";
import { compileFirmware } from "../../build/compile.js";
import { C_FLAGS, C_FOLDER, flagsFor } from "../../build/device/link.js";
import { ARM_GCC, runTool } from "../../build/device/tools.js";
import { wasmToC } from "../../build/device/wasm2c.js";
import { CC } from "../../native/build.js";
import { buildFolder, packageRoot } from "../../root.js";
import { MASK, PEER, STACK } from "./peer.js";
import { BODY_BYTES } from "./recorder.js";
import { type BenchProgram, SERVERS } from "./wasm-subject.js";

/** Where the bench puts what it makes. */
export function benchFolder(): string {
  return buildFolder("bench");
}

const BENCH_C = join(packageRoot, "host-tools", "bench", "c");
const STACK_BYTES = 4096;

/** A processor that counts are made for. */
export interface Cpu {
  name: "cortex-m0plus" | "cortex-m4";
  gcc: string[];
  /** File of hal/cpu. */
  primitives: string;
  flash: { origin: number; bytes: number };
  ram: { origin: number; bytes: number };
  qemu: boolean;
}

export const CORTEX_M0PLUS: Cpu = {
  name: "cortex-m0plus",
  gcc: ["-mcpu=cortex-m0plus", "-mthumb"],
  primitives: "hal/cpu/cortex-m0plus",
  flash: { origin: 0x10000000, bytes: 16 << 20 },
  ram: { origin: 0x20000000, bytes: 264 << 10 },
  qemu: false,
};

/** QEMU's mps2-an386. */
export const CORTEX_M4: Cpu = {
  name: "cortex-m4",
  gcc: ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft"],
  primitives: "hal/cpu/cortex-m3",
  flash: { origin: 0, bytes: 4 << 20 },
  ram: { origin: 0x20000000, bytes: 4 << 20 },
  qemu: true,
};

/** What to build. */
export interface ReplayRequest {
  trace: Uint8Array;
  options?: Partial<Options>;
  /** The program that was recorded; the servers when none is named. */
  program?: BenchProgram;
  /** -O2, or as images are built. */
  optimize: "-O2" | "-Os";
  /** lwIP instead of our stack: the folder of its source, and definitions for its options. */
  lwip?: { source: string; flags: string[] };
  /** The emulated RP2040 gets its steps while it runs (c/cortex.c). */
  live?: boolean;
}

function beginArguments(): string {
  const high = (STACK.mac[0] as number) * 256 + (STACK.mac[1] as number);
  return [high, STACK.mac[5], STACK.address, MASK, PEER.address].map((word) => `${word}u`).join();
}

/** A fresh folder with our C in it. */
export function workFolder(name: string): string {
  mkdirSync(benchFolder(), { recursive: true });
  const folder = mkdtempSync(join(benchFolder(), `${name}-`));
  cpSync(C_FOLDER, folder, { recursive: true });
  cpSync(BENCH_C, folder, { recursive: true });
  return folder;
}

/** Compiles the files of lwIP and returns what the including file of c/lwip-program.h needs. */
async function compileLwip(
  gcc: (args: string[]) => Promise<string>,
  { source, flags }: { source: string; flags: string[] },
  cpu: string[],
): Promise<{ flags: string[]; objects: string[] }> {
  const all = [...cpu, "-std=gnu11", "-w", "-DNDEBUG", "-DLWIP", "-I.", "-Ilwip", ...flags];
  all.push("-ffunction-sections", "-fdata-sections", `-I${join(source, "src", "include")}`);
  const objects: string[] = [];
  for (const part of ["core", "core/ipv4"]) {
    const folder = join(source, "src", part);
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".c"))) {
      objects.push(`lwip-${file}.o`);
      await gcc([...all, "-c", join(folder, file), "-o", `lwip-${file}.o`]);
    }
  }
  const ethernet = join(source, "src", "netif", "ethernet.c");
  await gcc([...all, "-c", ethernet, "-o", "lwip-ethernet.o"]);
  return { flags: all, objects: [...objects, "lwip-ethernet.o"] };
}

/** Builds the replay for a Cortex-M: an ELF file without a board. Returns its folder; the file is `replay.elf`. */
export async function buildCortex(cpu: Cpu, request: ReplayRequest): Promise<string> {
  const linearOrigin = cpu.ram.origin + STACK_BYTES;
  const folder = workFolder(cpu.name);
  const linearEnd = request.lwip
    ? linearOrigin
    : await translate(folder, request, linearOrigin, cpu.primitives);
  writeFileSync(join(folder, "trace.bin"), request.trace);
  writeFileSync(
    join(folder, "data.S"),
    `.section .body, "a"\n.fill ${BODY_BYTES}\n.section .trace, "a"\n.incbin "trace.bin"\n`,
  );
  writeLinkerScript(folder, cpu, linearEnd - linearOrigin);
  const flags = [
    ...cpu.gcc,
    ...flagsFor(request.optimize),
    "-ffunction-sections",
    "-fdata-sections",
    "-I.",
    ...(cpu.qemu ? ["-DQEMU"] : []),
    ...(request.live ? ["-DLIVE"] : []),
  ];
  const rename = ["memcpy", "memmove", "memset"].map((name) => `-D${name}=bench_${name}`);
  rename[0] = "-Dmemcpy=bench_copy";
  const gcc = (args: string[]): Promise<string> => runTool(ARM_GCC, args, folder);
  const objects = ["cortex.o", "bench-copy.o", "data.o"];
  // Our images have functions for memory of their own; lwIP gets those of the C library.
  const libraries = ["-lgcc"];
  let program = [...flags, `-DBEGIN_ARGUMENTS=${beginArguments()}`];
  if (request.lwip) {
    const lwip = await compileLwip(gcc, request.lwip, [...cpu.gcc, request.optimize]);
    program = [...lwip.flags, ...flags.filter((flag) => /^-D(QEMU|LIVE)$/.test(flag))];
    objects.push(...lwip.objects);
    libraries.unshift("-lc");
  } else {
    await gcc([...flags, "-c", "memory.c", "-o", "memory.o"]);
    objects.push("memory.o");
  }
  await gcc([...program, "-c", "cortex.c", "-o", "cortex.o"]);
  // Not for a size: then memory.c has more than is copied with, and that once is enough.
  await gcc([...flags, "-O2", ...rename, "-c", "memory.c", "-o", "bench-copy.o"]);
  await gcc([...flags, "-c", "data.S", "-o", "data.o"]);
  const link = ["-nostartfiles", "-nostdlib", "-Wl,--build-id=none"];
  if (request.lwip) link.push("-Wl,--gc-sections");
  await gcc([...cpu.gcc, ...link, "-T", "bench.ld", ...objects, ...libraries, "-o", "replay.elf"]);
  return folder;
}

/** Puts our program into the folder as C; returns where its static data ends. */
async function translate(
  folder: string,
  { options, program = SERVERS }: ReplayRequest,
  memoryBase: number,
  primitives?: string,
): Promise<number> {
  const firmware = await compileFirmware({
    board: "hosted",
    app: program.app,
    bind: { ...program.bind, ...(primitives ? { cpu: primitives } : {}) },
    memoryBase,
    ...(options ? { options } : {}),
  });
  writeFileSync(join(folder, "app.wasm"), firmware.wasm);
  await wasmToC(folder, "app");
  return firmware.staticEnd;
}

function writeLinkerScript(folder: string, cpu: Cpu, linearBytes: number): void {
  const values: Record<string, number> = {
    FLASH_ORIGIN: cpu.flash.origin,
    FLASH_BYTES: cpu.flash.bytes,
    RAM_ORIGIN: cpu.ram.origin,
    RAM_BYTES: cpu.ram.bytes,
    STACK_BYTES,
    LINEAR_ORIGIN: cpu.ram.origin + STACK_BYTES,
    LINEAR_BYTES: Math.max(0, linearBytes),
  };
  const script = readFileSync(join(BENCH_C, "bench.ld"), "utf8").replace(
    /@(\w+)@/g,
    (_all, name) => `0x${(values[name as string] as number).toString(16)}`,
  );
  writeFileSync(join(folder, "bench.ld"), script);
}

/** Address of the program's memory on this computer: below 4 GiB, and not where valgrind keeps its own. */
const HOST_MEMORY_BASE = 0x10000000;

/** Builds the replay for this computer: `replay` and `trace.bin` in the folder that is returned. */
export async function buildHost(request: ReplayRequest): Promise<string> {
  const folder = workFolder("x86-64");
  writeFileSync(join(folder, "trace.bin"), request.trace);
  const end = request.lwip ? HOST_MEMORY_BASE : await translate(folder, request, HOST_MEMORY_BASE);
  const bytes = (end - HOST_MEMORY_BASE + BODY_BYTES + 4095) & ~4095;
  const gcc = (args: string[]): Promise<string> => runTool(CC, args, folder);
  const memory = [
    `-DMEMORY_BASE=${HOST_MEMORY_BASE}u`,
    `-DMEMORY_BYTES=${bytes}u`,
    `-DBODY_BYTES=${BODY_BYTES}u`,
  ];
  if (request.lwip) {
    const lwip = await compileLwip(gcc, request.lwip, [request.optimize, "-g"]);
    await gcc([...lwip.flags, ...memory, "host.c", ...lwip.objects, "-o", "replay"]);
    return folder;
  }
  const flags = C_FLAGS.filter((flag) => flag !== "-ffreestanding");
  const begin = `-DBEGIN_ARGUMENTS=${beginArguments()}`;
  await gcc([
    request.optimize,
    "-g",
    "-w",
    "-I.",
    ...flags,
    begin,
    ...memory,
    "host.c",
    "-o",
    "replay",
  ]);
  return folder;
}
