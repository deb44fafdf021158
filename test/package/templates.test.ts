/**
 * `as-tcpip new` for each template: the project's own test passes, run here in the compiler's cache of this repository. From the packed
 * file, with `npm test` in each project, it is `npm run templates`.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test, { type ExecutionContext } from "ava";
import { TEMPLATES } from "../../host-tools/project/files.js";
import { Lan, type DeviceOptions } from "../../host-tools/testing/index.js";
import { CLI, endCommands, runCli } from "../support/cli.js";

type Body = (t: ExecutionContext) => Promise<void>;
type Define = (test: (title: string, body: Body) => void, lan: typeof Lan) => void;

const home = mkdtempSync(join(tmpdir(), "as tcpip templates-"));
test.after.always(endCommands);
test.after.always(() => rmSync(home, { recursive: true, force: true }));

for (const template of Object.keys(TEMPLATES)) {
  test(`new --template ${template}: the project's own test passes`, async (t) => {
    const folder = join(home, `my-${template}`);
    const made = await runCli("new", folder, "--template", template, "--no-install");
    t.is(made.code, 0, made.stderr);
    t.regex(made.stdout, /^next: cd .*my-\w+"? && npm install && npm start$/m);
    const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    t.is(scripts["test"], "ava");
    const text = readFileSync(join(folder, "test/app.test.mjs"), "utf8");
    const body = text.replace(/^import .*\n/gm, "");
    const module = join(folder, "test/here.mjs");
    writeFileSync(module, `export default (test, Lan) => {\n${body}};\n`);
    const { default: define } = (await import(pathToFileURL(module).href)) as { default: Define };
    class HereLan extends Lan {
      override device(options: DeviceOptions = {}): ReturnType<Lan["device"]> {
        return super.device({ app: folder, ...options });
      }
    }
    const bodies: Body[] = [];
    define((_title, given) => bodies.push(given), HereLan);
    t.is(bodies.length, 1);
    for (const run of bodies) await run(t);
  });
}

test("a template that does not exist, a virtual board and a name that npm refuses: one line each", async (t) => {
  t.truthy(CLI);
  const mistakes: [string[], RegExp][] = [
    [
      ["x", "--template", "mqt"],
      /^as-tcpip: unknown template 'mqt'; there are: echo, http, web, mqtt, blank$/m,
    ],
    [["x", "--board", "virtual-w5500"], /^as-tcpip: --board names the hardware/m],
    [["X y"], /^as-tcpip: 'X y' is no name for a package/m],
  ];
  for (const [args, message] of mistakes) {
    const { code, stderr } = await runCli("new", ...args);
    t.is(code, 1);
    t.regex(stderr, message);
  }
});
