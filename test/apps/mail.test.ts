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
