import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { hostedFirmware } from "../../host-tools/net/hosted-stack.js";
import { StreamAdapter } from "../../host-tools/net/stream.js";
import { EthernetSwitch } from "../../host-tools/net/switch.js";
import { Random } from "../../host-tools/sim/random.js";
import { RealClock } from "../../host-tools/sim/world-clock.js";
import { Cli, endCommands } from "../support/cli.js";
import { Peer, type Script } from "../support/peer.js";

test.after.always(endCommands);

const DEVICE = 0xc0a84d02;
const folder = mkdtempSync(join(tmpdir(), "as-tcpip-stream-"));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

/** Another program with a network of its own: a peer behind a stream of frames. */
async function program(path: string): Promise<{ peer: Peer; close: () => void }> {
  const clock = new RealClock();
  const ethernet = new EthernetSwitch(clock);
  const adapter = await StreamAdapter.open({ listen: true, path }, ethernet);
  const firmware = await hostedFirmware();
  const mac = 0x0200_0000_0009;
  const peer = new Peer({ firmware, clock, ethernet, mac, address: 0xc0a84d01, seed: 9 });
  const close = (): void => {
    adapter.close();
    peer.stack.close();
    clock.stop();
  };
  return { peer, close };
}

test("over --net stream: another program's stack talks to the device; when it goes, the command ends", async (t) => {
  const path = join(folder, "frames.sock");
  const { peer, close } = await program(path);
  const cli = new Cli(["sim", "--json", "--net", `stream:${path}`, "--ip", "192.168.77.2/24"]);
  await cli.line((line) => line.includes("link up"));
  const data = Buffer.alloc(100_000);
  new Random(4).fill(data);
  const echoed = new Promise<Buffer>((resolve) => {
    peer.run(
      (function* (): Script {
        const fd = yield* peer.connect(DEVICE, 7);
        peer.run(peer.send(fd, data));
        resolve(yield* peer.receive(fd, data.length));
      })(),
    );
  });
  t.is(Buffer.compare(await echoed, data), 0);
  close();
  const { code, stderr } = await cli.ended;
  t.is(code, 1);
  t.is(stderr, `as-tcpip: the other side of ${path} has closed the connection\n`);
});
