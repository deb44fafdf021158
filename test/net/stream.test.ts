import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { UserError } from "../../host-tools/errors.js";
import {
  encodeFrame,
  FrameDecoder,
  socketPath,
  StreamAdapter,
} from "../../host-tools/net/stream.js";
import { EthernetSwitch, type SwitchPort } from "../../host-tools/net/switch.js";
import { Random } from "../../host-tools/sim/random.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import { freePort } from "../support/cli.js";

const folder = mkdtempSync(join(tmpdir(), "as-tcpip-stream-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

function frame(bytes: number, fill: number): Uint8Array {
  const data = new Uint8Array(bytes).fill(fill);
  data.set([0x02, 0, 0, 0, 0, 9, 0x02, 0, 0, 0, 0, fill]);
  return data;
}

/** A switch with a station beside the stream. */
function station(): {
  ethernet: EthernetSwitch;
  port: SwitchPort;
  next: () => Promise<Uint8Array>;
} {
  const ethernet = new EthernetSwitch(new VirtualClock());
  const got: Uint8Array[] = [];
  let wake = (): void => undefined;
  const port = ethernet.attach("station", (bytes) => {
    got.push(bytes.slice());
    wake();
  });
  const next = async (): Promise<Uint8Array> => {
    while (got.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return got.shift() as Uint8Array;
  };
  return { ethernet, port, next };
}

async function takeFrame(socket: Socket): Promise<Uint8Array> {
  const decoder = new FrameDecoder();
  return new Promise((resolve) => {
    socket.on("data", (chunk: Buffer) => decoder.push(chunk, (bytes) => resolve(bytes.slice())));
  });
}

test("a frame has its length in front, 32 bits big-endian", (t) => {
  t.is(encodeFrame(Uint8Array.of(1, 2, 3)).toString("hex"), "00000003010203");
});

test("frames come out whole however the stream is cut", (t) => {
  const frames = [60, 0, 1514, 61].map((bytes, i) => new Uint8Array(bytes).fill(i));
  const stream = Buffer.concat(frames.map(encodeFrame));
  const random = new Random(1);
  for (let round = 0; round < 200; round++) {
    const decoder = new FrameDecoder();
    const got: Uint8Array[] = [];
    for (let at = 0; at < stream.length;) {
      const bytes = 1 + random.below(round < 100 ? 8 : 2000);
      t.true(decoder.push(stream.subarray(at, at + bytes), (f) => got.push(new Uint8Array(f))));
      at += bytes;
    }
    t.deepEqual(got, frames);
  }
});

test("a length that no frame has is an error of the other side", (t) => {
  const decoder = new FrameDecoder();
  t.false(decoder.push(Buffer.from("GET / HTTP/1.1\r\n"), () => t.fail()));
});

test("on Windows a local socket is a named pipe; elsewhere its path", (t) => {
  for (const path of ["/tmp/net.sock", "net", "\\\\.\\pipe\\net"])
    t.is(socketPath(path, "linux"), path);
  for (const [path, pipe] of [
    ["\\\\.\\pipe\\net", "\\\\.\\pipe\\net"],
    ["\\\\?\\pipe\\net.1", "\\\\?\\pipe\\net.1"],
    ["//./pipe/net", "\\\\.\\pipe\\net"],
    ["net", "\\\\.\\pipe\\net"],
    ["/tmp/net.sock", "\\\\.\\pipe\\tmp-net.sock"],
    ["C:\\Temp\\net.sock", "\\\\.\\pipe\\C-Temp-net.sock"],
  ] as const)
    t.is(socketPath(path, "win32"), pipe, path);
});

test("as a client: frames go both ways over a UNIX socket, and the end is told", async (t) => {
  const path = join(folder, "server.sock");
  const server = createServer().listen(path);
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const { ethernet, port, next } = station();
  const adapter = await StreamAdapter.open({ listen: false, path }, ethernet);
  const [peer] = await accepted;
  const taken = takeFrame(peer);
  port.send(frame(100, 1));
  t.deepEqual(await taken, frame(100, 1));
  peer.write(encodeFrame(frame(70, 2)));
  t.deepEqual(await next(), frame(70, 2));
  const end = new Promise<string>((resolve) => (adapter.onEnd = resolve));
  peer.destroy();
  t.is(await end, `the other side of ${path} has closed the connection`);
  adapter.close();
  server.close();
});

test("as a server: the newest client counts, and may go and come again", async (t) => {
  const port = await freePort();
  const host = "127.0.0.1";
  const { ethernet, port: beside, next } = station();
  const adapter = await StreamAdapter.open({ listen: true, host, port }, ethernet);
  beside.send(frame(60, 1));
  t.is(adapter.dropped, 1);
  for (const fill of [3, 4]) {
    const client = connect(port, host);
    client.write(encodeFrame(frame(80, fill)));
    t.deepEqual(await next(), frame(80, fill));
    const taken = takeFrame(client);
    beside.send(frame(90, fill));
    t.deepEqual(await taken, frame(90, fill));
    if (fill === 4) client.destroy();
  }
  adapter.close();
});

test("nobody there: one line that says what to do", async (t) => {
  const path = join(folder, "nobody.sock");
  const { ethernet } = station();
  const error = await t.throwsAsync(StreamAdapter.open({ listen: false, path }, ethernet), {
    instanceOf: UserError,
  });
  t.regex(
    error?.message ?? "",
    /^no connection to .*nobody\.sock \(ENOENT\); start the other side/,
  );
});

test("an address that is taken: one line that says so", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const endpoint = { listen: true, host: "127.0.0.1", port };
  const { ethernet } = station();
  await t.throwsAsync(StreamAdapter.open(endpoint, ethernet), { instanceOf: UserError });
  server.close();
});
