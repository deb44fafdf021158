import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { Cli, endCommands, freePort, runCli } from "../support/cli.js";

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

/** One answer to the question: the gateway's address, which is this computer. */
function thisComputer(query: Buffer): Buffer {
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 168, 77, 1]);
  const message = Buffer.concat([query, answer]);
  message.writeUInt16BE(0x8180, 2);
  message.writeUInt16BE(1, 6);
  return message;
}

test.serial(
  "three devices on one network: each of two gets a page of the third while the other floods it, and asks this computer for names and time",
  async (t) => {
    const time = await server(() => Buffer.from("efbeadde00000000", "hex"));
    const names = await server(thisComputer);
    const port = await freePort();
    const cli = new Cli([
      ...["sim", "--json", "--net", `forward:${port}=web:80`, "--dns", `127.0.0.1:${names}`],
      ...["--host", `port=0.0.${time >> 8}.${time & 255}`],
      ...["--device", "web=demo", "one=test/device/asker", "two=test/device/asker"],
    ]);
    const said = (device: string, text: string): Promise<void> =>
      cli.line((line) => line.includes(`"device":"${device}"`) && line.includes(text));
    for (const device of ["one", "two"]) {
      await said(device, "1 address");
      await said(device, "time deadbeef in 8 bytes");
      await said(device, "page of ");
    }
    await cli.line((line) => line.includes('"device":"web","address":"192.168.77.50"'));
    t.is((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
    const { code, stderr } = await cli.interrupt();
    t.is(stderr, "");
    t.is(code, 0);
  },
);

test.serial(
  "a lan.json: one device gets the page of another, over a link with loss, while a third floods it",
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "as-tcpip lan-"));
    const file = join(folder, "lan.json");
    const devices = [
      { name: "web", app: "http", ip: "192.168.77.60", options: { TCP_TCBS: 4 } },
      { name: "get", app: "get", board: "virtual-enc28j60", link: { loss: 1, delay: 5 } },
      { name: "noise", app: "flood" },
    ];
    writeFileSync(file, JSON.stringify({ net: `forward:${await freePort()}=web:80`, devices }));
    const run = await runCli("sim", "--lan", file, "--expect", "GET 200");
    rmSync(folder, { recursive: true });
    t.is(run.code, 0, run.stderr);
    t.regex(run.stdout, /web: address 192\.168\.77\.60/);
    t.regex(run.stdout, /get: lease 192\.168\.77\.51/);
    t.regex(run.stdout, /get: GET 200: 26 bytes/);
  },
);
