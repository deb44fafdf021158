/** The examples of docs/sockets.md, put together to one program: each serves one client of an echo port. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "ava";
import { Lan } from "../../host-tools/testing/lan.js";

const APP = "build/docs/sockets-page";
const STYLES = ["byBlocking", "byBorrowing", "byPoll", "bySelect", "byEpoll", "byLoop", "byRing"];

/** What `as-tcpip/net` gives. */
function exportedNames(): Set<string | undefined> {
  const sources = readdirSync("firmware/net").map((name) =>
    readFileSync(join("firmware/net", name), "utf8"),
  );
  const exported = sources.flatMap((source) => [
    ...[...source.matchAll(/^export (?:function|const|class) (\w+)/gm)].map(([, name]) => name),
    ...[...source.matchAll(/^export \{([^}]*)\}/gms)].flatMap(([, names]) =>
      (names ?? "").split(",").map((name) => name.trim()),
    ),
  ]);
  return new Set(exported);
}

/** What of it a text uses. */
function imports(text: string): string {
  const words = new Set(text.match(/\w+/g));
  return [...exportedNames()].filter((name) => name !== undefined && words.has(name)).join(", ");
}

test("every constant of POSIX that docs/sockets.md names can be imported", (t) => {
  const sources = ["posix", "errors"].map((name) => readFileSync(`stack/${name}.ts`, "utf8"));
  const constants = new Set(
    [...sources.join("\n").matchAll(/export const (\w+)/g)].map(([, name]) => name),
  );
  const exported = exportedNames();
  const named = readFileSync("docs/sockets.md", "utf8").match(/\b[A-Z][A-Z0-9_]{3,}\b/g) ?? [];
  t.deepEqual(
    [...new Set(named)].filter((name) => constants.has(name) && !exported.has(name)),
    [],
  );
});

test("each example of docs/sockets.md compiles, and does what it is there for", async (t) => {
  const page = readFileSync("docs/sockets.md", "utf8");
  const examples = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, text]) => text).join("\n");
  const main = `
export function main(): void {
  netStart();
  const ADDRESS: usize = memory.data(8, 4);
  const address = changetype<SockAddrIn>(ADDRESS);
  address.sinFamily = <u16>AF_INET;
  address.sinPort = htons(7);
  log1("info: over names %d", <u32>overNames());
  const listener = socket(AF_INET, SOCK_STREAM, 0);
  bind(listener, address);
  listen(listener, 2);
  ${STYLES.map((style) => `${style}(listener);\n  log0("info: ${style} is done");`).join("\n  ")}
  for (;;) netPoll(1000);
}
`;
  const text = `
import { log0, log1 } from "as-tcpip/log";
import { text, textAddress, textBytes } from "as-tcpip/text";
import { ${imports(examples + main)} } from "as-tcpip/net";
${examples}${main}`;
  mkdirSync(dirname(join(APP, "main.ts")), { recursive: true });
  writeFileSync(join(APP, "main.ts"), text);
  const lan = new Lan();
  const device = await lan.device({ app: APP, options: { LOCAL_SOCKETS: 2, ROUTES: 2 } });
  await device.logged("over names 4");
  for (const style of STYLES) {
    t.true(examples.includes(`function ${style}(`), style);
    const stream = await device.connect(7);
    await stream.write(style);
    t.is((await stream.read(style.length)).toString(), style);
    stream.end();
    await device.logged(`${style} is done`);
  }
  lan.close();
});
