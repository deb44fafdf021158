// `npm pack`: compiles the host tools, with declarations, to build/package, which is what the package ships, and the gateway's stack,
// so that the first start of a simulation need not.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ensurePackages, isCompiled, root, runNode } from "./ensure.mjs";

ensurePackages();
rmSync(join(root, "build", "package"), { recursive: true, force: true });
const tsc = join(root, "node_modules/typescript/bin/tsc");
// Types that `npm test` has checked already are not checked again.
const checked = isCompiled(true) || isCompiled(false) ? ["--noCheck"] : [];
runNode([tsc, "-p", "tsconfig.package.json", ...checked], "compiling (tsconfig.package.json)");
runNode([join(root, "build/package/host-tools/build/prebuild.js")], "compiling the gateway");
