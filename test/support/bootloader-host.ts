import { flashFactsOf, type FlashFacts } from "../../host-tools/flash/board-facts.js";
import { systemDrives } from "../../host-tools/flash/drives.js";
import type { FlashHost } from "../../host-tools/flash/host.js";
import type { Segment } from "../../host-tools/flash/image/segments.js";
import type { FlashRequest } from "../../host-tools/flash/run.js";
import type { Stm32Job } from "../../host-tools/flash/stm32.js";
import { TIMING, type Timing } from "../../host-tools/flash/timing.js";
import type { SerialBinding } from "../../host-tools/serial/line.js";
import type { Port } from "../../host-tools/serial/ports.js";

/** Facts of boards like the real ones, independent of hal/boards. */
function facts(name: string, target: string, flash: Record<string, unknown>): FlashFacts {
  return flashFactsOf({
    name,
    title: name,
    target: target as "stm32f1",
    chip: "w5500",
    nic: "w5500",
    cpu: "portable",
    spiHz: 1,
    options: {},
    folder: "",
    flash,
  });
}

export const BOARDS = {
  bluepill: facts("bluepill-w5500", "stm32f1", {
    bytes: 65536,
    chipIds: ["0x410"],
    settings: "0x0800fc00",
  }),
  f401: facts("f401", "stm32f4", { bytes: 393216, chipIds: ["0x433"] }),
  espruinoPico: facts("espruino-pico-w5500", "stm32f4", {
    bytes: 393216,
    method: "espruino",
    appOrigin: "0x08010000",
    settings: "0x08040000",
    chipIds: ["0x433"],
  }),
  pico: facts("w5500-evb-pico", "rp2040", { bytes: 2097152, settings: "0x101ff000" }),
};

/** Time limits short enough to wait for, where a test is about silence. */
export const SHORT: Timing = {
  ...TIMING,
  syncMs: 20,
  quietMs: 5,
  answerMs: 60,
  writeMs: 60,
  eraseMs: 60,
  resetMs: 1,
  pollMs: 5,
  rebootMs: 50,
};

/** A host whose port, drives and terminal are the test's. */
export function testHost(options: {
  binding?: SerialBinding;
  ports?: Port[];
  drives?: string[];
  unmounted?: string;
  timing?: Timing;
}): FlashHost & { said: string[]; steps: string[] } {
  const said: string[] = [];
  const steps: string[] = [];
  return {
    said,
    steps,
    binding: async () => {
      if (!options.binding) throw new Error("this test has no serial port");
      return options.binding;
    },
    ports: async () => options.ports ?? [],
    drives: {
      ...systemDrives,
      mounts: () => options.drives ?? [],
      unmounted: () => options.unmounted,
    },
    say: (line) => void said.push(line),
    progress: {
      start: (what) => void steps.push(what),
      update: () => undefined,
      stop: () => undefined,
    },
    timing: options.timing ?? { ...TIMING, resetMs: 1, pollMs: 5, rebootMs: 50 },
  };
}

/** A repeatable image. */
export function pattern(bytes: number, salt = 0): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => (at * 31 + (at >> 8) * 7 + salt) & 0xff);
}

/** What a job has in place of the default. */
export type JobChange = Partial<Omit<Stm32Job, "contents">> & { segments?: Segment[] };

/** A job for the ROM boot loader with everything at its default. */
export function stm32Job({ segments, ...change }: JobChange = {}): Stm32Job {
  const program = segments ?? [{ address: 0x08000000, data: pattern(5001) }];
  return {
    facts: BOARDS.bluepill,
    contents: async () => program,
    port: "/dev/board",
    baudRate: 115200,
    verify: true,
    waitMs: 100,
    erase: "pages",
    go: true,
    ...change,
  };
}

/** A request with everything at its default. */
export function flashRequest(change: Partial<FlashRequest> = {}): FlashRequest {
  return {
    settings: {},
    settingsOnly: false,
    baudRate: 115200,
    erase: "pages",
    dryRun: false,
    verify: true,
    go: true,
    waitMs: 0,
    ...change,
  };
}
