import test from "ava";
import { hostedFirmware, SHUT_WR, SOCK_STREAM } from "../../host-tools/net/hosted-stack.js";
import { LinkDirection, PERFECT, type Impairments } from "../../host-tools/net/link.js";
import { EthernetSwitch } from "../../host-tools/net/switch.js";
import { Random } from "../../host-tools/sim/random.js";
import { VirtualClock } from "../../host-tools/sim/virtual-clock.js";
import { ADDRESSES, Pair } from "../../host-tools/simulate/pair.js";
import { Peer, type Script } from "../support/peer.js";
import { parseFrame } from "../support/wire-parse.js";

const SERVER = 0xc0a84d01;
const CLIENT = 0xc0a84d02;
const ACK = 0x10;

/** Two stacks whose every frame goes through an impaired link. */
async function pair(impairments: Partial<Impairments> = {}, seed = 1): Promise<Bench> {
  const firmware = await hostedFirmware();
  const clock = new VirtualClock();
  const near = new EthernetSwitch(clock);
  const far = new EthernetSwitch(clock);
  const link = { ...PERFECT, ...impairments };
  const nearPort = near.attach("cable", (frame) => there.send(frame));
  const farPort = far.attach("cable", (frame) => back.send(frame));
  const there = new LinkDirection(clock, link, seed, (frame, good) => good && farPort.send(frame));
  const back = new LinkDirection(
    clock,
    link,
    seed + 1,
    (frame, good) => good && nearPort.send(frame),
  );
  const client = new Peer({
    firmware,
    clock,
    ethernet: near,
    mac: 0x0200_0000_0002,
    address: CLIENT,
    seed: seed + 2,
  });
  const server = new Peer({
    firmware,
    clock,
    ethernet: far,
    mac: 0x0200_0000_0001,
    address: SERVER,
    seed: seed + 3,
  });
  return { clock, client, server };
}
interface Bench {
  clock: VirtualClock;
  client: Peer;
  server: Peer;
}

/** Runs the world until `done` or for ten simulated minutes. */
function until(clock: VirtualClock, done: () => boolean): void {
  while (!done() && clock.nowNs < 600e9 && clock.runNext());
}

/** An echo server for one connection. */
function* echo(peer: Peer, port: number): Script {
  const { stack } = peer;
  const listener = stack.socket(SOCK_STREAM);
  stack.bind(listener, 0, port);
  stack.listen(listener, 4);
  let fd = -1;
  yield () => (fd = stack.accept(listener)) >= 0;
  for (;;) {
    const data: Buffer = yield* peer.receive(fd, 1);
    if (data.length === 0) break;
    yield* peer.send(fd, data);
    const more = stack.recv(fd);
    if (more > 0) yield* peer.send(fd, Buffer.from(stack.data(more)));
  }
  stack.closeSocket(fd);
}

function* exchange(peer: Peer, data: Buffer, result: { echoed?: Buffer }): Script {
  const fd = yield* peer.connect(SERVER, 7);
  peer.run(
    (function* (): Script {
      yield* peer.send(fd, data);
      peer.stack.shutdown(fd, SHUT_WR);
    })(),
  );
  result.echoed = yield* peer.receive(fd);
  peer.stack.closeSocket(fd);
}

for (const [name, impairments, bytes] of [
  ["a perfect link", {}, 1 << 20],
  ["5 % loss", { lossPercent: 5, delayMs: 1 }, 1 << 17],
  [
    "loss, reordering, duplication and corruption",
    { lossPercent: 5, reorderPercent: 5, duplicatePercent: 2, corruptPercent: 1 },
    1 << 17,
  ],
] as const) {
  test(`two stacks: ${bytes} bytes come back identical through ${name}, then both close`, async (t) => {
    const { clock, client, server } = await pair(impairments, 7);
    const data = Buffer.alloc(bytes);
    new Random(bytes).fill(data);
    const result: { echoed?: Buffer } = {};
    server.run(echo(server, 7));
    client.run(exchange(client, data, result));
    until(clock, () => result.echoed !== undefined);
    t.is(Buffer.compare(result.echoed ?? Buffer.of(), data), 0);
    const end = clock.nowNs + 300e9;
    while (clock.nowNs < end && clock.runNext());
    for (const peer of [client, server]) {
      const { tcbs, synQueue, timeWait } = peer.stack.inUse;
      t.deepEqual({ tcbs, synQueue, timeWait }, { tcbs: 0, synQueue: 0, timeWait: 0 });
    }
  });
}

test("an application is asked before the stack answers: a flight that fills the ring is acknowledged with the window open again", async (t) => {
  const firmware = await hostedFirmware({ TCP_RX_BYTES: 8192, TCP_TX_BYTES: 8192 });
  const windows: number[] = [];
  const link = new Pair({
    ...{ firmware, seed: 1, troubles: { delayMs: 1 } },
    onFrame: (event, side, frame) => {
      const { tcp } = parseFrame(new Uint8Array(frame));
      if (event === "sent" && side === 1 && tcp?.flags === ACK) windows.push(tcp.window);
    },
  });
  const [from, to] = link.stacks;
  link.until(() => false, 3000);
  const listener = to.socket(SOCK_STREAM);
  to.bind(listener, 0, 9);
  to.listen(listener, 1);
  const fd = from.socket(SOCK_STREAM);
  from.connect(fd, ADDRESSES[1], 9);
  from.onProgress = () => {
    while (from.send(fd, new Uint8Array(8192)) > 0);
  };
  let accepted = -1;
  let bytes = 0;
  to.onProgress = () => {
    if (accepted < 0) accepted = to.accept(listener);
    if (accepted >= 0) bytes += Math.max(0, to.recv(accepted));
  };
  t.true(link.until(() => bytes > 1 << 17, 10_000));
  t.deepEqual([...new Set(windows)], [8192]);
  link.close();
});

test("frames that are no Ethernet frames are dropped and counted", async (t) => {
  const { client } = await pair();
  client.stack.receive(new Uint8Array(13));
  client.stack.receive(new Uint8Array(1515));
  t.is(client.stack.dropped, 2);
});
