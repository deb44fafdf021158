/** ping by a raw socket (firmware/ping), against the router of the simulator. */
import test from "ava";
import { counterNames } from "../../host-tools/testing/counters.js";
import { Bench } from "./bench.js";

const ECHOES = counterNames().indexOf("ICMP_ECHO");

test("each second an echo request with a whole checksum, and its answer is told", async (t) => {
  const bench = await Bench.create({ app: "ping" });
  const before = bench.world.lan.gateway?.counter(ECHOES) ?? 0;
  bench.run(bench.sleep(6500));
  const lines = bench.world.log.map(({ text }) => text);
  const answers = lines.filter((line) => line.startsWith("answer from 192.168."));
  t.true(answers.length >= 4, lines.join("\n"));
  answers.forEach((line, i) => {
    t.regex(line, new RegExp(`: sequence ${i + 1}, time to live 64, \\d ms$`));
  });
  t.true(lines.some((line) => line.endsWith(", 0 lost")));
  t.is((bench.world.lan.gateway?.counter(ECHOES) ?? 0) - before, answers.length);
});
