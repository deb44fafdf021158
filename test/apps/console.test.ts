/** The telnet console (firmware/examples/console): RFC 854, and what its commands tell. */
import test from "ava";
import { DEVICE_ADDRESS, type Script } from "./bench.js";
import { exampleBench, takeUntil } from "./examples.js";
import type { Connection } from "./peer.js";

const PROMPT = "\r\n> ";

function* ask(client: Connection, line: string): Script<string> {
  yield* client.send(line);
  return yield* takeUntil(client, PROMPT);
}

test("commands, whatever ends their lines; telnet options are refused, not typed; a second client waits", async (t) => {
  const bench = await exampleBench("console", { hostName: "lamp", limitSeconds: 1000 });
  bench.run(
    (function* () {
      const client = yield* bench.peer.connect(DEVICE_ADDRESS, 23);
      t.regex(yield* takeUntil(client, PROMPT), /^as-tcpip console/);
      const second = yield* bench.peer.connect(DEVICE_ADDRESS, 23);

      const state = yield* ask(client, "netstat\r\n");
      t.regex(state, /tcp +0 +0 +\*:23 +\*:\* +LISTEN\r\n/);
      t.regex(state, /tcp +0 +\d+ +192\.168\.77\.50:23 +192\.168\.77\.1:\d+ +ESTABLISHED\r\n/);
      t.regex(state, /\ntcbs +\d of \d+\r\n/);
      const card = yield* ask(client, "  ifconfig \n");
      t.regex(
        card,
        /link +100 Mbit\/s\r\nmac +02(:[0-9a-f]{2}){5}\r\naddress +192\.168\.77\.50\r\n/,
      );
      t.regex(
        card,
        /mask +255\.255\.255\.0\r\nrouter +192\.168\.77\.1\r\ndns +\S+\r\nframes +[1-9]\d* in, [1-9]\d* out, 0 lost\r\n/,
      );
      t.regex(yield* ask(client, "arp\r\0"), /^192\.168\.77\.1 +02(:[0-9a-f]{2}){5}\r\n/);
      t.regex(
        yield* ask(client, "route\r\n"),
        /127\.0\.0\.0\/8 +\* +lo\r\n192\.168\.77\.0\/24 +\* +eth0\r\ndefault +192\.168\.77\.1 +eth0\r\n/,
      );
      // A character taken back, an option that is proposed, one that is asked for, a subnegotiation, the byte 255.
      yield* client.send(
        Buffer.from([255, 253, 1, 255, 251, 31, 255, 252, 3, 255, 250, 31, 1, 255, 255, 255, 240]),
      );
      yield* client.send("upq\x08ti");
      yield* client.send(Buffer.from([255, 241, 255, 255]));
      const uptime = yield* ask(client, "me\r");
      t.deepEqual([...Buffer.from(uptime, "latin1").subarray(0, 6)], [255, 252, 1, 255, 254, 31]);
      t.regex(uptime, /\d+ s\r\n> $/);
      const start = bench.nowMs;
      const pings = yield* ask(client, "ping 192.168.77.1\r\n");
      t.regex(pings, /^(192\.168\.77\.1: \d ms\r\n){4}> $/);
      t.true(bench.nowMs - start > 2900 && bench.nowMs - start < 3500);
      t.regex(
        yield* ask(client, "ping 192.168.77.99\r\n"),
        /^(192\.168\.77\.99: no answer \(error \d+\)\r\n){4}/,
      );
      t.regex(yield* ask(client, "ping me\r\n"), /^ping ADDRESS\r\n/);
      t.regex(yield* ask(client, "nslookup 10.1.2.3\r\n"), /^10\.1\.2\.3: 10\.1\.2\.3\r\n/);
      const asked = bench.nowMs;
      t.regex(yield* ask(client, "nslookup LAMP.local\r\n"), /^LAMP\.local: 192\.168\.77\.50\r\n/);
      t.regex(yield* ask(client, "nslookup lamp.local.\r\n"), /: 192\.168\.77\.50\r\n/);
      t.true(bench.nowMs - asked < 1000, "nobody is asked for our own name");
      t.regex(yield* ask(client, "nslookup lamps.local\r\n"), /: not found \(error 2\)/);
      t.regex(yield* ask(client, "netstats\r\n"), /^netstat, ifconfig, arp/);
      t.regex(yield* ask(client, `${"x".repeat(500)}\r\n`), /^netstat, ifconfig, arp/);
      yield* client.send("quit\r\n");
      yield* client.ended();
      t.is(client.ending, "closed");
      client.close();

      t.regex(yield* takeUntil(second, PROMPT), /^as-tcpip console/);
      yield* second.ended();
      t.is(second.ending, "closed", "a silent client is sent away");
      second.close();
    })(),
  );
});

test("RFC 854, 1123 3.2.4: options alone are answered at once, in pieces too; are you there; erase character, erase line; a client that takes nothing is sent away", async (t) => {
  const bench = await exampleBench("console", { limitSeconds: 2000 });
  bench.run(
    (function* () {
      const client = yield* bench.peer.connect(DEVICE_ADDRESS, 23);
      yield* takeUntil(client, PROMPT);
      const [IAC, DO, WILL] = [255, 253, 251];
      const start = bench.nowMs;
      for (const byte of [IAC, DO, 1, IAC, WILL, 3]) yield* client.send(Buffer.from([byte]));
      yield* client.receive((data) => data.length >= 6);
      t.deepEqual([...client.take(6)], [IAC, 252, 1, IAC, 254, 3]);
      t.true(bench.nowMs - start < 100, "nothing else has to be said");
      yield* client.send(Buffer.from([IAC, 246]));
      t.is(yield* takeUntil(client, "\r\n"), "[yes]\r\n");
      yield* client.send(Buffer.from([...Buffer.from("garbage"), IAC, 248]));
      yield* client.send(Buffer.from([...Buffer.from("uptimes"), IAC, 247]));
      t.regex(yield* ask(client, "\r\n"), /^\d+ s\r\n> $/);
      yield* client.send("x".repeat(60) + "\x15");
      t.regex(yield* ask(client, "uptime\r\n"), /^\d+ s\r\n> $/);
      // A line of a megabyte is cut, not kept.
      yield* client.send("y".repeat(100_000));
      t.regex(yield* ask(client, "\r\n"), /^netstat, ifconfig/);

      // It proposes options without an end and reads nothing: the console is free again after its patience, once.
      client.paused = true;
      const flood = function* (): Script {
        yield* client.send(Buffer.alloc(300_000, Buffer.from([IAC, DO, 24])));
      };
      bench.start(flood());
      const waited = bench.nowMs;
      const second = yield* bench.peer.connect(DEVICE_ADDRESS, 23);
      t.regex(yield* takeUntil(second, PROMPT), /^as-tcpip console/);
      t.true(bench.nowMs - waited < 310_000, `${bench.nowMs - waited} ms`);
      second.close();
    })(),
  );
});
