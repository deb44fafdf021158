/** The syslog client (firmware/examples/syslog): RFC 5424, by UDP (RFC 5426). */
import test from "ava";
import { Udp, exampleBench, lines } from "./examples.js";

test("a message at the start and each minute, without a time before the clock is set, and with one after", async (t) => {
  for (const clock of [false, true]) {
    const bench = await exampleBench("syslog", clock ? { hostName: "lamp" } : {});
    bench.run(
      (function* () {
        const log = new Udp(bench, 514);
        const time = new Udp(bench, 123);
        const question = yield* time.receive();
        if (clock && question) {
          const answer = Buffer.alloc(48);
          answer[0] = 0x24;
          answer[1] = 2;
          question.data.copy(answer, 24, 40);
          const seconds = (Date.UTC(2026, 1, 28, 23, 59, 30) / 1000 + 2208988800) % 2 ** 32;
          for (const at of [32, 40]) answer.writeUInt32BE(seconds, at);
          time.send(answer, question.port);
        }
        const started = (yield* log.receive(6000))?.data.toString();
        const when = clock ? /2026-02-28T23:59:3\dZ lamp/ : /- 192\.168\.77\.50/;
        t.regex(started ?? "", new RegExp(`^<133>1 ${when.source} as-tcpip - START - started$`));
        const state = (yield* log.receive(61_000))?.data.toString();
        const later = clock ? /2026-03-01T00:00:3\dZ lamp/ : when;
        const data = String.raw`\[stack@32473 uptime="6\d" sockets="1" tcbs="0"\] all is well`;
        t.regex(state ?? "", new RegExp(`^<134>1 ${later.source} as-tcpip - STATE ${data}$`));
        if (clock) return;
        // Nobody listens any more: told, and tried again.
        log.close();
        yield* bench.sleep(121_000);
        t.true(lines(bench).some((line) => line.startsWith("syslog message not sent (error 111)")));
      })(),
    );
  }
});
