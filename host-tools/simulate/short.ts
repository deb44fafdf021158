import type { Firmware } from "../build/compile.js";
import { EAGAIN, type HostedStack } from "../net/hosted-stack.js";
import { openSocket } from "./end.js";
import { ADDRESSES, Pair } from "./pair.js";
import { describeRule } from "./rules.js";
import { Violation } from "./violation.js";

const PORT = 7;
const SETTLE_MS = 2500;
/** Connections at a time. */
const PARALLEL = 4;
/** A connection over a good link is over within this time. */
const PATIENCE_MS = 10_000;
const LEVEL_MS = 500_000;
const REQUEST = new TextEncoder().encode("a short question");

/** What many short connections came to. */
export interface ShortResult {
  connections: number;
  frames: number;
  simulatedMs: number;
  /** Most records in use at a time, of both stacks. */
  most: { tcbs: number; synQueue: number; timeWait: number; sockets: number };
}

/**
 * Short connections, one after the other and four at a time: a question, its echo, and each time another one closes first. In the
 * end every table is empty and every descriptor is there again.
 */
export function shortConnections(firmware: Firmware, connections: number, seed = 1): ShortResult {
  // With no time at all between two connections of one port the second would have the first one's initial sequence number.
  const pair = new Pair({ firmware, seed, troubles: { delayMs: 1 } });
  const most = { tcbs: 0, synQueue: 0, timeWait: 0, sockets: 0 };
  const [client, server] = pair.stacks;
  const note = (stack: HostedStack): void => {
    const broken = describeRule(stack.brokenRule());
    if (broken !== undefined) throw new Violation("an invariant", broken);
    const { inUse } = stack;
    for (const table of Object.keys(most) as (keyof typeof most)[])
      most[table] = Math.max(most[table], inUse[table]);
  };
  const echo = new EchoServer(server);
  const asker = new Asker(client, connections);
  pair.until(() => false, SETTLE_MS);
  server.onProgress = () => {
    note(server);
    echo.poll();
  };
  client.onProgress = () => {
    note(client);
    asker.poll();
  };
  asker.poll();
  while (asker.done < connections) {
    const before = asker.done;
    const more = pair.until(() => asker.done !== before, PATIENCE_MS);
    if (!more) throw new Violation("a short connection ends", `after ${asker.done} connections`);
  }
  echo.close();
  const level = (): boolean =>
    pair.stacks.every(({ inUse }) => Object.values(inUse).every((used) => used === 0));
  if (!pair.until(level, LEVEL_MS)) throw new Violation("tables come back to their level");
  pair.close();
  const frames = pair.links[0].sent + pair.links[1].sent;
  return { connections, frames, simulatedMs: pair.nowMs, most };
}

/** Sends back what comes. Of every other connection it closes first, once the question has come. */
class EchoServer {
  private readonly listener: number;
  private readonly open = new Set<number>();
  private accepted = 0;

  constructor(private readonly stack: HostedStack) {
    this.listener = openSocket(stack);
    stack.bind(this.listener, 0, PORT);
    stack.listen(this.listener, 2 * PARALLEL);
  }

  poll(): void {
    for (let fd = this.stack.accept(this.listener); fd >= 0; fd = this.stack.accept(this.listener))
      this.open.add(fd);
    for (const fd of this.open) {
      const got = this.stack.recv(fd);
      if (got === -EAGAIN) continue;
      if (got > 0) {
        this.stack.send(fd, this.stack.data(got).slice());
        if (this.accepted++ % 2 === 0) continue;
      }
      this.open.delete(fd);
      const result = this.stack.closeSocket(fd);
      if (result < 0) throw new Violation("close succeeds", `${result} for ${fd}`);
    }
  }

  close(): void {
    for (const fd of this.open) this.stack.closeSocket(fd);
    this.open.clear();
    this.stack.closeSocket(this.listener);
  }
}

/** Asks, waits for the whole answer, closes, and begins anew. */
class Asker {
  done = 0;
  private begun = 0;
  private readonly open = new Map<number, { asked: boolean; received: number }>();

  constructor(
    private readonly stack: HostedStack,
    private readonly connections: number,
  ) {}

  poll(): void {
    for (const [fd, state] of this.open) this.go(fd, state);
    while (this.open.size < PARALLEL && this.begun < this.connections) {
      const fd = openSocket(this.stack);
      this.stack.connect(fd, ADDRESSES[1], PORT);
      this.open.set(fd, { asked: false, received: 0 });
      this.begun++;
    }
  }

  private go(fd: number, state: { asked: boolean; received: number }): void {
    if (!state.asked) {
      const sent = this.stack.send(fd, REQUEST);
      if (sent === -EAGAIN) return;
      if (sent !== REQUEST.length) throw new Violation("a question is sent", `send gives ${sent}`);
      state.asked = true;
    }
    const got = this.stack.recv(fd);
    if (got === -EAGAIN) return;
    if (got > 0) state.received += got;
    if (got > 0 && state.received < REQUEST.length) return;
    if (state.received !== REQUEST.length)
      throw new Violation("an answer comes whole", `recv gives ${got} after ${state.received}`);
    this.open.delete(fd);
    this.stack.closeSocket(fd);
    this.done++;
  }
}
