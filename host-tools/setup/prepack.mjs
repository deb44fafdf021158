// `npm pack`: compiles the host tools, with declarations, to build/package, which is what the package ships.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { ensurePackages, root, runNode } from "./ensure.mjs";

ensurePackages();
rmSync(join(root, "build", "package"), { recursive: true, force: true });
const tsc = join(root, "node_modules/typescript/bin/tsc");
runNode([tsc, "-p", "tsconfig.package.json"], "compiling (tsconfig.package.json)");
