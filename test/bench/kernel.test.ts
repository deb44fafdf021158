import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { KernelHost, whyNot } from "../../host-tools/bench/kernel/namespace.js";
import { measureKernel } from "../../host-tools/bench/kernel/part.js";
import { UserError } from "../../host-tools/errors.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";

const withNamespaces = whyNot() === undefined ? test.serial : test.serial.skip;

withNamespaces(
  "8.4: transfers to and from the kernel through a relay that loses 10 % are intact",
  async (t) => {
    const { rows } = await measureKernel(() => undefined, {
      most: 64 << 10,
      names: ["loss 10 %"],
    });
    t.is(rows.length, 1);
    for (const { in: taken, out, kernels } of rows)
      t.deepEqual([taken.intact, out.intact, kernels.intact], [true, true, true]);
  },
);

/** What `ip` lists: namespaces, or interfaces of this one. */
const listed = (...what: string[]): string => spawnSync("ip", what, { encoding: "utf8" }).stdout;

/** Makes a host, which fails; gives the error. The interface must be gone then. */
async function refused(t: ExecutionContext, name: string): Promise<string> {
  const host = KernelHost.create(name, "10.77.9.1/24", new VirtualClock(), () => undefined);
  const error = await t.throwsAsync(host, { instanceOf: UserError });
  t.notRegex(listed("-o", "link"), new RegExp(`\\b${name}\\b`));
  return error?.message ?? "";
}

withNamespaces(
  "a host whose step of making fails leaves no namespace and no interface",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "as-tcpip-ip-"));
    const { PATH = "" } = process.env;
    const real = spawnSync("sh", ["-c", "command -v ip"], { encoding: "utf8" }).stdout.trim();
    const name = `ask${process.pid}`;
    try {
      // From the interface that is to go into the namespace to the last one there.
      for (const step of ["link set", "sysctl", "addr add", "set lo up"]) {
        const fake = `#!/bin/sh\ncase "$*" in *"${step}"*) echo not today >&2; exit 2;; esac\nexec ${real} "$@"\n`;
        writeFileSync(join(folder, "ip"), fake);
        chmodSync(join(folder, "ip"), 0o755);
        process.env["PATH"] = `${folder}${delimiter}${PATH}`;
        t.regex(await refused(t, name), /not today/, step);
        process.env["PATH"] = PATH;
        t.notRegex(listed("netns"), new RegExp(name), step);
      }
    } finally {
      process.env["PATH"] = PATH;
      rmSync(folder, { recursive: true });
    }
  },
);

withNamespaces(
  "a namespace of that name that is there already is another one's, and stays",
  async (t) => {
    const name = `asj${process.pid}`;
    const namespace = `${name}-${process.pid}`;
    t.is(spawnSync("ip", ["netns", "add", namespace]).status, 0);
    try {
      t.regex(await refused(t, name), /exists/i);
      t.regex(listed("netns"), new RegExp(namespace));
    } finally {
      spawnSync("ip", ["netns", "del", namespace]);
    }
  },
);
