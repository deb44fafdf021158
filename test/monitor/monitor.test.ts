import test from "ava";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../host-tools/errors.js";
import { encodeFrame, FRAME } from "../../host-tools/log/frames.js";
import { loadMessages } from "../../host-tools/monitor/messages.js";
import { parseModemLines } from "../../host-tools/flash/modem-lines.js";
import { monitor, type MonitorHost, type MonitorRequest } from "../../host-tools/monitor/run.js";
import { readPcap } from "../../host-tools/net/pcap.js";
import { SerialLine, systemBinding, type SerialBinding } from "../../host-tools/serial/line.js";
import { memoryBinding, type Peer } from "../support/bootloader-binding.js";
import { hasPty, openPty } from "../support/bootloader-pty.js";

const PORT = "/dev/ttyUSB0";
const folder = mkdtempSync(join(tmpdir(), "monitor-"));
test.after.always(() => rmSync(folder, { recursive: true }));

const board = (): Peer => ({
  receive: () => undefined,
  onSend: () => undefined,
  onUnplug: () => undefined,
});

/** A host that collects the output and lets the test wait for a line of it. */
class TestHost implements MonitorHost {
  readonly printed: string[] = [];
  readonly said: string[] = [];
  readonly retryMs = 1;
  firstTries = 5;
  idleMs = 5;
  private readonly controller = new AbortController();
  private waiters: { what: RegExp; resolve: () => void }[] = [];
  constructor(private readonly access: SerialBinding) {}
  get signal(): AbortSignal {
    return this.controller.signal;
  }
  binding = async (): Promise<SerialBinding> => this.access;
  ports: MonitorHost["ports"] = async () => [];
  now = (): number => 1_700_000_000_000;
  print = (line: string): void => this.note(this.printed, line);
  say = (line: string): void => this.note(this.said, line);
  stop = (): void => this.controller.abort();

  /** Resolves when a line like this comes, or has come since the last wait for it. */
  async until(what: RegExp): Promise<void> {
    await new Promise<void>((resolve) => this.waiters.push({ what, resolve }));
  }

  private note(list: string[], line: string): void {
    list.push(line);
    const ready = this.waiters.filter(({ what }) => what.test(line));
    this.waiters = this.waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }
}

const request = (change: Partial<MonitorRequest> = {}): MonitorRequest => ({
  port: PORT,
  baudRate: 115200,
  timestamps: false,
  color: false,
  level: "debug",
  json: false,
  awaitPort: false,
  messages: ["info: hello %u", "debug: detail"],
  ...change,
});

const hello = (value: number): Uint8Array =>
  encodeFrame(FRAME.LOG, Uint8Array.of(0, 0, 1, value, 0, 0, 0));
const detail = encodeFrame(FRAME.LOG, Uint8Array.of(1, 0, 0));

test("the log is shown, filed and captured; the signal ends it and frees the port", async (t) => {
  const peer = board();
  const { binding, record } = memoryBinding(PORT, peer);
  const host = new TestHost(binding);
  const log = join(folder, "board.log");
  const pcap = join(folder, "board.pcap");
  const connected = host.until(/Connected to \/dev\/ttyUSB0 at 115200 baud/);
  const running = monitor(request({ log, pcap, level: "info" }), host);
  await connected;
  const frame = Buffer.alloc(60, 7);
  const header = Buffer.from([0, 10, 0, 0, 0, 60, 0]);
  const last = host.until(/^bye/);
  peer.onSend(Buffer.concat([hello(5), detail, Buffer.from("plain\n")]));
  peer.onSend(encodeFrame(FRAME.ETHERNET, Buffer.concat([header, frame])));
  peer.onSend(Buffer.from("bye\n"));
  await last;
  host.stop();
  await running;
  t.deepEqual(host.printed, ["info   hello 5", "plain", "bye"]);
  t.is(record.openNow, 0);
  const time = new Date(host.now()).toISOString();
  t.is(
    readFileSync(log, "utf8"),
    [`info   hello 5`, "debug  detail", "plain", "bye"].map((l) => `${time}  ${l}\n`).join(""),
    "the file has all levels",
  );
  const [captured, ...more] = readPcap(readFileSync(pcap));
  t.deepEqual(more, []);
  t.deepEqual(Uint8Array.from(captured?.frame ?? []), Uint8Array.from(frame));
  t.is(captured?.timeNs, host.now() * 1e6);
});

test("G9: an adapter whose lines reset the board lets it run after opening", async (t) => {
  const { binding, record } = memoryBinding(PORT, board());
  const host = new TestHost(binding);
  const connected = host.until(/^Connected/);
  const running = monitor(request({ lines: parseModemLines("rts=nrst,dtr=boot0") }), host);
  await connected;
  host.stop();
  await running;
  // Not asserted is high for NRST; BOOT0 is to be low.
  t.like(record.lines[0], { rts: false, dtr: true });
});

test("an unplugged board is waited for; a new stream reads it on", async (t) => {
  const peer = board();
  const { binding, record } = memoryBinding(PORT, peer);
  const host = new TestHost(binding);
  const running = monitor(request(), host);
  for (let round = 1; round <= 3; round++) {
    await host.until(/^Connected/);
    const shown = host.until(/hello/);
    peer.onSend(hello(round));
    await shown;
    const lost = host.until(/went away; waiting for it/);
    // In the middle of a frame: the rest must not be taken for the start of the next connection.
    peer.onSend(hello(9).subarray(0, 5));
    peer.onUnplug();
    await lost;
  }
  await host.until(/^Connected/);
  host.stop();
  await running;
  t.deepEqual(
    host.printed.filter((line) => line.includes("hello")),
    ["info   hello 1", "info   hello 2", "info   hello 3"],
  );
  t.is(record.opened.length, 4);
});

test("a port that a flasher still holds is waited for", async (t) => {
  const peer = board();
  const { binding } = memoryBinding(PORT, peer);
  const flasher = await SerialLine.open({ path: PORT, baudRate: 115200, binding });
  const host = new TestHost(binding);
  host.firstTries = 1000;
  const connected = host.until(/^Connected/);
  const running = monitor(request(), host);
  await flasher.close();
  await connected;
  host.stop();
  await t.notThrowsAsync(running);
});

test("a port that stays busy, or is not there, is one line", async (t) => {
  const { binding } = memoryBinding(PORT, board());
  const other = await SerialLine.open({ path: PORT, baudRate: 115200, binding });
  const busy = monitor(request(), new TestHost(binding));
  await t.throwsAsync(busy, { instanceOf: UserError, message: /in use by another program/ });
  await other.close();
  const missing = monitor(request({ port: "/dev/none" }), new TestHost(binding));
  await t.throwsAsync(missing, { instanceOf: UserError, message: /there is no port \/dev\/none/ });
  const unnamed = request();
  delete unnamed.port;
  await t.throwsAsync(monitor(unnamed, new TestHost(binding)), {
    instanceOf: UserError,
    message: /no serial port fits; plug the board or its adapter in/,
  });
});

test("--json: one object a line, connections too", async (t) => {
  const peer = board();
  const { binding } = memoryBinding(PORT, peer);
  const host = new TestHost(binding);
  const connected = host.until(/connected/);
  const running = monitor(request({ json: true }), host);
  await connected;
  const shown = host.until(/hello/);
  peer.onSend(hello(1));
  await shown;
  host.stop();
  await running;
  const time = new Date(host.now()).toISOString();
  t.deepEqual(
    host.printed.map((line) => JSON.parse(line) as unknown),
    [
      { event: "connected", port: PORT },
      { time, level: "info", text: "hello 1" },
    ],
  );
});

test("a prompt without a line end is shown when nothing follows", async (t) => {
  const peer = board();
  const { binding } = memoryBinding(PORT, peer);
  const host = new TestHost(binding);
  const connected = host.until(/^Connected/);
  const running = monitor(request(), host);
  await connected;
  const shown = host.until(/^ready> $/);
  peer.onSend(Buffer.from("ready> "));
  await shown;
  host.stop();
  await running;
  t.deepEqual(host.printed, ["ready> "]);
});

test("over a pseudo-terminal: log, loss", async (t) => {
  if (!hasPty) return t.pass("no pseudo-terminals on this system");
  const peer = board();
  const pty = openPty(peer);
  const host = new TestHost(await systemBinding());
  const connected = host.until(/^Connected/);
  const running = monitor(request({ port: pty.path }), host);
  await connected;
  const shown = host.until(/hello/);
  peer.onSend(Buffer.concat([Buffer.from("boot\n"), hello(0xc0)]));
  await shown;
  const lost = host.until(/went away/);
  pty.close();
  await lost;
  host.stop();
  await running;
  t.deepEqual(host.printed, ["boot", "info   hello 192"]);
});

test("message tables that are not one are refused in one line", (t) => {
  const path = join(folder, "messages.json");
  writeFileSync(path, '["info: a", "warn: b"]');
  t.deepEqual(loadMessages(path), ["info: a", "warn: b"]);
  writeFileSync(path, '{"a": 1}');
  t.throws(() => loadMessages(path), { instanceOf: UserError, message: /not a message table/ });
  writeFileSync(path, "nonsense");
  t.throws(() => loadMessages(path), { instanceOf: UserError, message: /not JSON/ });
  t.throws(() => loadMessages(join(folder, "none")), { instanceOf: UserError, message: /ENOENT/ });
});
