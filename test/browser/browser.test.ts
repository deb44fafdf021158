/** What a real browser makes of the device's pages: events without polling, WebSocket, and `--watch` that loads a page anew. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ava from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { Browser, browserProgram } from "../support/browser.js";
import { Cli, endCommands, freePort } from "../support/cli.js";

const test = browserProgram === undefined ? ava.serial.skip : ava.serial;
if (browserProgram === undefined) console.log("browser: no Chromium here, pages are not opened");

let browser: Browser;
ava.before(() => {
  if (browserProgram !== undefined) browser = Browser.open();
});
ava.after.always(() => browser?.close());
ava.after.always(endCommands);

const folder = mkdtempSync(join(tmpdir(), "as-tcpip browser-"));
ava.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a simulation whose port 80 is one of this computer's; gives its address. */
async function serve(app: string, ...more: string[]): Promise<{ cli: Cli; host: string }> {
  const port = await freePort();
  const cli = new Cli(["sim", "--app", app, "--net", `forward:${port}=80`, "--json", ...more]);
  await cli.line((line) => line.includes('"event":"ready"'));
  return { cli, host: `127.0.0.1:${port}` };
}

test("the page of the demo goes on by events: after three of them nothing was asked for again", async (t) => {
  const { cli, host } = await serve("demo");
  const page = await browser.page(`http://${host}/`);
  const uptime = `document.querySelector("#facts b")?.textContent`;
  for (let i = 0; i < 3; i++) {
    const before = JSON.stringify((await page.value(uptime)) ?? null);
    await page.until(`${uptime} && ${uptime} !== ${before}`);
  }
  t.is(await page.value(`document.getElementById("link").className`), "pill up");
  const asked = `performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname)`;
  const paths = (await page.value(asked)) as string[];
  t.true(paths.includes("/app.js"), paths.join());
  t.deepEqual(
    paths.filter((path) => path.startsWith("/api/")),
    [],
  );
  t.is((await cli.interrupt()).code, 0);
});

test("the page of a device with two networks shows both; of one with one network it names none", async (t) => {
  for (const [board, names] of [
    ["virtual-two", ["eth0", "eth1"]],
    ["virtual-w5500", []],
  ] as const) {
    const { cli, host } = await serve("demo", "--board", board);
    const page = await browser.page(`http://${host}/`);
    const facts = `[...document.querySelectorAll("#facts div")].map((fact) => fact.textContent)`;
    await page.until(`${facts}.length > 7`);
    const shown = (await page.value(facts)) as string[];
    t.deepEqual(
      shown.filter((fact) => fact.startsWith("eth")).map((fact) => fact.slice(0, 4)),
      names,
    );
    const addresses = shown.filter((fact) => fact.startsWith("Address"));
    t.is(addresses.length, Math.max(names.length, 1));
    t.is((await cli.interrupt()).code, 0);
  }
});

test("WebSocket: texts, binary data, many at once and the code of the end", async (t) => {
  const { cli, host } = await serve("test/device/web");
  const page = await browser.page("about:blank");
  const talk = `new Promise((done, failed) => {
    const socket = new WebSocket("ws://${host}/socket", "echo");
    const got = [];
    socket.binaryType = "arraybuffer";
    socket.onerror = () => failed(new Error("refused"));
    socket.onopen = () => {
      socket.send("h\\u00e9 \\u{1f600}");
      socket.send(Uint8Array.of(0, 255, 128).buffer);
      for (let i = 0; i < 50; i++) socket.send("n" + i);
    };
    socket.onmessage = ({ data }) => {
      got.push(typeof data === "string" ? data : [...new Uint8Array(data)].join());
      if (got.length === 53) socket.close(3456, "enough");
    };
    socket.onclose = ({ code, reason, wasClean }) => done({ got, code, reason, wasClean, protocol: socket.protocol });
  })`;
  const numbers = Array.from({ length: 50 }, (_, i) => `n${i}`);
  t.deepEqual(await page.value(talk), {
    got: ["open", "h\u00e9 \u{1f600}", "0,255,128", ...numbers],
    code: 3456,
    reason: "", // a server echoes the code alone (RFC 6455 5.5.1)
    wasClean: true,
    protocol: "echo",
  });
  t.is((await cli.interrupt()).code, 0);
});

test("--watch: a page that is saved appears in a browser that has it open; its LED is switched by it", async (t) => {
  const app = join(folder, "my web");
  cpSync(join(packageRoot, "firmware/web"), app, { recursive: true });
  const { cli, host } = await serve(app, "--watch");
  const page = await browser.page(`http://${host}/`);
  await page.until(`document.title === "A board"`);
  await page.value(`document.getElementById("on").click()`);
  await page.until(`document.getElementById("lit").className === "on"`);
  await cli.line((line) => line.includes('"event":"led"') && line.includes('"lit":true'));
  const file = join(app, "assets/index.html");
  writeFileSync(file, readFileSync(file, "utf8").replaceAll("A board", "Another board"));
  await page.until(`document.title === "Another board"`);
  await page.until(`document.getElementById("lit").className === ""`);
  const { code, stderr } = await cli.interrupt();
  t.is(stderr, "");
  t.is(code, 0);
});
