import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readElfTables } from "../../build/device/elf.js";
import { CORTEX_M4, buildCortex, type ReplayRequest } from "./build.js";
import type { Counted } from "./rp2040.js";

/**
 * Replays a recording on QEMU's Cortex-M4, one instruction at a time, and counts the lines of its log of executed
 * instructions: those of the stack's code, with the address of the mark among them. There are no cycles.
 */
export async function countOnQemu(request: ReplayRequest): Promise<Map<number, Counted>> {
  const folder = await buildCortex(CORTEX_M4, request);
  const { sections } = readElfTables(readFileSync(join(folder, "replay.elf")));
  const range = (name: string): { from: number; bytes: number } => {
    const section = sections.find((each) => each.name === name);
    if (!section) throw new Error(`the replay has no section ${name}`);
    return { from: section.address, bytes: section.bytes };
  };
  const text = range(".text");
  const mark = range(".mark");
  const filter = [text, mark].map(
    ({ from, bytes }) => `0x${from.toString(16)}+0x${bytes.toString(16)}`,
  );
  const child = spawn(
    "qemu-system-arm",
    [
      ...["-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"],
      ...["-semihosting-config", "enable=on,target=native", "-kernel", "replay.elf"],
      ...["-singlestep", "-d", "exec,nochain", "-dfilter", filter.join(",")],
    ],
    { cwd: folder, stdio: ["ignore", "ignore", "pipe"] },
  );
  const results = new Map<number, Counted>();
  let marks = 0;
  let insn = 0;
  let rest = "";
  child.stderr.setEncoding("latin1");
  for await (const chunk of child.stderr as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) {
      // Trace 0: 0x7f… [00000000/00001234/00000110/ff000000] name
      const at = line.indexOf("/") + 1;
      if (at === 0) continue;
      const pc = parseInt(line.slice(at, at + 8), 16);
      if (pc !== mark.from) {
        insn++;
        continue;
      }
      marks++;
      if (marks % 2 === 0) results.set(marks - 1, { insn, cycles: 0, copyInsn: 0, copyCycles: 0 });
      insn = 0;
    }
  }
  const code = await new Promise<number | null>((resolve) => {
    if (child.exitCode !== null) resolve(child.exitCode);
    else child.on("close", resolve);
  });
  if (!process.env["KEEP_BUILD"]) rmSync(folder, { recursive: true, force: true });
  if (code !== 0) throw new Error(`the replay under QEMU has failed: ${code}`);
  return results;
}
