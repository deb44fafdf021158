import test from "ava";
import { POLLIN, StackHarness } from "../support/stack-harness.js";
import { RandomFrames } from "../support/random-frames.js";
import { TCP, pattern } from "../support/wire.js";

/** `npm run fuzz` asks for a million. */
const FRAMES = Number(process.env["FUZZ_FRAMES"] ?? 60_000);

for (const seed of [1, 2]) {
  test(`bad input: ${FRAMES} seeded frames of 0 to 1600 bytes, seed ${seed}: no trap, tables at their level, echo answers`, async (t) => {
    const stack = await StackHarness.quiet();
    const peer = stack.neighbour();
    const listeners = [7, 80].map((port) => stack.listen(port));
    stack.udpSocket(7);
    const before = stack.tables();
    const frames = new RandomFrames(seed, peer, [7, 80, 68]);
    for (let i = 0; i < FRAMES; i++) {
      const frame = frames.next();
      if (frame.length > 0 && frame.length <= 1514) stack.queue(frame);
      stack.run();
      stack.sent = [];
      if (i % 64 === 0) stack.advance(7);
      // What gets through a handshake by chance is closed, as a server would.
      for (const listener of listeners) {
        if ((stack.wasm.sysEvents(listener) & POLLIN) !== 0) {
          stack.wasm.sysAbort(stack.wasm.sysAccept(listener));
        }
      }
    }
    stack.advance(400_000);
    stack.take();
    t.deepEqual(stack.tables(), before);

    stack.inject(peer.arpRequest());
    stack.take();
    const [pong] = stack.exchange(peer.echo(pattern(100)));
    t.deepEqual(pong?.icmp?.data, pattern(100));
    const tuple = { sourcePort: 50000, destinationPort: 7, window: 4096 };
    const [synAck] = stack.exchange(peer.tcp({ ...tuple, seq: 100, ack: 0, flags: TCP.SYN }));
    const iss = synAck?.tcp?.seq ?? 0;
    t.is(synAck?.tcp?.ack, 101);
    stack.exchange(peer.tcp({ ...tuple, seq: 101, ack: iss + 1, flags: TCP.ACK }, pattern(10)));
    const fd = stack.wasm.sysAccept(listeners[0] as number);
    t.true(fd >= 0);
    t.deepEqual(stack.receive(fd), pattern(10));
  });
}
