import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { runTool } from "../../build/device/tools.js";

/** The release of Debian whose source package is taken: its lwIP is 2.2.1, the version of the recorded figures. */
const SUITE = "trixie";
const ARCHIVE = "http://deb.debian.org/debian";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Where lwIP's source is kept, outside of the checkout; a folder of its own for each archive. */
function cacheFolder(): string {
  const cache = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  const key = createHash("sha256").update(`${ARCHIVE} ${SUITE}`).digest("hex").slice(0, 8);
  return join(cache, "as-tcpip", `lwip-${SUITE}-${key}`);
}

/**
 * Gets the package's source by apt with a list of sources and a state of its own, so that the computer's lists stay as they
 * are; apt checks the signatures. Returns the folder that has `src/core`.
 */
async function download(folder: string): Promise<void> {
  const work = `${folder}.${process.pid}`;
  try {
    for (const each of ["lists/partial", "cache/archives/partial", "source"])
      mkdirSync(join(work, each), { recursive: true });
    writeFileSync(
      join(work, "sources.list"),
      `deb-src [signed-by=${KEYRING}] ${ARCHIVE} ${SUITE} main\n`,
    );
    const own = [
      `Dir::Etc::sourcelist=${work}/sources.list`,
      "Dir::Etc::sourceparts=/dev/null",
      `Dir::State::lists=${work}/lists`,
      `Dir::Cache=${work}/cache`,
      "Acquire::Retries=1",
      "Acquire::http::Timeout=20",
    ].flatMap((option) => ["-o", option]);
    await runTool("apt-get", [...own, "--quiet", "update", "--error-on=any"], work);
    await runTool("apt-get", [...own, "--quiet", "--download-only", "source", "lwip"], work);
    const archive = readdirSync(work).find((name) => /^lwip_.*\.orig\.tar\.\w+$/.test(name));
    if (archive === undefined) throw new Error("the package has no .orig archive");
    await runTool("tar", ["-xf", archive, "-C", "source", "--strip-components=1"], work);
    if (!existsSync(join(work, "source", "src", "core"))) throw new Error("no src/core in it");
    renameSync(join(work, "source"), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The folder of lwIP's source (that has `src/core`): the one that `LWIP_SOURCE` names, else the cache's, which is filled from
 * Debian's source package the first time. Undefined, with the reason told, where it cannot be had.
 */
export async function lwipSource(onStep: (what: string) => void): Promise<string | undefined> {
  const named = process.env["LWIP_SOURCE"];
  const folder = named ?? cacheFolder();
  if (existsSync(join(folder, "src", "core"))) return folder;
  if (named !== undefined) {
    onStep(`lwIP: recorded figures, LWIP_SOURCE=${named} has no src/core`);
    return undefined;
  }
  onStep(`lwIP: getting Debian's source package (${SUITE}) into ${folder}`);
  try {
    await download(folder);
    return folder;
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split("\n");
    onStep(`lwIP: recorded figures, its source cannot be had: ${line}`);
    return undefined;
  }
}
