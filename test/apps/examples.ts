import { SOCK_DGRAM, SOCK_STREAM } from "../../host-tools/net/hosted-stack.js";
import { SOL_SOCKET, SO_BROADCAST } from "../../stack/posix.js";
import { Bench, DEVICE_ADDRESS, type BenchOptions, type Script } from "./bench.js";
import { Connection } from "./peer.js";

/** Numbers of the example programs in the image of all of them (test/device/examples). */
const NUMBERS = {
  "echo-blocking": 20,
  "echo-poll": 21,
  "echo-select": 22,
  "echo-epoll": 23,
  "echo-ring": 24,
  "echo-loop": 25,
  "worker-one": 26,
  "worker-shared": 27,
  "worker-reuseport": 28,
  iperf: 30,
  tftp: 31,
  "iperf-client": 32,
  syslog: 40,
  mail: 41,
  get: 42,
  mqtt: 43,
  console: 44,
  chat: 45,
  mqtt5: 46,
};

export type Example = keyof typeof NUMBERS;

/** A bench whose device runs an example. */
export function exampleBench(name: Example, options: BenchOptions = {}): Promise<Bench> {
  const ports = { http: NUMBERS[name], echo: 7 };
  return Bench.create({ app: "test/device/examples", ports, ...options });
}

/** A datagram socket of the bench's peer. */
export class Udp {
  private readonly fd: number;

  constructor(
    private readonly bench: Bench,
    port = 0,
  ) {
    const { stack } = bench.peer;
    this.fd = stack.socket(SOCK_DGRAM);
    stack.setOption(this.fd, SOL_SOCKET, SO_BROADCAST, 1);
    stack.bind(this.fd, 0, port);
  }

  send(data: Uint8Array, port: number, address = DEVICE_ADDRESS): number {
    return this.bench.peer.stack.sendTo(this.fd, data, address, port);
  }

  /** The next datagram, or null when none comes in time. */
  *receive(waitMs = 1000): Script<{ data: Buffer; port: number } | null> {
    const { bench } = this;
    const { stack } = bench.peer;
    const end = bench.nowMs + waitMs;
    bench.world.clock.schedule(waitMs * 1e6, () => stack.onProgress());
    let found: { data: Buffer; port: number } | null = null;
    yield () => {
      const bytes = stack.recvFrom(this.fd);
      if (bytes >= 0) found = { data: Buffer.from(stack.data(bytes)), port: stack.peer.port };
      return found !== null || bench.nowMs >= end - 1e-6;
    };
    return found;
  }

  close(): void {
    this.bench.peer.stack.closeSocket(this.fd);
  }
}

/** A TCP port of the bench's peer: a server for a device that is a client. */
export class Listener {
  private readonly fd: number;

  constructor(
    private readonly bench: Bench,
    port: number,
  ) {
    const { stack } = bench.peer;
    this.fd = stack.socket(SOCK_STREAM);
    stack.bind(this.fd, 0, port);
    stack.listen(this.fd, 4);
  }

  /** The next connection. */
  *accept(): Script<Connection> {
    const { stack } = this.bench.peer;
    let fd = -1;
    yield () => (fd = stack.accept(this.fd)) >= 0;
    return new Connection(stack, fd);
  }
}

/** Takes text up to and with a mark; empty when the connection has ended before. */
export function* takeUntil(connection: Connection, mark: string): Script<string> {
  yield* connection.receive((data) => data.includes(mark));
  const at = connection.received.indexOf(mark);
  return at < 0 ? "" : connection.take(at + mark.length).toString("latin1");
}

/** Lines of the device's log. */
export function lines(bench: Bench): string[] {
  return bench.world.log.map(({ text }) => text);
}
