/** Reading and writing in the rings themselves. */
import test from "ava";
import { SOCK_DGRAM, type StackHarness } from "../support/stack-harness.js";
import { TcpPeer, deviceStack } from "../support/tcp-peer.js";
import { TIGHT } from "../support/option-sets.js";
import { pattern } from "../support/wire.js";

const [AGAIN, BADF, INVAL, NOTCONN, PIPE] = [-11, -9, -22, -107, -32];

/** What was borrowed, as recv() would have copied it. */
function borrowed(stack: StackHarness, fd: number): { bytes: number; spans: Uint8Array[] } {
  const at = stack.wasm.scratch() >>> 0;
  const bytes = stack.wasm.sysBorrow(fd, at);
  if (bytes < 0) return { bytes, spans: [] };
  const view = new DataView(stack.wasm.memory.buffer);
  const spans = [at, at + 8].map((span) =>
    new Uint8Array(
      stack.wasm.memory.buffer,
      view.getUint32(span, true),
      view.getUint32(span + 4, true),
    ).slice(),
  );
  return { bytes, spans };
}

const joined = (spans: Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(spans));

test("a connection's text is read where it lies, over the ring's end in two spans; giving it back opens the window", async (t) => {
  const stack = await deviceStack(TIGHT);
  const { wasm } = stack;
  const listener = stack.listen(80);
  const peer = TcpPeer.client(stack, stack.neighbour(), 5000, 80);
  const fd = wasm.sysAccept(listener);
  t.is(borrowed(stack, fd).bytes, AGAIN);
  const text = pattern(1600);
  peer.text(text.subarray(0, 800));
  const first = borrowed(stack, fd);
  t.is(first.bytes, 800);
  t.deepEqual(joined(first.spans), text.subarray(0, 800));
  // It is still there, and more comes behind it, not over it.
  peer.text(text.subarray(800, 1024));
  t.deepEqual(joined(borrowed(stack, fd).spans), text.subarray(0, 1024));
  t.is(peer.last?.window, 0);
  t.is(wasm.sysRelease(fd, 1025), INVAL);
  t.is(wasm.sysRelease(fd, 800), 0);
  stack.run();
  peer.heard();
  t.is(peer.last?.window, 800);
  peer.text(text.subarray(1024));
  const last = borrowed(stack, fd);
  t.deepEqual(
    last.spans.map(({ length }) => length),
    [224, 576],
  );
  t.deepEqual(joined(last.spans), text.subarray(800));
  t.is(wasm.sysRelease(fd, 800), 0);
  peer.text(new Uint8Array(0), "FA");
  t.is(borrowed(stack, fd).bytes, 0);
  t.is(wasm.sysRelease(fd, 1), INVAL);
});

test("text is written into the send ring itself, up to its end, and leaves as any other", async (t) => {
  const stack = await deviceStack(TIGHT);
  const { wasm } = stack;
  const listener = stack.listen(80);
  const peer = TcpPeer.client(stack, stack.neighbour(), 5000, 80);
  const fd = wasm.sysAccept(listener);
  const at = wasm.scratch() >>> 0;
  const room = (): number => wasm.sysSendRoom(fd, at);
  const write = (text: Uint8Array): number => {
    const to = new DataView(wasm.memory.buffer).getUint32(at, true);
    new Uint8Array(wasm.memory.buffer).set(text, to);
    return wasm.sysSendWritten(fd, text.length);
  };
  const text = pattern(1400);
  t.is(room(), 1024);
  t.is(write(text.subarray(0, 500)), 500);
  stack.run();
  t.deepEqual(
    Uint8Array.from(Buffer.concat(peer.segments().map(({ data }) => data))),
    text.subarray(0, 500),
  );
  t.is(room(), 524);
  t.is(wasm.sysSendWritten(fd, 525), INVAL);
  t.is(write(text.subarray(500, 1024)), 524);
  t.is(room(), AGAIN);
  stack.run();
  peer.segments();
  peer.acknowledge(1025);
  t.is(room(), 1024);
  t.is(write(text.subarray(1024)), 376);
  stack.run();
  t.deepEqual(
    Uint8Array.from(Buffer.concat(peer.segments().map(({ data }) => data))),
    text.subarray(1024),
  );
  wasm.sysShutdown(fd, 1);
  t.is(room(), PIPE);
  t.is(wasm.sysSendWritten(fd, 1), PIPE);
});

test("a datagram is read in place, one at a time; misuse", async (t) => {
  const stack = await deviceStack(TIGHT);
  const { wasm } = stack;
  const fd = stack.socket(SOCK_DGRAM);
  wasm.sysBind(fd, 0, 9);
  const at = wasm.scratch() >>> 0;
  for (const text of ["one", "other"]) {
    new Uint8Array(wasm.memory.buffer).set(Buffer.from(text), at);
    t.is(wasm.sysSendTo(fd, at, text.length, 0, 0x7f000001, 9), text.length);
    stack.run();
  }
  t.is(Buffer.from(joined(borrowed(stack, fd).spans)).toString(), "one");
  t.is(wasm.sysRelease(fd, 0), 0);
  t.is(Buffer.from(joined(borrowed(stack, fd).spans)).toString(), "other");
  t.is(wasm.sysRelease(fd, 5), 0);
  t.is(borrowed(stack, fd).bytes, AGAIN);
  t.is(wasm.sysSendRoom(fd, at), -95);
  wasm.sysClose(fd);
  t.is(wasm.sysBorrow(fd, at), BADF);
  t.is(wasm.sysRelease(stack.listen(80), 1), NOTCONN);
});
