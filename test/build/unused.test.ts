/** What an application leaves out is not in its image: no code, no RAM. */
import test from "ava";
import initWabt from "wabt";
import { compileFirmware, type CompileRequest } from "../../host-tools/build/compile.js";
import type { Options } from "../../stack/options.js";

/** What test/device/web has in its `app.json`: an image that other tests have made already. */
const WEB = { HTTP_ROUTES: 12 };

/** An image as an application gets it: what nobody calls is in a draft still. */
const optimised = (request: CompileRequest): ReturnType<typeof compileFirmware> =>
  compileFirmware({ ...request, draft: false });

/** Does a folder or file (with a `/` behind it), or a function, stand in the module by its name, and how many static bytes are there in all. */
async function weigh(
  part: string,
  options: Partial<Options>,
  app = "echo",
): Promise<{ code: boolean; ram: number }> {
  const { wasm, statics } = await optimised({ board: "virtual-w5500", app, options });
  const ram = statics.reduce((sum, { bytes }) => sum + bytes, 0);
  return { code: Buffer.from(wasm).includes(part), ram };
}

test("raw sockets are in an image with RAW_SOCKETS, and in no other", async (t) => {
  const without = await weigh("stack/raw/", {});
  const withOne = await weigh("stack/raw/", { RAW_SOCKETS: 1, RAW_RX_BYTES: 1024 });
  t.false(without.code);
  t.true(withOne.code);
  const more = withOne.ram - without.ram;
  t.true(more >= 1024 && more <= 1024 + 48, `${more} bytes`);
});

test("dup() costs an image nothing that does not call it; the options that few have are left out by SOCKET_MORE_OPTIONS 0", async (t) => {
  t.false((await weigh("socketShared", {})).code);
  t.false((await weigh("stack/socket/table/socketAlias", {})).code);
  const small = await optimised({ board: "bluepill-enc28j60", app: "demo" });
  t.false(Buffer.from(small.wasm).includes("stack/socket/more-options/"));
  t.true((await weigh("stack/socket/more-options/", {})).code);
});

test("AF_UNIX sockets are in an image with LOCAL_SOCKETS, and in no other", async (t) => {
  const without = await weigh("stack/local/", {});
  const withTwo = await weigh("stack/local/", { LOCAL_SOCKETS: 2, LOCAL_RING_BYTES: 256 });
  t.false(without.code);
  t.true(withTwo.code);
  const more = withTwo.ram - without.ram;
  t.true(more >= 512 && more <= 512 + 64, `${more} bytes`);
});

test("TCP is in no image with TCP_TCBS 0: no code, no tables", async (t) => {
  const { wasm, statics } = await optimised({ board: "virtual-w5500", app: "tftp" });
  t.false(Buffer.from(wasm).includes("stack/tcp/"));
  const tables = statics.filter(({ file }) => file.startsWith("stack/tcp/"));
  t.deepEqual(tables, []);
});

test("UDP is in no image with UDP_SOCKETS 0 and without those that stand on it, by what they are; datagram sockets in none without UDP_SOCKETS", async (t) => {
  const none = { UDP_SOCKETS: 0, DHCP: 0, DNS_ENTRIES: 0, MDNS: 0 };
  for (const part of ["stack/udp/", "stack/dns/", "stack/mdns/", "stack/dhcp/"]) {
    t.false((await weigh(part, none)).code, part);
    t.true((await weigh(part, {})).code, part);
  }
  const { wasm, statics } = await optimised({
    board: "virtual-w5500",
    app: "echo",
    options: none,
  });
  t.true(Buffer.from(wasm).includes("stack/tcp/"));
  const tables = statics.filter(({ file }) => /^stack\/(udp|dns|mdns|dhcp)\//.test(file));
  t.deepEqual(tables, []);
  const dhcp = { UDP_SOCKETS: 0, DNS_ENTRIES: 0, MDNS: 0 };
  t.false((await weigh("stack/udp/slots/udpFind", dhcp)).code);
  t.true((await weigh("stack/dhcp/", dhcp)).code);
});

/** Each way of waiting: the module that is it, the program that has it, and what else stands on it. */
const STYLES: Record<string, { app: string; with: string[] }> = {
  "firmware/net/socket-poll/": { app: "echo-poll", with: [] },
  "firmware/net/select/": { app: "echo-select", with: [] },
  "firmware/net/epoll-set/": { app: "echo-epoll", with: [] },
  "firmware/net/ring/": { app: "echo-ring", with: [] },
  "firmware/net/loop/": { app: "echo-loop", with: ["firmware/net/epoll-set/"] },
};

test("one style of waiting brings no other: poll, select, epoll, ring, loop; calls that wait bring none", async (t) => {
  const styles = Object.keys(STYLES);
  const used = async (app: string): Promise<string[]> => {
    const { wasm } = await optimised({ board: "virtual-w5500", app });
    return styles.filter((style) => Buffer.from(wasm).includes(style));
  };
  t.deepEqual(await used("echo-blocking"), []);
  for (const [style, { app, with: others }] of Object.entries(STYLES)) {
    t.deepEqual((await used(app)).sort(), [style, ...others].sort(), app);
  }
});

test("groups of sockets are in an image with MULTICAST_GROUPS, and in no other", async (t) => {
  const without = await weigh("stack/ip/igmp/", { MDNS: 0 }, "test/device/styles");
  const withOne = await weigh(
    "stack/ip/igmp",
    { MDNS: 0, MULTICAST_GROUPS: 1 },
    "test/device/styles",
  );
  t.false(without.code);
  t.true(withOne.code);
  const more = withOne.ram - without.ram;
  t.true(more >= 12 && more <= 96, `${more} bytes`);
});

test("WebSocket, and what is kept of requests, are in an image that asks for them, and in no other", async (t) => {
  const web = "test/device/web";
  // The demo has neither.
  t.false((await weigh("firmware/services/http/websocket/", {}, "demo")).code);
  t.false((await weigh("firmware/services/http/sha1/", {}, "demo")).code);
  t.false((await weigh("firmware/services/http/kept/", {}, "demo")).code);
  t.true((await weigh("firmware/services/http/websocket/", WEB, web)).code);
  t.true((await weigh("firmware/services/http/kept/", WEB, web)).code);
});

test("with ASSERTIONS 0 no check is left in an image", async (t) => {
  const wabt = await initWabt();
  const traps = await Promise.all(
    [0, 1].map(async (ASSERTIONS) => {
      const options = { ASSERTIONS };
      const { wasm } = await optimised({ board: "virtual-w5500", app: "echo", options });
      const module = wabt.readWasm(wasm, {});
      return module.toText({}).match(/\bunreachable\b/g)?.length ?? 0;
    }),
  );
  t.is(traps[0], 1, "behind the endless loop of main");
  t.true((traps[1] as number) > 15, `${traps[1]} with them`);
});

test("with ANSWERS_WAIT 0 no frame of an image waits in the chip for its answer", async (t) => {
  const [without, waiting] = await Promise.all(
    [0, 1].map(async (ANSWERS_WAIT) => {
      const options = { ANSWERS_WAIT };
      const { wasm } = await optimised({ board: "virtual-w5500", app: "echo", options });
      const names = ["stack/demux/waitsForAnswer", "stack/link/device/linkMayWait"];
      return names.filter((name) => Buffer.from(wasm).includes(name)).length;
    }),
  );
  t.is(without, 0);
  t.is(waiting, 2);
});
