/** The iperf 2 server and client (firmware/examples/iperf, iperf-client): what iperf 2.1 sends, in small. */
import test from "ava";
import { DEVICE_ADDRESS } from "./bench.js";
import { Listener, Udp, exampleBench, lines } from "./examples.js";

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

test("the client: all that was sent by TCP is taken; datagrams are numbered at a megabit a second, and the report is told", async (t) => {
  const bench = await exampleBench("iperf-client", { limitSeconds: 60 });
  bench.run(
    (function* () {
      const connection = yield* new Listener(bench, 5001).accept();
      const udp = new Udp(bench, 5001);
      let bytes = 0;
      while (connection.ending === "open") {
        bytes += (yield* connection.receive((data) => data.length > 30_000)).length;
        connection.take(connection.received.length);
      }
      const kilobytes = bytes >> 10;
      connection.close();
      const first = (yield* udp.receive(6000))?.data ?? Buffer.alloc(0);
      t.is(first.length, 1470);
      t.true(lines(bench).some((line) => line.startsWith(`TCP ${kilobytes} KB in 5`)));
      let number = first.readInt32BE(0);
      t.is(number, 0);
      let port = 0;
      for (let wanted = 1; number >= 0; wanted++) {
        const got = yield* udp.receive(1000);
        number = got?.data.readInt32BE(0) ?? -1;
        port = got?.port ?? 0;
        if (number >= 0) t.is(number, wanted);
      }
      t.true(-number > 420 && -number < 430, `${number}`);
      // The first end is not answered: it comes again.
      const again = yield* udp.receive(1000);
      t.is(again?.data.readInt32BE(0), number);
      const report = Buffer.alloc(56);
      [number, 0, 0, -1, -0x80000000, 0, 630_000, 5, 40_000, 3, 2, -number, 0, 777].forEach(
        (word, index) => report.writeInt32BE(word, index * 4),
      );
      udp.send(report, port);
      yield* bench.sleep(100);
      const told = lines(bench);
      t.true(
        told.some((line) => /^UDP 615 KB in 5040 ms: 999 kbit\/s, jitter 777 us/.test(line)),
        told.join("\n"),
      );
      t.true(told.includes(`3 of ${-number} datagrams lost, 2 out of order`), told.join("\n"));
    })(),
  );
});
