import { join } from "node:path";
import { pathToFileURL } from "node:url";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";

interface Reference {
  publicNames(): [name: string, file: string][];
  exportsOf(file: string): Map<string, object>;
  docOf(entry: object): string;
  pageOf(name: string, file: string): string;
}

const script = pathToFileURL(join(packageRoot, "host-tools/setup/reference.mjs")).href;
const reference = (await import(script)) as Reference;

test("all that applications and tests may import has a docstring", (t) => {
  const silent: string[] = [];
  let seen = 0;
  for (const [name, file] of reference.publicNames()) {
    const found = reference.exportsOf(file);
    t.true(found.size > 0, name);
    seen += found.size;
    for (const [title, entry] of found) {
      if (reference.docOf(entry) === "") silent.push(`${name}: ${title}`);
    }
  }
  t.true(seen > 400, String(seen));
  t.deepEqual(silent, []);
});

test("the API reference has signature and words of functions, and the calls of classes", (t) => {
  const page = (name: string): string => {
    const [, file = ""] = reference.publicNames().find(([one]) => one === name) ?? [];
    return reference.pageOf(name, file);
  };
  t.regex(
    page("as-tcpip/net"),
    /^## recv\n\n```ts\nfunction recv\(fd: i32, .*\): i32\n```\n\nrecv\(2\)/m,
  );
  t.regex(page("as-tcpip/log"), /^## log1$/m);
  t.regex(
    page("as-tcpip/testing"),
    /^async press\(ms = 100\): Promise<void>\n```\n\nPresses the button/m,
  );
});
