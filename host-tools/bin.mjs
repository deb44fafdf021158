#!/usr/bin/env node
// The `as-tcpip` command: set-up first, then the compiled command line.
import { ensure, root } from "./setup/ensure.mjs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

ensure();
await import(pathToFileURL(join(root, "build/js/host-tools/cli.js")).href);
