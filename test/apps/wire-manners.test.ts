/** What RFC 9293 asks of applications, watched on the wire: every program of the package that speaks TCP is talked to. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "../conformance/proves.js";
import { readPcap } from "../../host-tools/net/pcap.js";
import { packageRoot } from "../../host-tools/root.js";
import { parseFrame } from "../../host-tools/testing/wire-parse.js";
import { Bench, DEVICE_ADDRESS, type BenchOptions, type Script } from "./bench.js";
import { Listener, exampleBench, type Example } from "./examples.js";
import type { Connection } from "./peer.js";

/** TCP's URG bit. */
const URG = 0x20;
/** The differentiated services field is the upper six bits; the others are ECN's. */
const DS_SHIFT = 2;

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-manners-"));
test.after.always("the captures go", () => rmSync(folder, { recursive: true }));

const LINES = "one\r\ntwo\r\n".repeat(200);
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = `POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: ${LINES.length}\r\n\r\n${LINES}`;

/** The ports of a server and what is said to each. */
type Served = [port: number, words: string][];
/** The port that a client calls, and what it is answered with. */
interface Calls {
  calls: number;
  answer: string;
}

const APPLICATIONS: Record<string, Served | Calls> = {
  demo: [
    [80, GET],
    [80, "GET /api/status HTTP/1.1\r\nHost: a\r\n\r\n"],
    [80, "GET /api/events HTTP/1.1\r\nHost: a\r\n\r\n"],
    [80, "not HTTP\r\n\r\n"],
    [8080, POST],
    [7, LINES],
    [9, LINES],
    [5001, LINES],
    [19, ""],
  ],
  echo: [[7, LINES]],
  http: [[80, GET]],
  // CONNACK.
  lamp: { calls: 1883, answer: "\x20\x02\0\0" },
  web: [
    [80, GET],
    [80, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n"],
    [80, "POST /led HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\non=1"],
  ],
};

const ECHO: Served = [[7, LINES]];

const EXAMPLES: Partial<Record<Example, Served | Calls>> = {
  "echo-blocking": ECHO,
  "echo-poll": ECHO,
  "echo-select": ECHO,
  "echo-epoll": ECHO,
  "echo-ring": ECHO,
  "echo-loop": ECHO,
  "worker-one": ECHO,
  "worker-shared": ECHO,
  "worker-reuseport": ECHO,
  iperf: [[5001, LINES]],
  console: [[23, "netstat\r\nquit\r\n"]],
  chat: [
    [4000, "/nick Ann\r\nhello\r\n"],
    [4000, "what is the uptime?\r\n"],
  ],
  get: { calls: 80, answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
  mail: {
    calls: 25,
    answer: "220 ready\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n",
  },
  "iperf-client": { calls: 5001, answer: "" },
  // CONNACK; version 5 has properties in it.
  mqtt: { calls: 1883, answer: "\x20\x02\0\0" },
  mqtt5: { calls: 1883, answer: "\x20\x03\0\0\0" },
};

/** They speak no TCP, or are no programs for a device: the stack of the host tools, and what `npm run bench` measures. */
const NO_TCP = ["blank", "flood", "ping", "sntp", "syslog", "tftp"];
const FOR_THE_HOST = ["bench", "hosted", "nic-bench"];

/** One client: says its words, takes what comes for a while, and finishes. */
function* visit(bench: Bench, connection: Connection, words: string): Script {
  bench.start(connection.send(Buffer.from(words, "latin1")));
  yield* bench.sleep(1500);
  connection.pump();
  if (connection.ending === "open") connection.finish();
  yield* bench.sleep(500);
  connection.pump();
  connection.close();
}

/** Talks to the program on a bench; several clients at once. */
function* talk(bench: Bench, how: Served | Calls): Script {
  if (!Array.isArray(how)) {
    const listener = new Listener(bench, how.calls);
    yield* visit(bench, yield* listener.accept(), how.answer);
    return;
  }
  const client = function* (port: number, words: string): Script {
    yield* visit(bench, yield* bench.peer.connect(DEVICE_ADDRESS, port), words);
  };
  yield* bench.all(how.map(([port, words]) => client(port, words)));
}

/** What a device's capture shows of its TCP: text sent, segments with URG, connections whose DS field has changed. */
function manners(capture: string): { text: number; urgent: number; changed: number } {
  const fields = new Map<string, Set<number>>();
  const seen = { text: 0, urgent: 0, changed: 0 };
  for (const { frame } of readPcap(readFileSync(capture))) {
    const { ip, tcp } = parseFrame(frame);
    if (!ip || !tcp || ip.source !== DEVICE_ADDRESS) continue;
    seen.text += tcp.data.length;
    if ((tcp.flags & URG) !== 0 || tcp.urgentPointer !== 0) seen.urgent++;
    const connection = `${tcp.sourcePort}-${ip.destination}-${tcp.destinationPort}`;
    const of = fields.get(connection) ?? new Set();
    fields.set(connection, of.add(ip.tos >> DS_SHIFT));
  }
  for (const of of fields.values()) if (of.size > 1) seen.changed++;
  return seen;
}

/** Those that only take are not expected to say anything. */
const SILENT = ["iperf"];

const programs = [
  ...Object.entries(APPLICATIONS).map(
    ([app, how]) => [app, how, (more: BenchOptions) => Bench.create({ app, ...more })] as const,
  ),
  ...Object.entries(EXAMPLES).map(
    ([name, how]) =>
      [name, how, (more: BenchOptions) => exampleBench(name as Example, more)] as const,
  ),
];

test("RFC 9293 SHLD-13, SHLD-23: no program of the package sends URG, and none changes the DS field of a connection", async (t) => {
  for (const [name, how, create] of programs) {
    const pcap = join(folder, `${name}.pcap`);
    const bench = await create({ pcap, limitSeconds: 60 });
    bench.run(talk(bench, how));
    const { text, urgent, changed } = manners(pcap);
    t.is(text > 0, !SILENT.includes(name), `${name} has sent ${text} bytes`);
    t.deepEqual({ urgent, changed }, { urgent: 0, changed: 0 }, name);
  }
});

test("no program is left out", (t) => {
  const found = ["firmware", "firmware/examples"].flatMap((at) =>
    readdirSync(join(packageRoot, at), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .filter((name) => readdirSync(join(packageRoot, at, name)).includes("main.ts")),
  );
  const known = [...programs.map(([name]) => name), ...NO_TCP, ...FOR_THE_HOST];
  t.deepEqual(found.sort(), known.sort());
});
