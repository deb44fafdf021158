import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OPTIONS, type Options } from "../../../stack/options.js";
import { compileFirmware, type Firmware } from "../../build/compile.js";
import { readElfTables } from "../../build/device/elf.js";
import { flagsFor } from "../../build/device/link.js";
import { readPrototypes } from "../../build/device/prototypes.js";
import { recordsOf, type Records } from "../../build/device/size.js";
import { ARM_GCC, runTool } from "../../build/device/tools.js";
import { sourceName, wasmToC } from "../../build/device/wasm2c.js";
import { packageRoot } from "../../root.js";
import { CORTEX_M0PLUS, CORTEX_M4, workFolder, type Cpu } from "../instructions/build.js";
import type { BarGroup } from "../chart.js";
import { number, table } from "../table.js";

/** Bytes of the stack alone. */
export interface StackSize {
  /** Code of the stack's files, of the compiler library and of memcpy and its like. */
  text: number;
  /** Constants. */
  rodata: number;
  /** Code that is the application's, in no other figure. */
  application: number;
  /** Code by source file of the stack, largest first. */
  files: Record<string, number>;
}

/** Static RAM of the stack, bytes. */
export interface StackRam {
  /** Rings of sockets. */
  rings: number;
  /** All else: tables, scratch, variables. */
  besidesRings: number;
  /** By source file, rings included. */
  files: Record<string, number>;
}

export interface ConfigurationSize {
  code: Record<string, { "-Os": StackSize; "-O2": StackSize }>;
  ram: StackRam;
  records: Records;
}

export interface SizeResult {
  configurations: Record<string, ConfigurationSize>;
  /** Bytes of code (M0+, -Os) that leaving an option out of "full" saves; negative: it would cost. */
  options: Record<string, { text: number; ram: number }>;
}

/** Recorded: text + rodata of lwIP 2.2.1 and uIP for the same configurations, M0+ -Os; RAM without the stack's depth. */
const PEERS: Record<string, { lwip?: number; uip?: number; ram?: string }> = {
  fullPlain: { lwip: 26_316, uip: 6_802, ram: "lwIP 13,904 with buffers, uIP 2,578" },
  fullReassembly: { lwip: 27_890 },
  tcpEcho: { lwip: 16_270, uip: 4_457, ram: "lwIP 6,959, uIP 836" },
};

const FULL = "firmware/bench/full";

/** Configurations of the sheet: an application, and what differs from its `app.json`. */
const CONFIGURATIONS: Record<string, { app: string; options?: Partial<Options> }> = {
  full: { app: FULL },
  fullReassembly: {
    app: FULL,
    options: { IP_REASSEMBLY_SLOTS: 1, IP_REASSEMBLY_BYTES: 4096 },
  },
  // What lwIP's "full" has, too: no SACK, window scale, timestamps, SYN cookies, counters, assertions, and ICMP's errors are sent but not heard.
  fullPlain: {
    app: FULL,
    options: {
      TCP_SACK: 0,
      TCP_CUBIC: 0,
      TCP_WINDOW_SCALE: 0,
      TCP_TIMESTAMPS: 0,
      TCP_URGENT: 0,
      TCP_FAST_PATH: 0,
      TCP_KEEPALIVE: 0,
      TCP_SYN_COOKIES: 0,
      ICMP_ERRORS: 0,
      SOCKET_MORE_OPTIONS: 0,
      STATISTICS: 0,
      ASSERTIONS: 0,
    },
  },
  // fullPlain with what RFC 7323 and RFC 2018 add: SACK, window scale, timestamps.
  fullOptions: {
    app: FULL,
    options: {
      TCP_URGENT: 0,
      TCP_FAST_PATH: 0,
      TCP_KEEPALIVE: 0,
      TCP_SYN_COOKIES: 0,
      ICMP_ERRORS: 0,
      SOCKET_MORE_OPTIONS: 0,
      STATISTICS: 0,
      ASSERTIONS: 0,
    },
  },
  tcpEcho: { app: "firmware/bench/tcp-echo" },
  udpEcho: { app: "firmware/bench/udp-echo" },
};

const CPUS: Cpu[] = [CORTEX_M0PLUS, CORTEX_M4];
const LIBRARY = /^(?:__|w2c_hw_|memcpy|memmove|memset|copy_|bytes_up)/;
const RINGS = /^(?:RINGS|RX_RINGS|TX_RINGS)$/;

async function compile(app: string, cpu: Cpu, options?: Partial<Options>): Promise<Firmware> {
  return compileFirmware({
    board: "hosted",
    app: join(packageRoot, app),
    bind: { nic: "firmware/bench/nic", cpu: cpu.primitives },
    memoryBase: cpu.ram.origin,
    ...(options ? { options } : {}),
  });
}

const isStack = (source: string | undefined): boolean =>
  source !== undefined && /^(?:stack|hal\/cpu)\//.test(source);

/**
 * What the application calls of the stack is not copied into it: else most of the stack would lie in the function of the
 * application that turns it, and count as the application's.
 */
function keepApart(program: string): string {
  const called = new Set<string>();
  for (const [, name = "", body = ""] of program.matchAll(
    /^\w+ (w2c_app_\w+)\([^;{]*\{\n(.*?)^\}/gms,
  )) {
    if (isStack(sourceName(name))) continue;
    for (const [call] of body.matchAll(/\bw2c_app_\w+(?=\()/g)) {
      if (isStack(sourceName(call))) called.add(call);
    }
  }
  return program.replace(/^static \w+ (w2c_app_\w+)\([^{]*?\);/gm, (prototype, name: string) =>
    called.has(name) ? `__attribute__((noinline)) ${prototype}` : prototype,
  );
}

async function weigh(firmware: Firmware, cpu: Cpu, optimize: string): Promise<StackSize> {
  const folder = workFolder("size");
  try {
    writeFileSync(join(folder, "app.wasm"), firmware.wasm);
    await wasmToC(folder, "app");
    const program = join(folder, "app.c");
    writeFileSync(program, keepApart(readFileSync(program, "utf8")));
    const kept = readPrototypes(join(folder, "app.h")).exports.map(
      ({ name }) => `-Wl,--undefined=w2c_app_${name}`,
    );
    const flags = [
      ...cpu.gcc,
      ...flagsFor(optimize),
      "-ffunction-sections",
      "-fdata-sections",
      "-I.",
    ];
    const gcc = (args: string[]): Promise<string> => runTool(ARM_GCC, args, folder);
    await gcc([...flags, "-w", "-c", "size.c", "-o", "size.o"]);
    await gcc([...flags, "-c", "memory.c", "-o", "memory.o"]);
    const link = ["-nostartfiles", "-nostdlib", "-Wl,--gc-sections", "-Wl,--build-id=none"];
    // The device and traps are somebody else's.
    link.push(
      "-Wl,--unresolved-symbols=ignore-all",
      "-Wl,-e,0",
      "-Wl,--undefined=wasm2c_app_instantiate",
    );
    await gcc([...cpu.gcc, ...link, ...kept, "size.o", "memory.o", "-lgcc", "-o", "size.elf"]);
    return shares(readFileSync(join(folder, "size.elf")));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function shares(elf: Uint8Array): StackSize {
  const tables = readElfTables(elf);
  const files = new Map<string, number>();
  const seen = new Set<number>();
  let text = 0;
  let application = 0;
  for (const symbol of tables.symbols) {
    const section = symbol.section === undefined ? undefined : tables.sections[symbol.section];
    if (symbol.kind !== "function" || !section?.name.startsWith(".text")) continue;
    if (seen.has(symbol.address)) continue;
    seen.add(symbol.address);
    const source = sourceName(symbol.name);
    if (!isStack(source) && !LIBRARY.test(symbol.name)) {
      if (source !== undefined) application += symbol.bytes;
      continue;
    }
    text += symbol.bytes;
    const file = source ? `${source.slice(0, source.lastIndexOf("/"))}.ts` : "(library)";
    files.set(file, (files.get(file) ?? 0) + symbol.bytes);
  }
  const rodata = tables.sections
    .filter(({ name }) => name.startsWith(".rodata") || name.startsWith(".data"))
    .reduce((sum, section) => sum + section.bytes, 0);
  return {
    text,
    rodata,
    application,
    files: Object.fromEntries([...files].sort((a, b) => b[1] - a[1])),
  };
}

function ramOf(firmware: Firmware): StackRam {
  const ram: StackRam = { rings: 0, besidesRings: 0, files: {} };
  for (const { file, name, bytes } of firmware.statics) {
    // Tables that belong to one function have no name here; what little of them is the application's counts, too.
    if (!file.startsWith("stack/") && file !== "(constants)") continue;
    if (RINGS.test(name)) ram.rings += bytes;
    else ram.besidesRings += bytes;
    ram.files[file] = (ram.files[file] ?? 0) + bytes;
  }
  return ram;
}

/** Options whose price is told, and the values that leave each out of "full". */
const WITHOUT: Record<string, Partial<Options>> = {
  DHCP: { DHCP: 0 },
  DNS_ENTRIES: { DNS_ENTRIES: 0 },
  ARP_PENDING_BYTES: { ARP_PENDING_BYTES: 0 },
  TCP_SACK: { TCP_SACK: 0 },
  TCP_RACK: { TCP_RACK: 0 },
  TCP_SPURIOUS: { TCP_SPURIOUS: 0 },
  TCP_TIMESTAMPS: { TCP_TIMESTAMPS: 0 },
  TCP_WINDOW_SCALE: { TCP_WINDOW_SCALE: 0 },
  TCP_URGENT: { TCP_URGENT: 0 },
  TCP_KEEPALIVE: { TCP_KEEPALIVE: 0 },
  TCP_FAST_PATH: { TCP_FAST_PATH: 0 },
  STATISTICS: { STATISTICS: 0 },
  ASSERTIONS: { ASSERTIONS: 0 },
};

/** Weighs the stack in the configurations of the sheet. */
export async function weighStack(onStep: (what: string) => void): Promise<SizeResult> {
  const result: SizeResult = { configurations: {}, options: {} };
  for (const [name, { app, options }] of Object.entries(CONFIGURATIONS)) {
    const code: ConfigurationSize["code"] = {};
    let image: Firmware | undefined;
    for (const cpu of CPUS) {
      onStep(`${name}, ${cpu.name}`);
      const firmware = await compile(app, cpu, options);
      image ??= firmware;
      code[cpu.name] = {
        "-Os": await weigh(firmware, cpu, "-Os"),
        "-O2": await weigh(firmware, cpu, "-O2"),
      };
    }
    const firmware = image as Firmware;
    result.configurations[name] = { code, ram: ramOf(firmware), records: recordsOf(firmware) };
  }
  const full = result.configurations["full"] as ConfigurationSize;
  const whole = full.code[CORTEX_M0PLUS.name]?.["-Os"] as StackSize;
  for (const [name, options] of Object.entries(WITHOUT)) {
    onStep(`full without ${name}`);
    // The application of "full" calls the DHCP client; without it, it is the bench's own.
    const firmware = await compile(
      name === "DHCP" ? "firmware/bench" : FULL,
      CORTEX_M0PLUS,
      name === "DHCP" ? { ...options, DNS_ENTRIES: OPTIONS.DNS_ENTRIES } : options,
    );
    const { text } = await weigh(firmware, CORTEX_M0PLUS, "-Os");
    const ram = ramOf(firmware);
    result.options[name] = {
      text: whole.text - text,
      ram: full.ram.besidesRings + full.ram.rings - ram.besidesRings - ram.rings,
    };
  }
  return result;
}

/** The result for people. */
export function printSizes(result: SizeResult): string {
  const sum = (size: StackSize | undefined): string =>
    size ? `${number(size.text)} + ${number(size.rodata)}` : "-";
  const rows = Object.entries(result.configurations).map(([name, { code, ram }]) => [
    name,
    ...CPUS.flatMap((cpu) => [sum(code[cpu.name]?.["-Os"]), sum(code[cpu.name]?.["-O2"])]),
    number(ram.besidesRings),
    number(ram.rings),
  ]);
  const head = [
    "stack alone, text + rodata",
    "M0+ -Os",
    "M0+ -O2",
    "M4 -Os",
    "M4 -O2",
    "RAM",
    "rings",
  ];
  const files = result.configurations["full"]?.code[CORTEX_M0PLUS.name]?.["-Os"].files ?? {};
  const records = result.configurations["full"]?.records;
  return [
    table(head, rows),
    table(
      ["others (recorded), M0+ -Os", "lwIP", "uIP", "RAM"],
      Object.entries(PEERS).map(([name, { lwip, uip, ram }]) => [
        name,
        number(lwip),
        number(uip),
        ram ?? "-",
      ]),
    ),
    records
      ? `records: TCB ${records.tcb}, SYN queue ${records.synQueueEntry}, TIME-WAIT ${records.timeWaitEntry} bytes`
      : "",
    table(
      ["an option in full", "text", "RAM"],
      Object.entries(result.options).map(([name, { text, ram }]) => [
        name,
        number(text),
        number(ram),
      ]),
    ),
    table(
      ["full, M0+ -Os, by file", "text"],
      Object.entries(files).map(([file, bytes]) => [file, number(bytes)]),
    ),
  ].join("\n\n");
}

/** Bars for the chart: text and rodata beside the peers', one group a configuration. */
export function chartSizes(result: SizeResult): BarGroup[] {
  return Object.entries(result.configurations).map(([name, { code }]) => {
    const size = code[CORTEX_M0PLUS.name]?.["-Os"];
    const ours = size ? size.text + size.rodata : 0;
    return { label: name, bars: [ours, PEERS[name]?.lwip ?? 0, PEERS[name]?.uip ?? 0] };
  });
}
