/** The iperf 2 server (firmware/examples/iperf): what iperf 2.1 sends, in small. */
import test from "ava";
import { DEVICE_ADDRESS } from "./bench.js";
import { Udp, exampleBench, lines } from "./examples.js";

/** A datagram of iperf: number, time, high half of the number. */
function datagram(number: number, us: number, bytes = 100): Buffer {
  const data = Buffer.alloc(bytes);
  data.writeInt32BE(number);
  data.writeUInt32BE(Math.floor(us / 1e6), 4);
  data.writeUInt32BE(us % 1e6, 8);
  data.writeInt32BE(number < 0 ? -1 : 0, 12);
  return data;
}

test("two TCP streams are taken and told; UDP: lost, late and jitter in the server's report, as often as it is asked for", async (t) => {
  const bench = await exampleBench("iperf", { limitSeconds: 30 });
  bench.run(
    (function* () {
      const streams = [40_000, 20_480].map(function* (bytes) {
        const client = yield* bench.peer.connect(DEVICE_ADDRESS, 5001);
        yield* client.send(Buffer.alloc(bytes));
        client.finish();
        yield* client.ended();
        client.close();
      });
      yield* bench.all(streams);
      t.deepEqual(
        lines(bench)
          .flatMap((line) => /^TCP \d+ KB/.exec(line) ?? [])
          .sort(),
        ["TCP 20 KB", "TCP 39 KB"],
      );

      const udp = new Udp(bench);
      // Numbers 0 to 9: 3 and 7 never come, 5 comes behind 6; sent every 10 ms, one of them takes 4 ms longer.
      for (const number of [0, 1, 2, 4, 6, 5, 8, 9]) {
        if (number === 8) yield* bench.sleep(4);
        udp.send(datagram(number, number * 10_000), 5001);
        yield* bench.sleep(10);
      }
      const reports = [];
      for (let i = 0; i < 2; i++) {
        udp.send(datagram(-10, 100_000), 5001);
        reports.push((yield* udp.receive())?.data ?? Buffer.alloc(0));
        yield* bench.sleep(250);
      }
      const [first, second] = reports as [Buffer, Buffer];
      t.is(first.length, 56);
      t.deepEqual(first, second);
      t.is(first.readInt32BE(0), -10, "the number of the last datagram comes back");
      t.is(first.readUInt32BE(16), 0x80000000);
      t.deepEqual([first.readUInt32BE(20), first.readUInt32BE(24)], [0, 900]);
      t.deepEqual(
        [first.readUInt32BE(36), first.readUInt32BE(40), first.readUInt32BE(44)],
        [2, 1, 10],
        "lost, out of order, all",
      );
      t.true(first.readUInt32BE(48) === 0 && first.readUInt32BE(52) > 300);
      // Somebody else's end is none of ours; the next test begins anew.
      const other = new Udp(bench);
      other.send(datagram(-3, 0), 5001);
      t.is(yield* other.receive(100), null);
      other.send(datagram(0, 0), 5001);
      other.send(datagram(-1, 0), 5001);
      t.is((yield* other.receive())?.data.readUInt32BE(36), 0);
    })(),
  );
});
