/** Output and acknowledgments where all is plain (stack/tcp/output-plain.ts) do what the general way does. */
import test from "ava";
import { Random } from "../../host-tools/sim/random.js";
import { StackHarness } from "../support/stack-harness.js";
import { TCP, pattern } from "../support/wire.js";

const PORT = 80;
/** The first descriptor of a stack. */
const LISTENER = 0;
const TCP_NODELAY = 1;
const IPPROTO_TCP = 6;
const MSG_MORE = 0x8000;

/** The same connection on two stacks, with the general way alone and with the shorter one; whatever one does the other must do. */
class Twin {
  private readonly fds: number[];

  private constructor(
    readonly stacks: StackHarness[],
    private readonly port: number,
    private readonly stamps: boolean,
    private seq: number,
    iss: number,
    fds: number[],
  ) {
    this.fds = fds;
    this.end = (iss + 1) >>> 0;
    this.una = this.end;
  }

  /** Ends of what was sent, and what is acknowledged. */
  end: number;
  una: number;
  window = 8192;
  clock = 1000;

  static open(stacks: StackHarness[], port: number, random: Random): Twin {
    const stamps = random.chance(0.5);
    const options = {
      mss: random.chance(0.5) ? 1460 : 300,
      sackPermitted: random.chance(0.6),
      ...(random.chance(0.5) ? { windowScale: 2 } : {}),
      ...(stamps ? { timestamps: [1000, 0] as [number, number] } : {}),
    };
    const isses = stacks.map((stack) => {
      const [answer] = stack.exchange(
        stack.peer("192.168.7.9").tcp({
          sourcePort: port,
          destinationPort: PORT,
          seq: 100,
          flags: TCP.SYN,
          window: 8192,
          options,
        }),
      );
      return answer?.tcp?.seq ?? 0;
    });
    if (isses[0] !== isses[1]) throw new Error("the stacks differ before the test");
    const twin = new Twin(stacks, port, stamps, 101, isses[0] as number, []);
    twin.give(TCP.ACK);
    for (const stack of stacks) twin.fds.push(stack.wasm.sysAccept(LISTENER));
    return twin;
  }

  /** Does the same on both and returns what they have sent, which is the same. */
  both(act: (stack: StackHarness, fd: number) => void): string {
    const shown = this.stacks.map((stack, i) => {
      const counted = stack.counted(() => act(stack, this.fds[i] as number));
      const frames = stack.take();
      for (const { tcp } of frames) {
        const end = ((tcp?.seq ?? 0) + (tcp?.data.length ?? 0)) >>> 0;
        if (((end - this.end) | 0) > 0) this.end = end;
      }
      return JSON.stringify([
        counted,
        frames.map(({ bytes }) => Buffer.from(bytes).toString("hex")),
      ]);
    });
    if (shown[0] !== shown[1]) throw new Error(`general: ${shown[0]}\nshorter: ${shown[1]}`);
    return shown[0] as string;
  }

  give(flags: number, data: Uint8Array = new Uint8Array(0), sack?: [number, number][]): string {
    const options = {
      ...(this.stamps ? { timestamps: [++this.clock, 0] as [number, number] } : {}),
      ...(sack ? { sack } : {}),
    };
    const shown = this.both((stack) =>
      stack.inject(
        stack.peer("192.168.7.9").tcp(
          {
            sourcePort: this.port,
            destinationPort: PORT,
            seq: this.seq,
            ack: this.una,
            flags,
            window: this.window,
            options,
          },
          data,
        ),
      ),
    );
    this.seq += data.length;
    return shown;
  }
}

/** One thing that an application, a peer or time does. */
function step(twin: Twin, random: Random): void {
  const flight = (twin.end - twin.una) | 0;
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2: {
      const bytes = 1 + random.below(random.chance(0.5) ? 100 : 4000);
      const flags = random.chance(0.1) ? MSG_MORE : 0;
      twin.both((stack, fd) => {
        stack.send(fd, pattern(bytes), flags);
        stack.run();
      });
      return;
    }
    case 3:
      twin.give(TCP.ACK);
      return;
    case 4:
      twin.give(TCP.ACK | TCP.PSH, pattern(1 + random.below(700)));
      twin.both((stack, fd) => stack.receive(fd));
      return;
    case 5:
      if (random.chance(0.3)) {
        const on = random.below(2);
        twin.both((stack, fd) => stack.wasm.sysSetOption(fd, IPPROTO_TCP, TCP_NODELAY, on));
      } else twin.both((stack) => stack.advance(7));
      return;
    case 6: {
      const ms = random.below(random.chance(0.8) ? 60 : 2500);
      twin.both((stack) => stack.advance(ms));
      return;
    }
    default:
      // All, a part, or (a hole) nothing but what lies behind a part.
      if (random.chance(0.2)) twin.window = random.below(20_000);
      if (flight > 2 && random.chance(0.15)) {
        const left = (twin.una + 1 + random.below(flight - 2)) >>> 0;
        for (let i = 0; i < 3; i++) twin.give(TCP.ACK, undefined, [[left, twin.end]]);
      }
      twin.una = (twin.una + (random.chance(0.7) ? flight : random.below(flight + 1))) >>> 0;
      twin.give(TCP.ACK);
  }
}

test("a connection does the same by the shorter way of output and acknowledgments as by the general one, whatever its ends do", async (t) => {
  const make = (fast: number): Promise<StackHarness> =>
    StackHarness.quiet({ options: { TCP_FAST_PATH: fast } });
  const stacks = [await make(0), await make(1)];
  for (const stack of stacks) {
    stack.neighbour();
    t.is(stack.listen(PORT), LISTENER);
  }
  const random = new Random(17);
  for (let run = 0; run < 40; run++) {
    const twin = Twin.open(stacks, 20_000 + run, random);
    for (let i = 0; i < 120; i++) step(twin, random);
    twin.give(TCP.RST | TCP.ACK);
    twin.both((stack, fd) => stack.wasm.sysAbort(fd));
  }
  t.pass();
});
