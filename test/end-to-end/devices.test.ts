import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { packageRoot } from "../../host-tools/root.js";
import { Lan } from "../../host-tools/testing/index.js";
import { Cli, endCommands, freePort } from "../support/cli.js";
import { TIME, TIME_SAID, gatewayIs, portAsAddress } from "../support/time-server.js";

test.after.always(endCommands);

/** A UDP server of this computer that answers each datagram. */
async function server(answer: (data: Buffer) => Buffer): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (data: Buffer, { port, address }: RemoteInfo) =>
    socket.send(answer(data), port, address),
  );
  socket.bind(0, "127.0.0.1").unref();
  await once(socket, "listening");
  return socket.address().port;
}

test.serial(
  "three devices on one network: each of two gets a page of the third while the other floods it, and asks this computer for names and time",
  async (t) => {
    const time = await server(() => TIME);
    const names = await server(gatewayIs);
    const port = await freePort();
    const cli = new Cli([
      ...["sim", "--json", "--net", `forward:${port}=web:80`, "--dns", `127.0.0.1:${names}`],
      ...["--host", `port=${portAsAddress(time)}`],
      ...["--device", "web=demo", "one=test/device/asker", "two=test/device/asker"],
    ]);
    const said = (device: string, text: string): Promise<void> =>
      cli.line((line) => line.includes(`"device":"${device}"`) && line.includes(text));
    for (const device of ["one", "two"]) {
      await said(device, "1 address");
      await said(device, TIME_SAID);
      await said(device, "page of ");
    }
    await cli.line((line) => line.includes('"device":"web","address":"192.168.77.50"'));
    t.is((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
    const { code, stderr } = await cli.interrupt();
    t.is(stderr, "");
    t.is(code, 0);
  },
);

/**
 * The network of docs/simulator.md and a fourth device: one gets the page of another, over a link with loss, while a third floods it
 * and a fourth asks for a name and for the time.
 */
const NETWORK = {
  net: "none",
  devices: [
    { name: "web", app: "http", ip: "192.168.77.60", options: { TCP_TCBS: 4 } },
    { name: "get", app: "get", board: "virtual-enc28j60", link: { loss: 1, delay: 5 } },
    { name: "noise", app: "flood" },
    { name: "asks", app: join(packageRoot, "test/device/asker") },
  ],
};
const folder = mkdtempSync(join(tmpdir(), "as-tcpip lan-"));
const file = join(folder, "lan.json");
writeFileSync(file, JSON.stringify(NETWORK));
test.after.always(() => rmSync(folder, { recursive: true }));

test.serial(
  "a lan.json on the command line: HTTP from device to device under a flood; by UDP a name and the time of this computer, through the gateway",
  async (t) => {
    const [time, names] = [await server(() => TIME), await server(gatewayIs)];
    const cli = new Cli([
      ...["sim", "--json", "--lan", file, "--net", `forward:${await freePort()}=web:80`],
      ...["--dns", `127.0.0.1:${names}`, "--host", `port=${portAsAddress(time)}`],
    ]);
    const said = (device: string, text: string): Promise<void> =>
      cli.line((line) => line.includes(`"device":"${device}"`) && line.includes(text));
    await said("web", "address 192.168.77.60");
    await said("get", "lease 192.168.77.51");
    await said("get", "GET 200: 26 bytes");
    await said("asks", "1 address");
    await said("asks", TIME_SAID);
    await said("asks", "page of ");
    const { code, stderr } = await cli.interrupt();
    t.is(stderr, "");
    t.is(code, 0);
  },
);

test.serial("the same lan.json by as-tcpip/testing, in virtual time", async (t) => {
  const PORT = 5123;
  const hosts = [{ name: "port", address: PORT }];
  const lan = await Lan.open(file, { seed: 3, hosts });
  const gateway = await lan.host("192.168.77.1");
  const [names, time] = [gateway.udp(53), gateway.udp(PORT)];
  const query = await names.receive();
  t.is(query.address, lan.named("asks").address);
  names.send(gatewayIs(query.data), query.address, query.port);
  const asked = await time.receive();
  time.send(TIME, asked.address, asked.port);
  t.is(await lan.named("asks").logged("time"), TIME_SAID);
  t.regex(await lan.named("asks").logged("page of"), /^page of [1-9]/);
  t.regex(await lan.named("get").logged(/^GET/), /^GET 200: 26 bytes/);
  // When the flood begins is left to the seed.
  await lan.until(() => (lan.named("web").counters["UDP_NO_PORT"] ?? 0) > 100, "the flood");
  lan.close();
});
