/** Every example of docs/testing.md is run as it stands there; only the names of packages are those of this repository. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test, { type ExecutionContext } from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { Lan } from "../../host-tools/testing/index.js";

type Example = (title: string, body: (t: ExecutionContext) => Promise<void>) => void;

const folder = join(packageRoot, "build", "js", "test", "testing", "examples");
mkdirSync(folder, { recursive: true });
const testing = pathToFileURL(join(packageRoot, "build/js/host-tools/testing/index.js")).href;
const text = readFileSync(join(packageRoot, "docs/testing.md"), "utf8");
const blocks = [...text.matchAll(/^```js\n([^]*?)^```$/gm)].map((match) => match[1] as string);

test("docs/testing.md has its examples", (t) => {
  t.true(blocks.length >= 7);
});

for (const [index, block] of blocks.entries()) {
  const title = /^test\("(.*)", async/m.exec(block)?.[1] ?? `example ${index}`;
  test(`docs/testing.md: ${title}`, async (t) => {
    const file = join(folder, `example-${index}.mjs`);
    const body = block
      .replace('import test from "ava";', "export default (test) => {")
      .replace(/^import (.*) from "as-tcpip\/testing";$/m, "const $1 = testing;");
    writeFileSync(file, `import * as testing from ${JSON.stringify(testing)};\n${body}\n};\n`);
    const { default: define } = (await import(pathToFileURL(file).href)) as {
      default: (test: Example) => void;
    };
    let run: Parameters<Example>[1] | undefined;
    define((_title, given) => (run = given));
    await run?.(t);
  });
}

test("several hosts join at once: what one announces finds the others ready, or not there yet", async (t) => {
  const lan = new Lan({ dhcp: false });
  const station = lan.station();
  const broadcast = Buffer.concat([
    Buffer.alloc(6, 255),
    Buffer.from([2, 0xaa, 0, 0, 0, 1, 8, 6]),
    Buffer.alloc(46),
  ]);
  lan.clock.schedule(1000, () => station.send(broadcast));
  const hosts = await Promise.all([lan.host(), lan.host(), lan.host()]);
  t.is(new Set(hosts.map(({ address }) => address)).size, 3);
  lan.close();
});

test("a test may write and read at the same time: more than all buffers hold comes back", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "echo" });
  const stream = await device.connect(7);
  const data = Buffer.alloc(200_000, "both ways at once. ");
  const [echoed] = await Promise.all([stream.read(data.length), stream.write(data)]);
  t.true(echoed.equals(data));
  lan.close();
});
