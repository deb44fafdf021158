import { readFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { runTool } from "../../build/device/tools.js";
import { buildHost, type ReplayRequest } from "./build.js";
import type { Counted } from "./rp2040.js";

/** Functions of the frame device (c/stack-program.h): entering one turns the count off. */
const DEVICE = [
  "rxBegin",
  "rxRead",
  "rxSkip",
  "rxEnd",
  "txReady",
  "txBegin",
  "txWrite",
  "txEnd",
  "txCancel",
];

/**
 * Replays a recording on this computer under callgrind. Instructions of a marked stretch by the number of its mark; there
 * are no cycles.
 */
export async function countByCallgrind(request: ReplayRequest): Promise<Map<number, Counted>> {
  const folder = await buildHost(request);
  const toggles = request.lwip
    ? ["lwip_turn", "device_copy", "device_send"]
    : ["w2c_app_turn", ...DEVICE.map((name) => `w2c_hw_${name}`)];
  await runTool(
    "valgrind",
    [
      "--tool=callgrind",
      "--callgrind-out-file=counts",
      "--collect-atstart=no",
      ...toggles.map((name) => `--toggle-collect=${name}`),
      "--dump-before=bench_mark",
      "./replay",
      "trace.bin",
    ],
    folder,
  );
  const results = new Map<number, Counted>();
  // Dump n is written before mark n: it has what was counted since the mark before.
  for (const name of readdirSync(folder)) {
    const number = Number(/^counts\.(\d+)$/.exec(name)?.[1]);
    if (!(number % 2 === 0)) continue;
    const total = /^(?:totals|summary): (\d+)/m.exec(readFileSync(join(folder, name), "utf8"));
    results.set(number - 1, {
      insn: Number(total?.[1] ?? 0),
      cycles: 0,
      copyInsn: 0,
      copyCycles: 0,
    });
  }
  if (!process.env["KEEP_BUILD"]) rmSync(folder, { recursive: true, force: true });
  return results;
}
