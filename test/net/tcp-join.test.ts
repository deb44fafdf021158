import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import test from "ava";
import {
  EAGAIN,
  POLLERR,
  POLLIN,
  POLLOUT,
  type HostedStack,
} from "../../host-tools/net/hosted-stack.js";
import { TcpJoin } from "../../host-tools/net/tcp-join.js";

const FD = 5;

/** A socket of the stack with a send ring of `room` bytes, and what the peer has sent. */
class FakeStack {
  room = 0;
  incoming: (Buffer | "end")[] = [];
  failed = false;
  readonly calls: string[] = [];
  sent: Buffer = Buffer.alloc(0);
  private last: Buffer = Buffer.alloc(0);

  events(): number {
    if (this.failed) return POLLERR;
    return (this.room > 0 ? POLLOUT : 0) | (this.incoming.length > 0 ? POLLIN : 0);
  }

  send(_fd: number, data: Uint8Array): number {
    const bytes = Math.min(this.room, data.length);
    if (bytes === 0) return -EAGAIN;
    this.room -= bytes;
    this.sent = Buffer.concat([this.sent, data.subarray(0, bytes)]);
    return bytes;
  }

  recv(): number {
    const next = this.incoming.shift();
    if (next === undefined) return -EAGAIN;
    if (next === "end") return 0;
    this.last = next;
    return next.length;
  }

  data(): Uint8Array {
    return this.last;
  }

  shutdown(): number {
    return this.calls.push("shutdown");
  }

  closeSocket(): number {
    return this.calls.push("close");
  }

  abort(): number {
    return this.calls.push("abort");
  }
}

/** A host socket whose reader takes `capacity` bytes before it says that it is full. */
class FakeSocket extends Duplex {
  connecting = false;
  wasReset = false;
  readonly written: Buffer[] = [];
  private more: (() => void) | undefined;

  constructor(capacity: number) {
    super({ allowHalfOpen: true, writableHighWaterMark: capacity });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    this.more = done;
  }

  /** The reader takes what was written. */
  drainOne(): void {
    this.more?.();
  }

  setNoDelay(): void {}

  resetAndDestroy(): void {
    this.wasReset = true;
    this.destroy();
  }
}

interface Bench {
  stack: FakeStack;
  host: FakeSocket;
  join: TcpJoin;
  ended: () => boolean;
}

function bench(capacity = 1 << 16): Bench {
  const stack = new FakeStack();
  const host = new FakeSocket(capacity);
  let done = false;
  const join = new TcpJoin(
    stack as unknown as HostedStack,
    FD,
    host as unknown as Socket,
    () => (done = true),
  );
  return { stack, host, join, ended: () => done };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("back-pressure: a host that sends more than the stack takes is not read any further", async (t) => {
  const { stack, host, join } = bench();
  stack.room = 100;
  join.progress();
  host.push(Buffer.alloc(150, 1));
  await turn();
  host.push(Buffer.alloc(500, 2));
  await turn();
  t.is(stack.sent.length, 100);
  t.true(host.isPaused());
  t.is(host.readableLength, 500);
  stack.room = 1000;
  join.progress();
  await turn();
  t.is(stack.sent.length, 650);
  t.false(host.isPaused());
  t.deepEqual(stack.sent.subarray(150), Buffer.alloc(500, 2));
});

test("back-pressure: a stack that receives more than the host takes is not read any further", async (t) => {
  const { stack, host, join } = bench(1000);
  stack.room = 1;
  stack.incoming = Array.from({ length: 5 }, () => Buffer.alloc(600));
  join.progress();
  t.is(stack.incoming.length, 3);
  join.progress();
  t.is(stack.incoming.length, 3);
  host.drainOne();
  host.drainOne();
  await turn();
  t.is(stack.incoming.length, 1);
});

test("half-close of the host reaches the stack after the data, not before", async (t) => {
  const { stack, host, join, ended } = bench();
  stack.room = 10;
  join.progress();
  host.push(Buffer.alloc(20));
  host.push(null);
  await turn();
  t.deepEqual(stack.calls, []);
  stack.room = 10;
  join.progress();
  await turn();
  join.progress();
  t.is(stack.sent.length, 20);
  t.deepEqual(stack.calls, ["shutdown"]);
  t.false(ended());
  stack.incoming = ["end"];
  join.progress();
  t.deepEqual(stack.calls, ["shutdown", "close"]);
  t.true(ended());
});

test("data that the host sent before it finished both ways still reaches a slow stack", async (t) => {
  const { stack, host, join, ended } = bench();
  stack.room = 10;
  stack.incoming = ["end"];
  join.progress();
  host.push(Buffer.alloc(30));
  host.push(null);
  await turn();
  for (let i = 0; i < 4; i++) {
    stack.room = 10;
    join.progress();
    await turn();
  }
  t.is(stack.sent.length, 30);
  t.deepEqual(stack.calls, ["shutdown", "close"]);
  t.true(ended());
});

test("a failure of the stack's side resets the host's side, and the other way round", async (t) => {
  const first = bench();
  first.stack.failed = true;
  first.join.progress();
  t.true(first.host.wasReset);
  t.deepEqual(first.stack.calls, ["close"]);
  const second = bench();
  second.stack.room = 1;
  second.join.progress();
  second.host.destroy(new Error("reset"));
  await turn();
  t.deepEqual(second.stack.calls, ["abort"]);
  t.true(second.ended());
});

test("nothing is read from the stack before the host's side is connected", (t) => {
  const { stack, host, join } = bench();
  host.connecting = true;
  const late = new TcpJoin(
    stack as unknown as HostedStack,
    FD,
    host as unknown as Socket,
    () => undefined,
  );
  stack.room = 1;
  stack.incoming = [Buffer.from("x")];
  late.progress();
  t.is(stack.incoming.length, 1);
  host.emit("connect");
  t.is(stack.incoming.length, 0);
  join.destroy();
});
