// `npm run pictures`: makes the pictures of the documents in docs/pictures anew: the wiring of the boards, drawn from the table in
// docs/boards.md, and the demo's page as a browser shows it (needs Chromium; `npm run pictures -- wiring` leaves it out).
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ensure, fail, root } from "./ensure.mjs";

const FOLDER = join(root, "docs/pictures");

/** What a wire carries, by its row of the table, in the order of the drawing, with its colour. */
const SIGNALS = {
  "3.3 V": "#d33",
  ground: "#555",
  CSn: "#c80",
  SCK: "#26c",
  MISO: "#284",
  MOSI: "#82a",
  RSTn: "#888",
  INTn: "#0aa",
};
/** Columns of the table that need wires, and what the board is called in the drawing. */
const BOARDS = {
  "`pico-enc28j60`": "Raspberry Pi Pico",
  "both `bluepill-`": "Blue Pill",
  "both `espruino-pico-`": "Espruino Pico",
};
const [PANEL, ROW, TOP, BOX, HEIGHT] = [260, 22, 64, 92, 296];

/** The rows of the table in docs/boards.md: signal → column → pin. */
function wiringTable() {
  const text = readFileSync(join(root, "docs/boards.md"), "utf8");
  const lines = /\| signal \|[^]*?(?=\n\n)/.exec(text)[0].split("\n");
  const [names, , ...rows] = lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return Object.fromEntries(
    rows.map(([signal, ...pins]) => [
      signal,
      Object.fromEntries(pins.map((pin, i) => [names[i + 1], pin])),
    ]),
  );
}

const text = (x, y, words, more = "") => `<text x="${x}" y="${y}"${more}>${words}</text>`;

function panel(table, column, title, left) {
  const right = left + PANEL - BOX - 8;
  const box = (x) =>
    `<rect x="${x}" y="${TOP - 20}" width="${BOX}" height="${Object.keys(SIGNALS).length * ROW + 16}" rx="6" class="box"/>`;
  const wires = Object.entries(SIGNALS).map(([signal, colour], i) => {
    const y = TOP + i * ROW;
    const pin = table[signal][column].replace(", pin ", " / ");
    return [
      `<path d="M${left + BOX} ${y}H${right}" stroke="${colour}" stroke-width="3"/>`,
      text(left + BOX - 6, y + 4, pin, ' text-anchor="end"'),
      text(right + 6, y + 4, signal),
    ].join("\n");
  });
  const log = table["log, 115,200 baud"][column].replace(", pin ", " / ");
  const foot = TOP + Object.keys(SIGNALS).length * ROW + 24;
  return [
    text(left, 24, title, ' class="title"'),
    box(left),
    box(right),
    ...wires,
    text(left, foot, `log: ${log} to RX of a serial adapter`),
  ].join("\n");
}

/** The wiring of the boards that need a module, as SVG. */
export function wiring() {
  const table = wiringTable();
  const panels = Object.entries(BOARDS).map(([column, title], i) =>
    panel(table, column, title, 12 + i * PANEL),
  );
  const width = 12 + Object.keys(BOARDS).length * PANEL;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="Wires from each board (left) to its Ethernet module (right)">
<style>text{font:12px sans-serif;fill:#222}.title{font-weight:bold;font-size:15px}.box{fill:#eef3ee;stroke:#999}</style>
<rect width="100%" height="100%" fill="#fff"/>
${panels.join("\n")}
${text(12, HEIGHT - 14, "Left the board, right the W5500 or ENC28J60 module. All signals are 3.3 V; keep the wires below 10 cm.")}
</svg>
`;
}

/** The demo's page, by a simulation and a browser. */
async function page() {
  const load = (path) => import(pathToFileURL(join(root, "build/js", path)).href);
  const { Browser, browserProgram } = await load("test/support/browser.js");
  const { Cli, freePort } = await load("test/support/cli.js");
  if (!browserProgram) fail("there is no Chromium; 'npm run pictures -- wiring' does without it");
  const port = await freePort();
  const args = ["--net", `forward:${port}=80`, "--mac", "02:00:00:12:34:56", "--json"];
  const cli = new Cli(["sim", "--app", "demo", ...args]);
  await cli.ready();
  const browser = Browser.open();
  try {
    const shown = await browser.page(`http://127.0.0.1:${port}/`);
    await shown.until(`document.querySelectorAll("#counters div").length > 5`);
    return await shown.picture(860, 640);
  } finally {
    await browser.close();
    await cli.interrupt();
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  ensure(true);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, "wiring.svg"), wiring());
  if (process.argv[2] !== "wiring") writeFileSync(join(FOLDER, "page.png"), await page());
}
