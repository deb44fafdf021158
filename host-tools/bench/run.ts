import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { UserError } from "../errors.js";
import { buildFolder } from "../root.js";
import { barChart } from "./chart.js";
import type { KernelResult } from "./kernel/part.js";
import type { CellsResult } from "./throughput/cells.js";
import type { ThroughputResult } from "./throughput/part.js";

/** A part of the bench: what it measures, and how that is shown. */
export interface Part {
  name: string;
  title: string;
  /**
   * Measures; the result is what `--json` prints. `count` is what `--count` says, where the part counts something, `cell` what `--cell`
   * says, where it has cells that can be measured alone.
   */
  run(onStep: (what: string) => void, count?: number, cell?: string): Promise<unknown>;
  /** The result for people. */
  print(result: never): string;
  /** True when the result is a failure (`print` then throws). */
  failed?(result: never): boolean;
  /** The result as a picture, where it makes one: an SVG document. */
  chart?(result: never): string | undefined;
}

/** The parts, in the order in which they run; each is loaded when it is wanted. `counts`, `cells`: it has something for `--count` or `--cell` to say. */
const PARTS: Record<
  string,
  { title: string; counts?: true; cells?: true; load: () => Promise<Part> }
> = {
  instructions: {
    title: "instructions a segment, a datagram, a transaction, beside lwIP and uIP",
    load: async () => {
      const part = await import("./instructions/part.js");
      return {
        name: "instructions",
        title: "Instructions a unit, Cortex-M0+, -O2",
        run: (onStep) => part.countInstructions({ onStep }),
        print: part.printInstructions,
        chart: (result) =>
          barChart(
            "Instructions a unit, Cortex-M0+, gcc -O2",
            ["as-tcpip", "lwIP 2.2.1", "uIP (recorded)"],
            part.chartInstructions(result),
          ),
      };
    },
  },
  spi: {
    title: "bytes and transactions on the SPI bus, beside other drivers and the floor",
    load: async () => {
      const part = await import("./spi/part.js");
      return {
        name: "spi",
        title: "SPI",
        run: part.countSpi,
        print: part.printSpi,
        chart: (result) =>
          barChart("Bytes on the bus a frame", ["W5500", "ENC28J60"], part.chartSpi(result)),
      };
    },
  },
  size: {
    title: "code and RAM of the stack alone, and what each option adds",
    load: async () => {
      const part = await import("./size/part.js");
      return {
        name: "size",
        title: "Size",
        run: part.weighStack,
        print: part.printSizes,
        chart: (result) =>
          barChart(
            "Stack alone, text and rodata, Cortex-M0+, gcc -Os",
            ["as-tcpip", "lwIP 2.2.1 (recorded)", "uIP (recorded)"],
            part.chartSizes(result),
          ),
      };
    },
  },
  throughput: {
    title: "Mbit/s of simulated time on the emulated RP2040, with and without floods",
    counts: true,
    cells: true,
    load: async () => {
      const part = await import("./throughput/part.js");
      const cells = await import("./throughput/cells.js");
      return {
        name: "throughput",
        title: "Throughput",
        run: (onStep, count, cell) =>
          count === undefined && cell === undefined
            ? part.measureThroughput(onStep)
            : cells.measureCells(onStep, cell ?? "", count ?? 1),
        print: (result: ThroughputResult | CellsResult) =>
          isCells(result) ? cells.printCells(result) : part.printThroughput(result),
        chart: (result: ThroughputResult | CellsResult) =>
          isCells(result)
            ? undefined
            : barChart(
                "Mbit/s on the emulated Pico",
                ["alone", "1,500 pings a second", "1,500 broadcasts a second"],
                part.chartThroughput(result),
              ),
      };
    },
  },
  scaling: {
    title: "instructions a segment by number of open connections",
    load: async () => {
      const part = await import("./scaling/part.js");
      return {
        name: "scaling",
        title: "Scaling",
        run: part.countScaling,
        print: part.printScaling,
        chart: (result) =>
          barChart(
            "Instructions a segment by open connections",
            ["as-tcpip", "lwIP (recorded)"],
            part.chartScaling(result),
          ),
      };
    },
  },
  netsim: {
    title: "bytes a second over a link that loses frames, beside smoltcp, in virtual time",
    load: async () => {
      const part = await import("./netsim/part.js");
      return {
        name: "netsim",
        title: "Lossy link",
        run: part.measureNetsim,
        print: part.printNetsim,
        chart: (result) =>
          barChart(
            "Bytes a second over a lossy link",
            ["as-tcpip", "with CUBIC", "smoltcp (recorded)"],
            part.chartNetsim(result),
          ),
      };
    },
  },
  flood: {
    title:
      "what is left of the service under 100,000 SYNs from nobody, both chips, in virtual time",
    counts: true,
    load: async () => {
      const part = await import("./flood/part.js");
      return {
        name: "flood",
        title: "SYN flood",
        run: part.measureFlood,
        print: part.printFlood,
        chart: (result) =>
          barChart(
            "A transfer under a flood of SYNs, Mbit/s",
            ["before", "during"],
            part.chartFlood(result),
          ),
      };
    },
  },
  echo: {
    title:
      "2 MiB through the echo port over a cable that loses frames, both chips, in virtual time",
    counts: true,
    load: async () => {
      const part = await import("./echo/part.js");
      return { name: "echo", title: "Echo", run: part.measureEcho, print: part.printEcho };
    },
  },
  connections: {
    title:
      "10,000 short connections through the gateway, 100,000 in virtual time: what is left of them",
    counts: true,
    load: async () => {
      const part = await import("./connections/part.js");
      return {
        name: "connections",
        title: "Short connections",
        run: part.measureConnections,
        print: part.printConnections,
      };
    },
  },
  kernel: {
    title:
      "transfers to and from this computer's own TCP through a bad relay, beside kernel to kernel (root)",
    counts: true,
    load: async () => {
      const part = await import("./kernel/part.js");
      return {
        name: "kernel",
        title: "Kernel",
        run: (onStep, count) => part.measureKernel(onStep, { seeds: count ?? 1 }),
        print: part.printKernel,
        failed: (result: KernelResult) =>
          result.rows.some((row) => !row.in.intact || !row.out.intact || !row.kernels.intact),
      };
    },
  },
  host: {
    title: "the stack in Node and the simulator itself, in real time",
    load: async () => {
      const part = await import("./host/part.js");
      return { name: "host", title: "Host", run: part.measureHost, print: part.printHost };
    },
  },
  gate: {
    title: "the quick counts against the repository's baseline; fails when one is worse",
    load: async () => {
      const part = await import("./gate/part.js");
      return {
        name: "gate",
        title: "Gate",
        run: part.gate,
        print: part.printGate,
        failed: (result: { worse: unknown[] }) => result.worse.length > 0,
      };
    },
  },
};

function isCells(result: ThroughputResult | CellsResult): result is CellsResult {
  return Array.isArray(result["cells"]);
}

/** Names of the parts with a word about each. */
export function listParts(): { name: string; title: string }[] {
  return Object.entries(PARTS).map(([name, { title }]) => ({ name, title }));
}

/**
 * Runs the named part, or all of them. With `json` the result goes to standard output as one document: that of the part
 * when one was named, otherwise one key a part.
 */
export async function runBench(
  name: string | undefined,
  json: boolean,
  { count, cell }: { count?: number | undefined; cell?: string | undefined } = {},
): Promise<void> {
  if (name !== undefined && !Object.hasOwn(PARTS, name)) {
    throw new UserError(
      `there is no part '${name}' of the bench; there are: ${Object.keys(PARTS).join(", ")}`,
    );
  }
  if (count !== undefined && name !== undefined && !PARTS[name]?.counts) {
    const counting = Object.keys(PARTS).filter((each) => PARTS[each]?.counts);
    throw new UserError(`'--count' says nothing to '${name}'; it is for ${counting.join(", ")}`);
  }
  if (cell !== undefined && (name === undefined || !PARTS[name]?.cells)) {
    throw new UserError(
      "'--cell' is for the part throughput: npm run bench -- throughput --cell pings",
    );
  }
  const names = name === undefined ? Object.keys(PARTS).filter((each) => each !== "gate") : [name];
  const results: Record<string, unknown> = {};
  for (const each of names) {
    const part = await (PARTS[each] as (typeof PARTS)[string]).load();
    const onStep = (what: string): void => void process.stderr.write(`${each}: ${what} ...\n`);
    // Seeds of the cells of one part are not what the others count.
    const counted = name === undefined && PARTS[each]?.cells ? undefined : count;
    const result = await part.run(onStep, counted, cell);
    results[each] = result;
    if (json && part.failed?.(result as never)) process.exitCode = 1;
    if (!json) console.log(`${part.print(result as never)}\n`);
    const chart = part.chart?.(result as never);
    if (chart !== undefined) {
      const charts = buildFolder("bench");
      mkdirSync(charts, { recursive: true });
      const file = join(charts, `${each}.svg`);
      writeFileSync(file, chart);
      if (!json) console.log(`chart: ${relative(process.cwd(), file)}\n`);
    }
  }
  if (json) console.log(JSON.stringify(name === undefined ? results : results[name], null, 1));
}
