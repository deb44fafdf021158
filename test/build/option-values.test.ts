/** What a build option may be: refused before anything is compiled, with the reason and where it was set. */
import test from "ava";
import { appFolder, resolveOptions } from "../../host-tools/build/apps.js";
import { loadBoard } from "../../host-tools/build/boards.js";
import { optionFault, optionsModule } from "../../host-tools/build/option-values.js";
import { OPTIONS, RANGES, type OptionName, type Options } from "../../stack/options.js";

const board = loadBoard("virtual-w5500");
const resolve = (options: Partial<Options>): Options =>
  resolveOptions(board, appFolder("demo"), options);

test("the ends of each range are taken, what is beyond them is not", (t) => {
  for (const [name, range] of Object.entries(RANGES) as [
    OptionName,
    { min?: number; max: number },
  ][]) {
    t.is(optionFault(name, range.min ?? 0), undefined, name);
    t.is(optionFault(name, range.max), undefined, name);
    t.regex(optionFault(name, range.max + 1) ?? "", /^must be .*from \d+ to \d+ \(.+\)$/, name);
    if (range.min) t.not(optionFault(name, range.min - 1), undefined, name);
  }
});

test("a ring is a power of two, a fragment's room a multiple of eight", (t) => {
  t.is(optionFault("TCP_RX_BYTES", 4096), undefined);
  t.is(optionFault("TCP_RX_BYTES", 5000), "must be a power of two from 16 to 32768 (a ring)");
  t.is(optionFault("LOOPBACK_BYTES", 0), undefined);
  t.is(optionFault("IP_REASSEMBLY_BYTES", 1000), undefined);
  t.not(optionFault("IP_REASSEMBLY_BYTES", 1001), undefined);
});

test("tables that nothing works without have as many records as it takes", (t) => {
  t.is(optionFault("ARP_ENTRIES", 0)?.slice(0, 24), "must be from 2 to 1024 (");
  for (const name of ["TCP_SYN_RECORDS", "TCP_TIME_WAIT_RECORDS", "ARP_ENTRIES"] as const)
    t.not(optionFault(name, 0), undefined, name);
});

test("a value out of range is refused with the option's name and where it was set", (t) => {
  t.throws(() => resolve({ TCP_TX_BYTES: 3000 }), {
    message: "--set: build option TCP_TX_BYTES must be a power of two from 16 to 32768 (a ring)",
  });
  t.notThrows(() => resolve({ TCP_TX_BYTES: 2048 }));
});

test("connections, SYN queue and TIME-WAIT have one table of numbers", (t) => {
  t.throws(() => resolve({ TCP_TCBS: 40_000, TCP_TIME_WAIT_RECORDS: 40_000 }), {
    message: /TCP_TCBS, TCP_SYN_RECORDS and TCP_TIME_WAIT_RECORDS together/,
  });
});

test("the compiler sees the values in force", (t) => {
  const text = optionsModule({ ...OPTIONS, TCP_TCBS: 3 });
  t.true(text.includes("export const TCP_TCBS: u32 = 3;"));
  t.is(text.match(/export const /g)?.length, Object.keys(OPTIONS).length);
});
