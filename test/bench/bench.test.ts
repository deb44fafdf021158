import test from "ava";
import { barChart } from "../../host-tools/bench/chart.js";
import { compare, gate } from "../../host-tools/bench/gate/part.js";
import { PeerConnection } from "../../host-tools/bench/instructions/peer.js";
import { Recorder } from "../../host-tools/bench/instructions/recorder.js";
import { manyOptions } from "../../host-tools/bench/instructions/workloads.js";
import { countWaiting } from "../../host-tools/bench/scaling/part.js";
import { countLwip } from "../../host-tools/bench/lwip/count.js";
import { recordMain } from "../../host-tools/bench/instructions/workloads.js";
import { transfer } from "../../host-tools/bench/netsim/part.js";
import { PEER } from "../../host-tools/bench/netsim/recorded.js";
import { beside } from "../../host-tools/bench/spi/part.js";
import { table } from "../../host-tools/bench/table.js";
import { hasCrossCompiler } from "../../host-tools/setup/cross-compiler.js";
import { runCli } from "../support/cli.js";

const withCompiler = hasCrossCompiler() ? test : test.skip;

test("the gate refuses what is more than 1 % worse, and what nobody has promised", (t) => {
  const baseline = { a: 1000, b: 200, c: 0.5 };
  t.deepEqual(compare({ a: 1010, b: 150, c: 0.5 }, baseline), []);
  t.deepEqual(
    compare({ a: 1011, b: 202, c: 0.51, d: 1 }, baseline).map(({ name }) => name),
    ["a", "c", "d"],
  );
  t.deepEqual(
    compare({ a: 1000, b: 200 }, baseline).map(({ name }) => name),
    ["c"],
    "a count that is not taken any more",
  );
});

test("spi: a full frame has the floor and the other drivers beside it, in numbers; other rows have neither", (t) => {
  const ours = { bytes: 1, transactions: 1 };
  const rows = beside("w5500", { rx1514: ours, rxBatch4PerFrame: ours, tx1514: ours, tx60: ours });
  t.deepEqual(rows["tx60"], ours);
  t.deepEqual(rows["rxBatch4PerFrame"], { ...ours, floor: { bytes: 1521, transactions: 1 } });
  t.deepEqual(rows["rx1514"]?.floor, { bytes: 1535, transactions: 4 });
  t.deepEqual(rows["rx1514"]?.peers?.["embassy"], { bytes: 1550, transactions: 8 });
  t.deepEqual(rows["tx1514"]?.peers?.["Mongoose"], {
    bytes: 1544,
    transactions: 7,
    eachPoll: { bytes: 4, transactions: 1 },
  });
  const enc = beside("enc28j60", { rx1514: ours, tx1514: ours });
  t.is(Object.keys(enc["rx1514"]?.peers ?? {}).length, 6);
  t.is(Object.keys(enc["tx1514"]?.peers ?? {}).length, 5, "RIOT's sending was not counted");
});

test("a workload is the same each time, and answers as the peers' do: frames out a unit", async (t) => {
  const first = await recordMain(8);
  const again = await recordMain(8);
  t.is(Buffer.compare(first.trace, again.trace), 0);
  const out = Object.fromEntries(
    first.measures.map(({ name, units, framesOut }) => [name, framesOut / units]),
  );
  for (const name of ["b", "b2", "c", "d64", "d1400", "e64", "e1400", "arp"])
    t.is(out[name], 1, name);
  t.is(out["f"], 3, "SYN-ACK, the answer with its ACK, FIN with its ACK");
  t.is(out["f2"], 3);
});

test("what came before its connection was accepted is news of the connection: a request that ends the handshake is answered", async (t) => {
  const recorder = await Recorder.start();
  const peer = new PeerConnection(80);
  recorder.connections.push(peer);
  recorder.give(peer.syn());
  recorder.give(peer.data(100));
  t.is(peer.received, 1024);
});

test.serial(
  "lwIP's figures are recorded ones, and say so, where its source cannot be had",
  async (t) => {
    process.env["LWIP_SOURCE"] = "/nowhere";
    const told: string[] = [];
    const counts = await countLwip((what) => told.push(what));
    delete process.env["LWIP_SOURCE"];
    t.deepEqual(counts["cortex-m0plus"]?.["a"], { insn: 5057, recorded: true });
    t.is(told.length, 1);
    t.regex(told[0] as string, /^lwIP: recorded figures, LWIP_SOURCE=\/nowhere /);
  },
);

test("a chart has a bar for each figure, in proportion to the largest of its group, and its texts are text", (t) => {
  const svg = barChart(
    "a < b",
    ["ours", "theirs"],
    [
      { label: "big", bars: [1000, 500] },
      { label: "small & none", bars: [2.5, 0] },
    ],
  );
  const heights = [...svg.matchAll(/<rect x="[\d.]+" y="[\d.]+" width="[\d.]+" height="([\d.]+)"/g)]
    .map((found) => Number(found[1]))
    .filter((height) => height !== 10);
  t.is(heights.length, 3);
  t.is(heights[0], (heights[1] as number) * 2);
  t.is(heights[0], heights[2]);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map((found) => found[1]);
  t.deepEqual(texts, [
    "a &lt; b",
    "ours",
    "theirs",
    "1000",
    "500",
    "big",
    "2.5",
    "small &amp; none",
  ]);
});

test("a table stands in columns", (t) => {
  t.is(
    table(
      ["what", "n"],
      [
        ["a", "1,000"],
        ["longer", "2"],
      ],
    ),
    "what        n\na       1,000\nlonger      2",
  );
});

test("netsim: without loss the buffers are the limit, with it we are ahead of the published figures; a cell repeats", async (t) => {
  const { bytesPerSecond: peer } = PEER[4] as (typeof PEER)[number];
  const clean = await transfer(32768, 0, { bytes: 2 << 20 });
  t.true(clean > 0.93 * 327680, `${clean}, slow start included`);
  const lossy = await transfer(32768, 20, { bytes: 256 << 10 });
  t.true(lossy > (peer[6] as number), `${lossy}`);
  t.is(await transfer(32768, 20, { bytes: 256 << 10 }), lossy);
  const uncontrolled = await transfer(32768, 1, { bytes: 1 << 20, control: false });
  t.true(
    uncontrolled > (peer[2] as number),
    `${uncontrolled}, without congestion control as the peer's`,
  );
});

withCompiler("epollWait with two ready of 256 sockets costs what it does of 16", async (t) => {
  const { epollWait2, poll2 } = await countWaiting(await manyOptions(() => undefined));
  const [few, many] = [epollWait2["16"] as number, epollWait2["256"] as number];
  t.true(many <= few * 1.05, `${few} and ${many} instructions`);
  // poll() looks at each: the contrast shows that the count sees it.
  t.true((poll2["256"] as number) > 10 * (poll2["16"] as number), JSON.stringify(poll2));
});

test("a part that there is not is one clear line", async (t) => {
  for (const name of ["speed", "constructor"]) {
    const { code, stderr } = await runCli("bench", name);
    t.is(code, 1);
    t.regex(
      stderr,
      new RegExp(`there is no part '${name}' of the bench; there are: instructions, spi, `),
    );
  }
});

test("an option that says nothing to a part is one clear line, and --list --json is one document", async (t) => {
  const misplaced: [string[], RegExp][] = [
    [
      ["spi", "--count", "3"],
      /'--count' says nothing to 'spi'; it is for throughput, flood, echo, /,
    ],
    [["spi", "--cell", "pings"], /'--cell' is for the part throughput/],
    [["throughput", "--cell", "pings snow"], /no cell has all words of 'pings snow'/],
    [["spi", "--update"], /'--update' is for the part gate/],
    [["--update"], /'--update' is for the part gate/],
  ];
  for (const [args, words] of misplaced) {
    const { code, stdout, stderr } = await runCli("bench", ...args);
    t.is(code, 1, args.join(" "));
    t.is(stdout, "");
    t.regex(stderr, words);
  }
  const { stdout } = await runCli("bench", "--list", "--json");
  const parts = JSON.parse(stdout) as { name: string; title: string }[];
  t.is(parts[0]?.name, "instructions");
});

withCompiler("gate: no count is more than 1 % worse than the repository's baseline", async (t) => {
  const { worse } = await gate(() => undefined);
  t.deepEqual(
    worse,
    [],
    "mend it, or 'npm run bench -- gate --update' and the reason in the commit",
  );
});
