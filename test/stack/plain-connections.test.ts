/**
 * Output and acknowledgments where all is plain (stack/tcp/output-plain.ts), and the bare segments at both ends of a connection
 * (stack/tcp/input-ends.ts), do what the general way does.
 */
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

/** Two stacks that listen, with the general way alone and with the shorter one. */
async function makeStacks(): Promise<StackHarness[]> {
  const stacks = [];
  for (const fast of [0, 1]) {
    const stack = await StackHarness.quiet({ options: { TCP_FAST_PATH: fast } });
    stack.neighbour();
    stack.listen(PORT);
    stacks.push(stack);
  }
  return stacks;
}

test("a connection does the same by the shorter way of output and acknowledgments as by the general one, whatever its ends do", async (t) => {
  const stacks = await makeStacks();
  const random = new Random(17);
  for (let run = 0; run < 40; run++) {
    const twin = Twin.open(stacks, 20_000 + run, random);
    for (let i = 0; i < 120; i++) step(twin, random);
    twin.give(TCP.RST | TCP.ACK);
    twin.both((stack, fd) => stack.wasm.sysAbort(fd));
  }
  t.pass();
});

/** A connection that begins and ends on both stacks in one of many ways, some of them no good. */
class Ending {
  private seq = 101;
  /** What the stacks have sent so far, and what is acknowledged of it. */
  private end = 0;
  private window = 8192;
  private readonly fds: number[] = [];
  private readonly stamps: boolean;
  private clock = 1000;

  constructor(
    private readonly stacks: StackHarness[],
    private readonly port: number,
    private readonly random: Random,
  ) {
    this.stamps = random.chance(0.5);
  }

  private both(act: (stack: StackHarness, index: number) => void): void {
    const [general, shorter] = this.stacks.map((stack, index) => {
      const counted = stack.counted(() => {
        act(stack, index);
        stack.run();
      });
      const frames = stack.take();
      for (const { tcp } of frames) {
        if (tcp?.destinationPort !== this.port) continue;
        const bits = (tcp.flags & TCP.SYN ? 1 : 0) + (tcp.flags & TCP.FIN ? 1 : 0);
        const end = (tcp.seq + tcp.data.length + bits) >>> 0;
        if (this.end === 0 || ((end - this.end) | 0) > 0) this.end = end;
      }
      const bytes = frames.map((frame) => Buffer.from(frame.bytes).toString("hex"));
      return JSON.stringify([counted, bytes]);
    });
    if (general !== shorter) throw new Error(`general: ${general}\nshorter: ${shorter}`);
  }

  /** Now and then it is older than the one before, or missing. */
  private timestamps(): { timestamps?: [number, number] } {
    if (!this.stamps || this.random.chance(0.05)) return {};
    this.clock += this.random.below(3);
    return { timestamps: [this.random.chance(0.1) ? this.clock - 5 : this.clock, 0] };
  }

  private give(flags: number, data: Uint8Array, seq: number, ack: number, broken = false): void {
    const options = this.timestamps();
    this.both((stack) => {
      const ports = { sourcePort: this.port, destinationPort: PORT };
      const segment = { ...ports, seq, ack, flags, window: this.window, options };
      const frame = stack.peer("192.168.7.9").tcp(segment, data);
      // In the checksum.
      if (broken) frame[51] = (frame[51] as number) ^ 1;
      stack.inject(frame);
    });
  }

  /** Now and then a number is not what it should be. */
  private near(value: number): number {
    return this.random.chance(0.85) ? value : (value + this.random.below(7) - 3) >>> 0;
  }

  private segment(flags: number, data: Uint8Array = new Uint8Array(0)): void {
    const { random } = this;
    const seq = this.near(this.seq);
    const broken = random.chance(0.1);
    if (random.chance(0.4)) this.window = random.below(3000);
    const push = random.chance(0.2) ? TCP.PSH : 0;
    this.give(flags | push, data, seq, this.near(this.end), broken);
    if (!broken && seq === this.seq) this.seq += data.length + (flags & TCP.FIN ? 1 : 0);
  }

  open(): void {
    this.both((stack) => void stack.neighbour());
    this.both((stack) => {
      const ports = { sourcePort: this.port, destinationPort: PORT };
      const stamps = this.stamps ? { timestamps: [this.clock, 0] as [number, number] } : {};
      const options = { mss: 1460, ...stamps };
      const segment = { ...ports, seq: 100, flags: TCP.SYN, window: 8192, options };
      stack.inject(stack.peer("192.168.7.9").tcp(segment));
    });
    const tries = 1 + this.random.below(3);
    for (let i = 0; i < tries; i++) {
      if (this.random.chance(0.2)) this.segment(TCP.ACK, pattern(5));
      else this.segment(TCP.ACK);
    }
    this.both((stack, index) => void (this.fds[index] = stack.wasm.sysAccept(LISTENER)));
  }

  step(): void {
    const { random, fds } = this;
    const fd = (index: number): number => fds[index] as number;
    switch (random.below(8)) {
      case 0:
        this.segment(TCP.ACK | TCP.FIN);
        return;
      case 1:
        this.segment(TCP.ACK, pattern(1 + random.below(50)));
        this.both((stack, index) => void (fd(index) >= 0 && stack.receive(fd(index))));
        return;
      case 2: {
        const bytes = 1 + random.below(3000);
        this.both((stack, index) => void (fd(index) >= 0 && stack.send(fd(index), pattern(bytes))));
        return;
      }
      case 3:
        if (random.chance(0.5)) this.both((stack, i) => void stack.wasm.sysShutdown(fd(i), 1));
        else this.both((stack, index) => void stack.wasm.sysClose(fd(index)));
        return;
      case 4: {
        const ms = random.below(random.chance(0.9) ? 50 : 1500);
        this.both((stack) => stack.advance(ms));
        return;
      }
      default:
        this.segment(TCP.ACK);
    }
  }

  close(): void {
    this.both((stack, index) => void stack.wasm.sysAbort(this.fds[index] as number));
    this.give(TCP.RST, new Uint8Array(0), this.seq, 0);
    this.both((stack) => stack.advance(100_000));
  }
}

test("connections begin and end the same by the shorter way as by the general one, whatever their peers do", async (t) => {
  const stacks = await makeStacks();
  const random = new Random(29);
  for (let run = 0; run < 400; run++) {
    const ending = new Ending(stacks, 20_000 + run, random);
    ending.open();
    for (let i = 0; i < 12; i++) ending.step();
    ending.close();
  }
  t.pass();
});
