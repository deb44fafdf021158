/** The examples of docs/services.md and the programs of Linux that they are made for, over a TAP interface in a namespace. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import {
  DEVICE,
  HOST,
  Program,
  namespaceTest,
  peer,
  startDevice,
  stopDevice,
} from "../support/namespace.js";

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-services-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const broker = join(folder, "mosquitto.conf");
writeFileSync(broker, "listener 1883 0.0.0.0\nallow_anonymous true\nlog_dest stderr\nuser root\n");

async function mosquitto(): Promise<Program> {
  const server = new Program("mosquitto", "-c", broker);
  await server.said(/running/);
  return server;
}

for (const [app, version] of [
  ["mqtt", "mqttv311"],
  ["mqtt5", "mqttv5"],
] as const) {
  namespaceTest(
    `${app}: mosquitto takes and gives QoS 0 to 2, tells the last will, and is found again after it was gone`,
    ["mosquitto", "mosquitto_sub", "mosquitto_pub"],
    async (t) => {
      let server = await mosquitto();
      const cli = await startDevice(t, app);
      const host = ["-h", HOST, "-V", version];
      const watch = (): Program =>
        new Program("stdbuf", "-oL", "mosquitto_sub", ...host, "-v", "-q", "2", "-t", "lamp/#");
      await cli.line((line) => line.includes("MQTT connected"));
      let listener = watch();
      await listener.said(/lamp\/uptime \d+/);
      for (const qos of ["0", "1", "2"]) {
        await peer("mosquitto_pub", ...host, "-q", qos, "-t", "lamp/say", "-m", `by qos ${qos}`);
        await listener.said(new RegExp(`lamp/said by qos ${qos}`));
      }
      t.regex(listener.output, /lamp\/state online/);
      // Another one with the device's name: the broker ends the device's connection, and its will is told.
      const thief = new Program("mosquitto_sub", ...host, "-i", "lamp", "-t", "nothing");
      await listener.said(/lamp\/state offline/);
      await listener.said(/offline[^]*lamp\/state online/);
      await thief.stop();
      await listener.stop();
      await server.stop();
      await cli.line((line) => line.includes("MQTT down"));
      server = await mosquitto();
      listener = watch();
      await listener.said(/lamp\/state online/);
      t.false(server.output.includes("rotocol error"), server.output);
      await stopDevice(t, cli);
      await listener.stop();
      await server.stop();
    },
  );
}

namespaceTest("iperf: streams and datagrams into the server", ["iperf"], async (t) => {
  const cli = await startDevice(t, "iperf");
  const tcp = await peer("iperf", "-c", DEVICE, "-n", "256K", "-P", "2", "-y", "C");
  const bytes = tcp
    .trim()
    .split("\n")
    .map((line) => Number(line.split(",")[7]));
  t.deepEqual(bytes, [1 << 18, 1 << 18]);
  const udp = await peer("iperf", "-c", DEVICE, "-u", "-b", "1M", "-n", "64K");
  t.regex(udp, /Server Report/);
  await stopDevice(t, cli);
});

namespaceTest(
  "iperf-client: iperf takes a stream and datagrams, and reports",
  ["iperf"],
  async (t) => {
    const streams = new Program("iperf", "-s", "-y", "C", "-P", "1");
    const datagrams = new Program("iperf", "-s", "-u", "-P", "1");
    await datagrams.said(/listening/);
    const cli = await startDevice(t, "iperf-client");
    let told = "";
    const line = (pattern: RegExp): Promise<void> =>
      cli.line((text) => pattern.test((told = text)));
    await line(/TCP \d+ KB/);
    const kilobytes = Number(/TCP (\d+) KB/.exec(told)?.[1]);
    await streams.said(/\n/);
    const taken = Number(streams.output.trim().split(",")[7]);
    // iperf 2 looks for its flags in the first four bytes of a stream, and does not count them.
    t.is(Math.floor((taken + 4) / 1024), kilobytes, streams.output);
    await line(/datagrams lost/);
    t.regex(told, /[^\d]0 of 4\d\d datagrams lost, 0 out of order/);
    await stopDevice(t, cli);
    await streams.stop();
    await datagrams.stop();
  },
);

namespaceTest("tftp: curl takes a file, and puts one that comes back", ["curl"], async (t) => {
  const cli = await startDevice(t, "tftp");
  t.regex(await peer("curl", "-s", `tftp://${DEVICE}/hello.txt`), /\w/);
  const file = join(folder, "x");
  const text = "0123456789".repeat(120);
  writeFileSync(file, text);
  await peer("curl", "-s", "-T", file, `tftp://${DEVICE}/x`);
  t.is(await peer("curl", "-s", `tftp://${DEVICE}/x`), text);
  await stopDevice(t, cli);
});

namespaceTest(
  "console: telnet asks for sockets, neighbours, a ping of Linux, and a name that dnsmasq knows",
  ["telnet", "dnsmasq"],
  async (t) => {
    const names = new Program(
      ...["dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--user=root"],
      ...["--log-facility=-", "--pid-file", "--address=/printer.test/10.1.2.3"],
    );
    await names.said(/started/);
    const cli = await startDevice(t, "console", "--dns", HOST);
    const telnet = new Program("telnet", DEVICE);
    await telnet.said(/Connected/);
    const ask = async (line: string, answer: RegExp): Promise<void> => {
      telnet.type(line);
      await telnet.said(answer);
    };
    await ask("netstat", /tcp +\d+ +\d+ +[\d.]+:23 +192\.168\.77\.1:\d+ +established/i);
    await ask("arp", /192\.168\.77\.1 +([0-9a-f]{2}:){5}/);
    await ask(`ping ${HOST}`, /192\.168\.77\.1: \d+ ms/);
    await ask("nslookup printer.test", /printer\.test: 10\.1\.2\.3/);
    await ask("quit", /closed/);
    await stopDevice(t, cli);
    await names.stop();
  },
);

namespaceTest("chat: two socats hear each other and the bot", ["socat"], async (t) => {
  const cli = await startDevice(t, "chat");
  const one = new Program("socat", "-", `TCP:${DEVICE}:4000`);
  const two = new Program("socat", "-", `TCP:${DEVICE}:4000`);
  // Each has come when the other one has heard of it, or hears the bot.
  await Promise.race([one.said(/has come/), two.said(/has come/)]);
  one.type("hello there");
  await two.said(/hello there/);
  two.type("uptime?");
  await one.said(/uptime\?[^]*\d+/);
  await stopDevice(t, cli);
});

namespaceTest("syslog: socat takes the messages of RFC 5424", ["socat"], async (t) => {
  const log = new Program("socat", "-u", "UDP-RECV:514", "-");
  const cli = await startDevice(t, "syslog");
  await log.said(/<\d+>1 \S+ lamp /);
  await stopDevice(t, cli);
  await log.stop();
});

namespaceTest("get: the HTTP server of Python gives a page", ["python3"], async (t) => {
  const web = new Program("python3", "-u", "-m", "http.server", "-d", folder, "80");
  await web.said(/Serving/);
  const cli = await startDevice(t, "get");
  await web.said(/GET \S+ HTTP\/1\.1/);
  await stopDevice(t, cli);
  await web.stop();
});

namespaceTest("mail: aiosmtpd takes a mail", ["aiosmtpd"], async (t) => {
  const post = new Program("aiosmtpd", "-n", "-l", "0.0.0.0:25", "-d", "-d");
  const cli = await startDevice(t, "mail");
  await post.said(/Subject: /);
  await stopDevice(t, cli);
  await post.stop();
});
