import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { C_FOLDER, flagsFor } from "../../host-tools/build/device/link.js";
import { ARM_GCC, runTool } from "../../host-tools/build/device/tools.js";
import { packageRoot } from "../../host-tools/root.js";
import { qemuTest } from "./support.js";

// One for speed and one for size: each has a way of its own. That of a Cortex-M0+ is looked at in test/build/code.
for (const level of ["-O2", "-Os"] as const) {
  qemuTest(`copies and fills of a Cortex-M4 are right for every alignment, ${level}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "as-tcpip-memory-"));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const place = ["-Wl,-Ttext=0x1000", "-Wl,--section-start=.vectors=0", "-Wl,-Tdata=0x20010000"];
    await runTool(
      ARM_GCC,
      [
        ...["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft", ...flagsFor(level)],
        ...["-fno-tree-loop-distribute-patterns", "-nostartfiles", "-nostdlib", ...place],
        ...["-Wl,-Tbss=0x20011000", "-Wl,--entry=0", "-Wl,--no-warn-rwx-segments"],
        join(packageRoot, "test/qemu/memory.c"),
        ...[join(C_FOLDER, "memory.c"), "-lgcc", "-o", "memory.elf"],
      ],
      folder,
    );
    const machine = ["-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"];
    const semihosting = ["-semihosting-config", "enable=on,target=native"];
    // It ends by itself; the time only ends one that hangs.
    const options = { cwd: folder, timeout: 60_000 };
    const args = [...machine, ...semihosting, "-kernel", "memory.elf"];
    t.is(spawnSync("qemu-system-arm", args, options).status, 0);
  });
}
