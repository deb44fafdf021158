/** The page docs/options.md, made from stack/options.ts and the boards (`as-tcpip options --markdown`); a tidy test compares. */
import { OPTIONS, RANGES, type OptionName } from "../../stack/options.js";
import { listBoards, loadBoard } from "../build/boards.js";

/** Sections of the page; an option is in the first whose expression fits. */
const SECTIONS: readonly [title: string, names: RegExp][] = [
  ["Sockets and the event loop", /^(SOCKET|EPOLL|LOOP_|RING_)/],
  ["TCP", /^TCP_/],
  ["UDP, raw and local sockets", /^(UDP_|MULTICAST|RAW_|LOCAL_)/],
  ["IP and the link", /^(IP_|INTERFACES|ROUTES|ARP_|ACD_|LOOPBACK)/],
  ["Addresses and names", /^(DHCP|AUTO_IP|DNS|MDNS)/],
  ["Web server", /^HTTP_/],
  ["Pins, chip and build", /./],
];

const INTRODUCTION = `# Build options

Every table of the device has a size that is fixed when it is built, and what is not needed is left out. The values come, the later one winning,
from the package ([stack/options.ts](../stack/options.ts)), the board (\`options\` in its \`board.json\`), the application (\`app.json\`) and the command
line:

\`\`\`
npm run sim -- --app echo --set TCP_TCBS=4 --set TCP_RX_BYTES=2048
\`\`\`

\`\`\`json
{ "options": { "TCP_TCBS": 4, "TCP_RX_BYTES": 2048 } }
\`\`\`

\`npx as-tcpip options --board B\` prints each value in force and where it comes from; \`npm run build\` and \`npm run size\` say what a value costs in
RAM and flash. The dearest are the rings: a connection takes TCP_RX_BYTES and TCP_TX_BYTES and about 160 bytes, a UDP socket UDP_RX_BYTES, a
half-open connection 32 bytes, reassembly IP_REASSEMBLY_SLOTS times IP_REASSEMBLY_BYTES. A switch at 0 leaves its code out.

A name that does not exist, or a value out of its range, is told with file and line. Boards that a table does not name have the default.
`;

/** The whole page; `meanings` are the comments of the options. */
export function optionsPage(meanings: Readonly<Record<string, string>>): string {
  const left = new Set(Object.keys(OPTIONS) as OptionName[]);
  const boards = listBoards().map((name) => loadBoard(name));
  const sections = SECTIONS.map(([title, names]) => {
    const mine = [...left].filter((name) => names.test(name));
    for (const name of mine) left.delete(name);
    const rows = mine.map((name) => {
      const own = new Map<number, string[]>();
      for (const board of boards) {
        const value = board.options[name];
        if (value === undefined || value === OPTIONS[name]) continue;
        own.set(value, [...(own.get(value) ?? []), board.name]);
      }
      const others = [...own].map(([value, who]) => `${value}: ${family(who).join(", ")}`);
      const cells = [
        `\`${name}\``,
        OPTIONS[name],
        rangeOf(name),
        others.join("; "),
        meanings[name],
      ];
      return `| ${cells.map((cell) => String(cell ?? "").replace(/\|/g, "\\|")).join(" | ")} |`;
    });
    const head = "| option | default | values | boards | meaning |\n|---|--:|---|---|---|";
    return `## ${title}\n\n${head}\n${rows.join("\n")}\n`;
  });
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

function rangeOf(name: OptionName): string {
  const range = RANGES[name];
  if (range === undefined) return "any";
  const { min = 0, max, step, ring } = range;
  const kind = ring ? ", a power of two" : step === undefined ? "" : `, a multiple of ${step}`;
  return `${min} to ${max}${kind}`;
}

/** Boards that differ in their chip alone are one word. */
function family(names: readonly string[]): string[] {
  const words = names.map((name) => {
    const stem = name.replace(/-(w5500|enc28j60)$/, "");
    const both = ["w5500", "enc28j60"].every((chip) => names.includes(`${stem}-${chip}`));
    return both ? `\`${stem}-*\`` : `\`${name}\``;
  });
  return [...new Set(words)];
}
