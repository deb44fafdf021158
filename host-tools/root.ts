import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's own folder (where `package.json` is), from the compiled place build/js/host-tools. */
export const packageRoot = join(dirname(fileURLToPath(import.meta.url)), "../../..");
