import { join } from "node:path";
import test from "../conformance/proves.js";
import { compileFirmware } from "../../host-tools/build/compile.js";
import { hostedFirmware, POLLIN, SHUT_WR, SOCK_STREAM } from "../../host-tools/net/hosted-stack.js";
import { PERFECT } from "../../host-tools/net/link.js";
import { packageRoot } from "../../host-tools/root.js";
import { encodeSettings } from "../../host-tools/settings.js";
import { VirtualWorld } from "../../host-tools/sim/world-virtual.js";
import { Peer, type Script } from "../support/peer.js";

const DEVICE = 0xc0a84d02;
const PEER = 0xc0a84d03;

/** What the device of test/device/blocking expects of its peer, in its order. */
function* conversation(peer: Peer): Script {
  const listener = peer.stack.socket(SOCK_STREAM);
  peer.stack.bind(listener, 0, 4000);
  peer.stack.listen(listener, 4);
  yield* peer.sleep(3000);
  const fd = yield* peer.connect(DEVICE, 7);
  yield* peer.sleep(500);
  yield* peer.send(fd, new Uint8Array(5));
  yield* peer.receive(fd, 1);
  for (let i = 0; i < 3; i++) {
    yield* peer.sleep(100);
    yield* peer.send(fd, new Uint8Array(1000));
  }
  yield* peer.receive(fd, 5 * 8192);
  yield* peer.sleep(3000);
  peer.stack.shutdown(fd, SHUT_WR);
  yield* peer.receive(fd);
  peer.stack.closeSocket(fd);
  yield () => (peer.stack.events(listener) & POLLIN) !== 0;
  const called = peer.stack.accept(listener);
  yield* peer.sleep(1000);
  peer.stack.abort(called);
}

interface Step {
  result: number;
  ms: number;
}

async function run(board: string): Promise<{ steps: Map<number, Step>; text: string[] }> {
  const world = await VirtualWorld.create({
    firmware: await compileFirmware({ board, app: join(packageRoot, "test/device/blocking") }),
    settings: encodeSettings({
      mac: 0x0200_0000_0002,
      address: { address: DEVICE, mask: 0xffffff00, gateway: 0xc0a84d01, dns: 0 },
    }),
    seed: 3,
    impairments: PERFECT,
    timeoutNs: 120e9,
    expect: "done",
  });
  const peer = new Peer({
    firmware: await hostedFirmware(),
    clock: world.clock,
    ethernet: world.lan.ethernet,
    mac: 0x0200_0000_0003,
    address: PEER,
    seed: 5,
  });
  peer.run(conversation(peer));
  world.run();
  const steps = new Map<number, Step>();
  for (const { text } of world.log) {
    const found = /step (\d+) gives (-?\d+) after (\d+)/.exec(text);
    if (found) steps.set(Number(found[1]), { result: Number(found[2]), ms: Number(found[3]) });
  }
  return { steps, text: world.log.map((line) => line.text) };
}

/** Results, and the least and most milliseconds that the call may take. */
const EXPECTED: [step: number, what: string, result: number, least: number, most: number][] = [
  [1, "accept with SO_RCVTIMEO", -11, 300, 330],
  [2, "accept", 0, 500, 5000],
  [3, "recv waits for text", 5, 450, 600],
  [4, "recv with MSG_DONTWAIT", -11, 0, 5],
  [5, "recv with SO_RCVTIMEO", -11, 200, 230],
  [6, "recv with MSG_WAITALL", 3000, 250, 400],
  [7, "recv with O_NONBLOCK", -11, 0, 5],
  [8, "send takes all", 40960, 1, 2000],
  [9, "send with SO_SNDTIMEO", -11, 400, 2500],
  [10, "recv at the end of the stream", 0, 0, 4000],
  [11, "connect", 0, 0, 100],
  [12, "connect again", -106, 0, 100],
  [13, "getpeername", 0, 0, 100],
  [14, "getsockname", 0, 0, 100],
  [32, "send when the peer resets, after what went before was told", -104, 500, 1500],
  [33, "send after that", -32, 500, 1500],
  [15, "connect to a closed port", -111, 0, 100],
  [16, "connect with SO_SNDTIMEO", -115, 500, 530],
  [17, "connect to nobody", -113, 1000, 10_000],
  [18, "poll with a timeout", 0, 250, 280],
  [19, "poll without waiting", 0, 0, 5],
  [20, "poll of a descriptor that is not open", 1, 0, 5],
  [21, "its revents: POLLNVAL", 32, 0, 5],
  [22, "recvfrom with SO_RCVTIMEO", -11, 150, 180],
  [23, "setsockopt with too few bytes", -22, 0, 5],
  [24, "setsockopt", 0, 0, 5],
  [25, "getsockopt: TCP_NODELAY", 1, 0, 5],
  [26, "getsockopt: SO_RCVTIMEO", 1250, 0, 5],
  [27, "getsockopt: SO_LINGER off", 0, 0, 5],
  [28, "setsockopt: SO_LINGER", 0, 0, 5],
  [29, "getsockopt: SO_LINGER on", 1, 0, 5],
  [30, "getsockopt of an unknown option", -92, 0, 5],
  [31, "getsockopt of no descriptor", -9, 0, 5],
];

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  test(`${board}: blocking calls wait as long as POSIX says, in virtual time, and no longer`, async (t) => {
    const { steps, text } = await run(board);
    for (const [number, what, result, least, most] of EXPECTED) {
      const step = steps.get(number);
      t.is(step?.result, result, `${number} ${what}`);
      const ms = step?.ms ?? -1;
      t.true(ms >= least && ms <= most, `${number} ${what}: ${ms} ms`);
    }
    t.is(text.filter((line) => /peer 192\.168\.77\.3 port \d+ family 2/.test(line)).length, 2);
  });
}
