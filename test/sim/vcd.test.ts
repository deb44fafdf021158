import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { VcdWriter } from "../../host-tools/sim/machine-vcd.js";
import { Random } from "../../host-tools/sim/random.js";
import type { SpiSlave } from "../../host-tools/sim/types.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";

const SPI_HZ = 8e6;
const BYTE_NS = 8e9 / SPI_HZ;

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-vcd-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

interface Change {
  ns: number;
  name: string;
  value: string;
}

/** The changes in a dump, each with its signal's name. */
function changesOf(text: string): Change[] {
  const names = new Map<string, string>();
  for (const [, id, name] of text.matchAll(/^\$var wire 1 (\S) (\S+) \$end$/gm)) {
    names.set(id as string, name as string);
  }
  const changes: Change[] = [];
  let ns = 0;
  for (const line of text.slice(text.indexOf("$enddefinitions")).split("\n").slice(1)) {
    if (line.startsWith("#")) ns = Number(line.slice(1));
    else if (line !== "")
      changes.push({ ns, name: names.get(line.slice(1)) as string, value: line[0] as string });
  }
  return changes;
}

/** The bytes that a logic analyser reads: pins sampled where SCK rises, as they were just before that instant. */
function analyse(changes: Change[]): { mosi: number[]; miso: number[] } {
  const pins: Record<string, string> = {};
  const bits: { mosi: string; miso: string } = { mosi: "", miso: "" };
  for (let i = 0; i < changes.length;) {
    const before = { ...pins };
    const { ns } = changes[i] as Change;
    for (; changes[i]?.ns === ns; i++) {
      pins[(changes[i] as Change).name] = (changes[i] as Change).value;
    }
    if (before["SCK"] !== "0" || pins["SCK"] !== "1" || before["CSn"] !== "0") continue;
    bits.mosi += before["MOSI"];
    bits.miso += before["MISO"];
  }
  const bytes = (text: string): number[] =>
    (text.match(/.{1,8}/g) ?? []).map((byte) => parseInt(byte, 2));
  return { mosi: bytes(bits.mosi), miso: bytes(bits.miso) };
}

/** A chip that answers with the complement. */
class Chip implements SpiSlave {
  interrupt = false;
  onInterrupt: (low: boolean) => void = () => undefined;
  select(): void {}
  deselect(): void {}
  reset(): void {}
  exchange(mosi: number): number {
    return mosi ^ 0xff;
  }
  pull(low: boolean): void {
    if (low === this.interrupt) return;
    this.interrupt = low;
    this.onInterrupt(low);
  }
}

/** Runs a transaction for each list of bytes, while the chip's INTn changes at the instants in `pulls`. */
function dump(name: string, transactions: number[][], pulls: [number, boolean][]): Change[] {
  const clock = new VirtualClock();
  const path = join(folder, name);
  const vcd = new VcdWriter(path, clock, SPI_HZ);
  const chip = new Chip();
  const bus = vcd.probe(chip);
  for (const [ns, low] of pulls) clock.schedule(ns, () => chip.pull(low));
  for (const bytes of transactions) {
    bus.select();
    clock.advance(50);
    for (const byte of bytes) {
      clock.advance(BYTE_NS);
      bus.exchange(byte);
    }
    clock.advance(50);
    bus.deselect();
    clock.advance(500);
  }
  vcd.close();
  return changesOf(readFileSync(path, "utf8"));
}

test("a pin that changes inside a byte is sorted between the byte's edges, at its instant", (t) => {
  const changes = dump("inside.vcd", [[0x5a, 0xc3]], [[50 + BYTE_NS + 300, true]]);
  t.deepEqual(analyse(changes), { mosi: [0x5a, 0xc3], miso: [0xa5, 0x3c] });
  const fall = changes.find(({ name, value }) => name === "INTn" && value === "0");
  t.is(fall?.ns, 50 + BYTE_NS + 300);
});

test("whatever the chip does, an analyser reads every byte and sees every pin change", (t) => {
  const random = new Random(3);
  const transactions = Array.from({ length: 40 }, () =>
    Array.from({ length: 1 + random.below(20) }, () => random.below(256)),
  );
  const pulls: [number, boolean][] = [];
  for (let ns = 7; ns < 300e3; ns += 1 + random.below(3000)) {
    pulls.push([ns, pulls.length % 2 === 0]);
  }
  const changes = dump("random.vcd", transactions, pulls);
  const mosi = transactions.flat();
  t.deepEqual(analyse(changes), { mosi, miso: mosi.map((byte) => byte ^ 0xff) });
  const end = (changes.at(-1) as Change).ns;
  t.deepEqual(
    changes.filter(({ name, ns }) => name === "INTn" && ns > 0).map(({ ns }) => ns),
    pulls.map(([ns]) => ns).filter((ns) => ns <= end),
  );
});

test("the dump has scalars only: sigrok refuses one with several vectors", (t) => {
  dump("scalars.vcd", [[1]], []);
  const text = readFileSync(join(folder, "scalars.vcd"), "utf8");
  t.is([...text.matchAll(/^\$var wire 1 /gm)].length, 6);
  t.false(/^\$var wire (?!1 )/m.test(text) || /^b/m.test(text));
});
