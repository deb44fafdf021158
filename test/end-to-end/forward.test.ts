import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { Random } from "../../host-tools/sim/random.js";
import { Cli, dial, freePort, readAll, endCommands } from "../support/cli.js";

test.after.always(endCommands);

/** Bytes that go through the echo service; the whole 4 MiB when asked to take the time. */
const ECHO_BYTES = process.env["AS_TCPIP_FULL"] ? 1 << 22 : 1 << 18;
const IMPAIRED = "--loss 5 --reorder 5 --duplicate 2 --corrupt 1 --seed 7".split(" ");

interface Running {
  cli: Cli;
  http: number;
  echo: number;
  url: string;
}

async function demo(...args: string[]): Promise<Running> {
  const [http, echo] = [await freePort(), await freePort()];
  const cli = new Cli(["sim", "--json", "--net", `forward:${http}=80,${echo}=7`, ...args]);
  await cli.ready();
  return { cli, http, echo, url: `http://127.0.0.1:${http}` };
}

async function echoed(port: number, data: Buffer): Promise<boolean> {
  const socket = await dial(port);
  socket.end(data);
  return Buffer.compare(await readAll(socket), data) === 0;
}

interface Status {
  board: string;
  address: string;
  pools: Record<string, { used: number; size: number }>;
}

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  test.serial(
    `${board}: page, image, status, echo, and Ctrl-C ends it with exit code 0`,
    async (t) => {
      const { cli, url, echo } = await demo("--board", board);
      const page = await fetch(`${url}/`);
      t.is(page.status, 200);
      t.regex(page.headers.get("content-type") ?? "", /^text\/html/);
      const html = await page.text();
      const image = /<img[^>]*\ssrc="([^"]+)"/.exec(html)?.[1];
      t.truthy(image, "the page has an image");
      const picture = await fetch(new URL(image as string, url));
      t.is(picture.status, 200);
      t.regex(picture.headers.get("content-type") ?? "", /^image\//);
      t.true((await picture.arrayBuffer()).byteLength > 0);
      const status = (await (await fetch(`${url}/api/status`)).json()) as Status;
      t.is(status.board, board);
      t.is(status.address, "192.168.77.50");
      const data = Buffer.alloc(ECHO_BYTES);
      new Random(1).fill(data);
      t.true(await echoed(echo, data), "the echo is identical");
      const { code, stderr } = await cli.interrupt();
      t.is(code, 0);
      t.is(stderr, "");
    },
  );

  test.serial(`${board}: the echo is identical through a bad link`, async (t) => {
    const { cli, echo } = await demo("--board", board, ...IMPAIRED);
    const data = Buffer.alloc(ECHO_BYTES / 4);
    new Random(2).fill(data);
    t.true(await echoed(echo, data));
    t.is((await cli.interrupt()).code, 0);
  });
}

test.serial(
  "more clients than the device has TCBs: all are served, and every table is back afterwards",
  async (t) => {
    const { cli, url } = await demo("--ip", "10.9.8.7/24");
    const status = async (): Promise<Status> =>
      (await (
        await fetch(`${url}/api/status`, { headers: { connection: "close" } })
      ).json()) as Status;
    const before = await status();
    const size = before.pools["tcbs"]?.size as number;
    const pages = await Promise.all(
      Array.from({ length: size * 3 }, async () => {
        const page = await fetch(`${url}/`, { headers: { connection: "close" } });
        return [page.status, (await page.text()).length].join();
      }),
    );
    t.is(new Set(pages).size, 1);
    t.is(pages[0]?.split(",")[0], "200");
    // The last connections may still be closing: each look is one more exchange with the device.
    const levels = (state: Status): unknown =>
      ["sockets", "tcbs", "synQueue", "udp"].map((pool) => state.pools[pool]?.used);
    let after = await status();
    for (let look = 0; look < 50 && !isDeepStrictEqual(levels(after), levels(before)); look++) {
      after = await status();
    }
    t.deepEqual(levels(after), levels(before));
    t.is((await cli.interrupt()).code, 0);
  },
);

test.serial(
  "half-close: the device still answers a client that has finished sending",
  async (t) => {
    const { cli, http } = await demo();
    const socket = await dial(http);
    socket.end("GET /api/status HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n");
    t.regex((await readAll(socket)).toString(), /^HTTP\/1\.1 200 /);
    await cli.interrupt();
  },
);

test.serial("UDP: datagrams to a forwarded port come back from the echo service", async (t) => {
  const port = await freePort();
  const cli = new Cli(["sim", "--json", "--net", `forward:udp:${port}=7`]);
  await cli.ready();
  const socket = createSocket("udp4");
  for (const bytes of [0, 1, 512, 1472]) {
    const data = Buffer.alloc(bytes);
    new Random(bytes).fill(data);
    const answer = once(socket, "message") as Promise<[Buffer]>;
    socket.send(data, port, "127.0.0.1");
    t.is(Buffer.compare((await answer)[0], data), 0, `${bytes} bytes`);
  }
  socket.close();
  t.is((await cli.interrupt()).code, 0);
});

test.serial("a port that is closed on the device resets the host's connection", async (t) => {
  const port = await freePort();
  const cli = new Cli(["sim", "--json", "--net", `forward:${port}=81`]);
  await cli.ready();
  // The reset may come as early as in connect().
  const error = await t.throwsAsync(async () => readAll(await dial(port)));
  t.is((error as NodeJS.ErrnoException).code, "ECONNRESET");
  await cli.interrupt();
});

test.serial(
  "the device's connection to its gateway reaches the same port of this computer",
  async (t) => {
    const port = await freePort();
    const app = join(packageRoot, "test/device/dialer");
    const cli = new Cli(["sim", "--json", "--app", app, "--net", `forward:${port}=7`]);
    await cli.ready();
    const data = Buffer.alloc(100_000);
    new Random(3).fill(data);
    const server = createServer((socket) => socket.end(data)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const called = (server.address() as AddressInfo).port;
    const socket = await dial(port);
    socket.write(Uint8Array.of(called >> 8, called & 255));
    t.is(Buffer.compare(await readAll(socket), data), 0);
    socket.destroy();
    server.close();
    // Nobody listens there now: the device is refused, and goes on.
    const second = await dial(port);
    second.write(Uint8Array.of(called >> 8, called & 255));
    t.is((await readAll(second)).length, 0);
    second.destroy();
    t.is((await cli.interrupt()).code, 0);
  },
);
