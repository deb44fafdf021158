/** The SMTP client (firmware/examples/mail) against a scripted mail server: RFC 5321. */
import test from "ava";
import { Listener, exampleBench, lines, takeUntil } from "./examples.js";
import type { Connection } from "./peer.js";
import type { Script } from "./bench.js";

/** Answers each command with the next answer; gives the commands. */
function* converse(client: Connection, answers: string[]): Script<string[]> {
  const commands: string[] = [];
  yield* client.send(answers[0] as string);
  for (const answer of answers.slice(1)) {
    const data = answers[commands.length]?.startsWith("354");
    commands.push(yield* takeUntil(client, data ? "\r\n.\r\n" : "\r\n"));
    // In two pieces: an answer may be cut anywhere.
    yield* client.send(answer.slice(0, 2));
    yield* client.send(answer.slice(2));
  }
  return commands;
}

test("a mail with all its steps; a server without EHLO; one that refuses, one that hangs up", async (t) => {
  const bench = await exampleBench("mail", { limitSeconds: 5000 });
  bench.run(
    (function* () {
      const listener = new Listener(bench, 25);
      let client = yield* listener.accept();
      const plain = [
        "220-mail.example\r\n220 ready\r\n",
        "250-mail.example\r\n250-SIZE 1000\r\n250 HELP\r\n",
      ];
      const commands = yield* converse(client, [
        ...plain,
        "250 ok\r\n",
        "251 will forward\r\n",
        "354 go\r\n",
        "250 queued\r\n",
        "221 bye\r\n",
      ]);
      t.deepEqual(commands, [
        "EHLO [192.168.77.50]\r\n",
        "MAIL FROM:<sensor@example.com>\r\n",
        "RCPT TO:<owner@example.com>\r\n",
        "DATA\r\n",
        "From: Sensor <sensor@example.com>\r\nTo: <owner@example.com>\r\n" +
          "Subject: Temperature\r\n\r\nIt is 20.0 degrees.\r\n....more in an hour.\r\n.\r\n",
        "QUIT\r\n",
      ]);
      yield* client.ended();
      client.close();
      t.true(lines(bench).includes("mailed 200 by way of 192.168.77.1"));

      const start = bench.nowMs;
      client = yield* listener.accept();
      t.true(bench.nowMs - start > 3_590_000, "an hour later");
      const refused = yield* converse(client, [
        "220 hi\r\n",
        "502 what?\r\n",
        "250 hello\r\n",
        "250 ok\r\n",
        "550 nobody\r\n",
      ]);
      t.deepEqual(refused.slice(0, 2), ["EHLO [192.168.77.50]\r\n", "HELO [192.168.77.50]\r\n"]);
      t.is(yield* takeUntil(client, "\r\n"), "QUIT\r\n");
      yield* client.ended();
      client.close();
      t.true(lines(bench).includes("the mail server says 550"));

      client = yield* listener.accept();
      client.close();
      yield* bench.sleep(100);
      t.true(lines(bench).some((line) => line.startsWith("no mail (error ")));
    })(),
  );
});

const READY = "220 ready\r\n";
const OK = "250 ok\r\n";
const QUEUED = [READY, OK, OK, OK, "354 go\r\n", "250 queued\r\n"];

/** A conversation up to an answer, and what the device logs of it; each begins with a new connection. */
const ENDINGS: [string, string[], RegExp][] = [
  [
    "a greeting of 23 lines",
    [`${"220-long\r\n".repeat(22)}220 ready\r\n`, ...QUEUED.slice(1)],
    /^mailed/,
  ],
  ["codes alone, lines that end with LF", [...QUEUED.slice(0, 4), "354\n", "250\n"], /^mailed/],
  ["long lines", [READY, `250-${"x".repeat(900)}\r\n250 ok\r\n`, ...QUEUED.slice(2)], /^mailed/],
  [
    "an offer of STARTTLS",
    [READY, "250-m\r\n250-STARTTLS\r\n250 PIPELINING\r\n", ...QUEUED.slice(2)],
    /^mailed/,
  ],
  [
    "a goodbye behind the last answer",
    [...QUEUED.slice(0, 5), "250 queued\r\n421 bye\r\n"],
    /^mailed/,
  ],
  ["421 at the greeting", ["421 busy\r\n"], /server says 421/],
  ["421 in the middle", [READY, OK, "421 going down\r\n"], /server says 421/],
  [
    "421 in place of the last answer",
    [...QUEUED.slice(0, 5), "421 going down\r\n"],
    /server says 421/,
  ],
  ["452 of the recipient", [READY, OK, OK, "452-full\r\n452 later\r\n"], /server says 452/],
  ["554 at the end of the text", [...QUEUED.slice(0, 5), "554 spam\r\n"], /server says 554/],
  ["no code", [READY, "hello\r\n"], /^no mail \(error 22\)/],
  ["letters that count as figures", ["2:0 ready\r\n"], /^no mail \(error 22\)/],
  ["a code below 200", [READY, "100 wait\r\n"], /^no mail \(error 22\)/],
  ["half a code", [READY, "25\r\n"], /^no mail \(error 22\)/],
  ["an answer without an end", [`${"220-x\r\n".repeat(700)}`], /^no mail \(error 104\)/],
];

test("RFC 5321 4.2: answers of many lines, of odd forms, of none; goodbye (421) at each step; offers of extensions are left alone", async (t) => {
  const bench = await exampleBench("mail", { limitSeconds: 60_000 });
  bench.run(
    (function* () {
      const listener = new Listener(bench, 25);
      for (const [what, answers, told] of ENDINGS) {
        const before = lines(bench).length;
        const client = yield* listener.accept();
        const commands = yield* converse(client, answers);
        if (answers.length === 6) yield* client.send("221 bye\r\n");
        yield* client.ended();
        client.close();
        yield* bench.sleep(100);
        t.true(
          lines(bench)
            .slice(before)
            .some((line) => told.test(line)),
          `${what}: ${lines(bench).slice(before).join("; ")}`,
        );
        t.false(
          commands.some((command) => command.startsWith("STARTTLS")),
          what,
        );
      }
    })(),
  );
});

test("RFC 5321 4.5.3.2: a server that says a word of its answer each minute is left after five", async (t) => {
  const bench = await exampleBench("mail", { limitSeconds: 10_000 });
  bench.run(
    (function* () {
      const listener = new Listener(bench, 25);
      const client = yield* listener.accept();
      const start = bench.nowMs;
      while (client.ending === "open" && bench.nowMs - start < 1_000_000) {
        yield* client.send("220-x\r\n");
        yield* bench.sleep(60_000);
        client.pump();
      }
      t.not(client.ending, "open");
      client.close();
    })(),
  );
});
