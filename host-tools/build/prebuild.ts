/** A program that prepack.mjs runs: compiles what the package brings along ready-made. */
import { prebuild } from "./compile.js";

await prebuild({ board: "hosted", app: "hosted" });
