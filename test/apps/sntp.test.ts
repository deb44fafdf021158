/** The time client (firmware/sntp) and a scripted server on the same network: RFC 4330, RFC 5905. */
import test from "ava";
import { SOCK_DGRAM } from "../../host-tools/net/hosted-stack.js";
import { Bench, DEVICE_ADDRESS, type Script } from "./bench.js";

const UNIX_EPOCH = 2208988800;
/** 2026-11-25 19:20:05 UTC. */
const THEN = Date.UTC(2026, 10, 25, 19, 20, 5) / 1000;

interface Fields {
  first?: number;
  stratum?: number;
  originate?: Buffer;
  seconds?: number;
}

/** An answer to a question. */
function answer(question: Buffer, fields: Fields = {}): Buffer {
  const bytes = Buffer.alloc(48);
  bytes[0] = fields.first ?? 0x24;
  bytes[1] = fields.stratum ?? 2;
  (fields.originate ?? question.subarray(40)).copy(bytes, 24);
  const seconds = (fields.seconds ?? THEN) + UNIX_EPOCH;
  for (const at of [32, 40]) bytes.writeUInt32BE(seconds % 2 ** 32, at);
  return bytes;
}

/** The next question to the server. */
function* question(bench: Bench, fd: number): Script<{ data: Buffer; port: number }> {
  const { stack } = bench.peer;
  let data: Buffer | undefined;
  yield () => {
    const bytes = stack.recvFrom(fd);
    if (bytes >= 0) data = Buffer.from(stack.data(bytes));
    return data !== undefined;
  };
  return { data: data as Buffer, port: stack.peer.port };
}

const lines = (bench: Bench): string[] => bench.world.log.map(({ text }) => text);

test("forged and useless answers are passed over, the right one sets the clock, which goes on", async (t) => {
  const bench = await Bench.create({ app: "sntp" });
  const { stack } = bench.peer;
  bench.run(
    (function* () {
      const fd = stack.socket(SOCK_DGRAM);
      stack.bind(fd, 0, 123);
      const { data, port } = yield* question(bench, fd);
      t.is(data.length, 48);
      t.is(data[0], 0x23, "version 4, client");
      t.deepEqual(data.subarray(1, 40), Buffer.alloc(39), "nothing is told of our clock");
      const say = (fields: Fields): void => {
        stack.sendTo(fd, answer(data, fields), DEVICE_ADDRESS, port);
      };
      say({ originate: Buffer.alloc(8, 1), seconds: 1 });
      say({ first: 0x23, seconds: 2 });
      say({ first: 0xe4, seconds: 3 });
      say({ stratum: 16, seconds: 4 });
      yield* bench.sleep(100);
      t.false(lines(bench).some((line) => line.startsWith("date")));
      say({});
      yield* bench.sleep(61_000);
      const times = lines(bench).filter((line) => /^(date|time)/.test(line));
      t.deepEqual(times, [
        "date 2026-11-25",
        "time 19:20:5 UTC",
        "date 2026-11-25",
        "time 19:21:5 UTC",
      ]);
    })(),
  );
});

test("nobody answers, a kiss of death: told, and asked again after longer and longer waits; the era after 2036", async (t) => {
  const bench = await Bench.create({ app: "sntp" });
  const { stack } = bench.peer;
  bench.run(
    (function* () {
      const fd = stack.socket(SOCK_DGRAM);
      stack.bind(fd, 0, 123);
      const first = yield* question(bench, fd);
      const asked = bench.nowMs;
      const second = yield* question(bench, fd);
      t.true(bench.nowMs - asked >= 20_000 && bench.nowMs - asked < 20_100, "5 s and 15 s");
      t.notDeepEqual(second.data.subarray(40), first.data.subarray(40));
      stack.sendTo(fd, answer(second.data, { stratum: 0 }), DEVICE_ADDRESS, second.port);
      const killed = bench.nowMs;
      const third = yield* question(bench, fd);
      t.true(bench.nowMs - killed >= 29_999, "twice as long");
      const later = Date.UTC(2040, 1, 29, 0, 0, 0) / 1000;
      stack.sendTo(fd, answer(third.data, { seconds: later }), DEVICE_ADDRESS, third.port);
      yield* bench.sleep(10);
      const told = lines(bench).filter((line) => /^(date|time|no time)/.test(line));
      t.deepEqual(told, [
        "no time (error 110)",
        "no time (error 111)",
        "date 2040-2-29",
        "time 0:0:0 UTC",
      ]);
    })(),
  );
});
