/** A listener that nobody serves. */
import test from "ava";
import { TcpPeer, deviceStack } from "../support/tcp-peer.js";
import { pattern } from "../support/wire.js";

test("the full accept queue of a listener that nobody serves harms no other listener", async (t) => {
  const stack = await deviceStack();
  const unserved = stack.listen(80, 4);
  const served = stack.listen(81, 4);
  const host = stack.neighbour();
  for (let port = 5000; port < 5040; port++) {
    TcpPeer.client(stack, host, port, 80);
    if (port % 8 !== 0) continue;
    const peer = TcpPeer.client(stack, host, port + 1000, 81);
    const fd = stack.wasm.sysAccept(served);
    t.true(fd >= 0, `client ${port}: ${fd}`);
    if (fd < 0) break;
    peer.text(pattern(100));
    t.deepEqual(stack.receive(fd), pattern(100));
    stack.wasm.sysAbort(fd);
  }
  t.true(stack.wasm.sysAccept(unserved) >= 0);
});
