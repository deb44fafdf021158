/** Servers for names with two interfaces (INTERFACES 2): whose are asked, and by which link. */
import test from "ava";
import { StackHarness } from "../support/stack-harness.js";
import { ip } from "../support/wire.js";

const ADDRESSES = [ip("192.168.7.2"), ip("10.5.0.2")] as const;
const ROUTERS = ["192.168.7.1", "10.5.0.1"] as const;
const SERVERS = [ip("198.51.100.53"), ip("203.0.113.53")] as const;
const LANS = [0, 1] as const;

class Names {
  private constructor(readonly stack: StackHarness) {}

  static async create(secondGateway = ip(ROUTERS[1])): Promise<Names> {
    const stack = await StackHarness.create({
      options: { INTERFACES: 2 },
      address: ADDRESSES[0],
      gateway: ip(ROUTERS[0]),
      second: { mac: "02:00:00:00:00:bb", address: ADDRESSES[1], gateway: secondGateway },
    });
    stack.advance(5000);
    for (const lan of LANS) stack.on(lan).neighbour(ROUTERS[lan], `02:00:00:00:0${lan}:01`);
    return new Names(stack);
  }

  /** The questions for a name that leave within `ms`, on each link: the server and our address. */
  asked(of: string, ms = 0): (number | undefined)[][][] {
    const { wasm } = this.stack;
    for (const lan of LANS) this.stack.on(lan).take();
    const at = wasm.scratch() >>> 0;
    new Uint8Array(wasm.memory.buffer).set(Buffer.from(of), at);
    wasm.nameLookup(at, of.length, at + 1024, 4);
    this.stack.advance(ms);
    return LANS.map((lan) =>
      this.stack
        .on(lan)
        .take()
        .filter((frame) => frame.udp?.destinationPort === 53)
        .map((frame) => [frame.ip?.destination, frame.ip?.source]),
    );
  }
}

test("a server is asked by the interface that has learned of it: it may answer its own network alone", async (t) => {
  for (const lan of LANS) {
    const names = await Names.create();
    names.stack.wasm.nameServersOf(lan, SERVERS[lan], 0);
    const expected = LANS.map((on) => (on === lan ? [[SERVERS[lan], ADDRESSES[lan]]] : []));
    t.deepEqual(names.asked("a.example"), expected);
  }
});

test("where that interface has no way to the server another one has", async (t) => {
  const names = await Names.create(0);
  names.stack.wasm.nameServersOf(1, SERVERS[1], 0);
  t.deepEqual(names.asked("a.example"), [[[SERVERS[1], ADDRESSES[0]]], []]);
});

test("both have servers: those of the first, and of the second while the first has no link", async (t) => {
  const names = await Names.create();
  for (const lan of LANS) names.stack.wasm.nameServersOf(lan, SERVERS[lan], 0);
  const [first, second] = LANS.map((lan) => [SERVERS[lan], ADDRESSES[lan]]);
  t.deepEqual(names.asked("a.example"), [[first], []]);
  names.stack.wasm.linkChanged(0);
  t.deepEqual(names.asked("b.example"), [[], [second]]);
  // What the first has not answered goes there with the next try, as the other question does.
  t.deepEqual(names.asked("a.example", 2001), [[], [second, second]]);
  names.stack.wasm.linkChangedSecond(0);
  names.stack.wasm.linkChanged(1);
  names.stack.on(0).neighbour(ROUTERS[0], "02:00:00:00:00:01");
  t.deepEqual(names.asked("c.example"), [[first], []]);
});
