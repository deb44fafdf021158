import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createSocket } from "node:dgram";
import test from "ava";
import { UserError } from "../../host-tools/errors.js";
import { Gateway } from "../../host-tools/net/gateway.js";
import {
  HostedStack,
  hostedFirmware,
  POLLERR,
  POLLOUT,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../../host-tools/net/hosted-stack.js";
import type { Forward } from "../../host-tools/net/net-options.js";
import { EthernetSwitch } from "../../host-tools/net/switch.js";
import { Random } from "../../host-tools/sim/random.js";
import { RealClock } from "../../host-tools/sim/world-clock.js";
import { dial, freePort, readAll } from "../support/cli.js";
import { Peer, type Script } from "../support/peer.js";

const GATEWAY = 0xc0a84d01;
const DEVICE = 0xc0a84d02;
const ECONNREFUSED = 111;

interface Bench {
  gateway: Gateway;
  device: Peer;
  ports: number[];
  setAddress: (address: number | undefined) => void;
  close: () => void;
}

/** A gateway and, in place of a device, a second stack with scripts; host ports lead to the given device ports. */
async function bench(
  ...forwards: { protocol?: "tcp" | "udp"; devicePort: number }[]
): Promise<Bench> {
  const firmware = await hostedFirmware();
  const clock = new RealClock();
  const ethernet = new EthernetSwitch(clock);
  const mac = 0x0200_0000_0001;
  const port = ethernet.attach("gateway", (frame) => gateway.receive(frame));
  const stack = new HostedStack(firmware, {
    clock,
    mac,
    address: GATEWAY,
    seed: 1,
    send: port.send,
  });
  const deviceMac = 0x0200_0000_0002;
  const device = new Peer({
    firmware,
    clock,
    ethernet,
    mac: deviceMac,
    address: DEVICE,
    gateway: GATEWAY,
    seed: 2,
  });
  let address: number | undefined = DEVICE;
  const list: Forward[] = [];
  for (const { protocol = "tcp", devicePort } of forwards) {
    list.push({ protocol, hostPort: await freePort(), devicePort });
  }
  const subnet = { address: GATEWAY, mask: 0xffffff00 };
  const gateway = new Gateway({
    ...{ stack, clock, mac, subnet, send: port.send, forwards: list, device: () => address },
    // Other networks are this computer too.
    reach: () => "127.0.0.1",
  });
  await gateway.open();
  return {
    gateway,
    device,
    ports: list.map((forward) => forward.hostPort),
    setAddress: (value) => {
      address = value;
      gateway.progress();
    },
    close: () => {
      gateway.close();
      clock.stop();
    },
  };
}

function listen({ stack }: Peer, port: number): number {
  const fd = stack.socket(SOCK_STREAM);
  stack.bind(fd, 0, port);
  stack.listen(fd, 8);
  return fd;
}

/** Takes one connection and gives it to `serve`. */
function* server(peer: Peer, port: number, serve: (fd: number) => Script): Script {
  const listener = listen(peer, port);
  let fd = -1;
  yield () => (fd = peer.stack.accept(listener)) >= 0;
  yield* serve(fd);
}

async function hostServer(
  serve: (socket: Socket) => void,
): Promise<{ server: Server; port: number }> {
  const host = createServer({ allowHalfOpen: true }, serve).listen(0, "127.0.0.1");
  await once(host, "listening");
  return { server: host, port: (host.address() as AddressInfo).port };
}

function random(bytes: number): Buffer {
  const data = Buffer.alloc(bytes);
  new Random(bytes).fill(data);
  return data;
}

test("a forward: the device gets the host's bytes, sees its half-close, and answers after it", async (t) => {
  const { device, ports, close } = await bench({ devicePort: 80 });
  const data = random(1 << 20);
  let received: Buffer | undefined;
  device.run(
    server(device, 80, function* (fd) {
      received = yield* device.receive(fd);
      yield* device.send(fd, data.subarray(0, 300_000));
      device.stack.closeSocket(fd);
    }),
  );
  const socket = await dial(ports[0] as number);
  socket.end(data);
  const answer = await readAll(socket);
  t.is(Buffer.compare(received ?? Buffer.of(), data), 0);
  t.is(Buffer.compare(answer, data.subarray(0, 300_000)), 0);
  close();
});

test("a forward: the host sees the device's half-close, and can still send", async (t) => {
  const { device, ports, close } = await bench({ devicePort: 80 });
  const got = new Promise<Buffer>((resolve) => {
    device.run(
      server(device, 80, function* (fd) {
        yield* device.send(fd, Buffer.from("first"));
        device.stack.shutdown(fd, SHUT_WR);
        resolve(yield* device.receive(fd));
      }),
    );
  });
  const socket = await dial(ports[0] as number);
  t.is((await readAll(socket)).toString(), "first");
  socket.end("second");
  t.is((await got).toString(), "second");
  close();
});

test("a reset of the device resets the host's connection", async (t) => {
  const { device, ports, close } = await bench({ devicePort: 80 });
  device.run(
    server(device, 80, function* (fd) {
      yield* device.receive(fd, 1);
      device.stack.abort(fd);
    }),
  );
  const socket = await dial(ports[0] as number);
  socket.write("x");
  const error = (await t.throwsAsync(readAll(socket))) as NodeJS.ErrnoException;
  t.is(error.code, "ECONNRESET");
  close();
});

test("a reset of the host resets the device's connection", async (t) => {
  const { device, ports, close, gateway } = await bench({ devicePort: 80 });
  const reset = new Promise<boolean>((resolve) => {
    device.run(
      server(device, 80, function* (fd) {
        yield* device.send(fd, Buffer.from("x"));
        yield () => (device.stack.events(fd) & POLLERR) !== 0;
        resolve(true);
      }),
    );
  });
  const socket = await dial(ports[0] as number);
  await once(socket, "data");
  socket.resetAndDestroy();
  t.true(await reset);
  t.is(gateway.connections, 0);
  close();
});

test("a port that is closed on the device resets the host's connection", async (t) => {
  const { ports, close } = await bench({ devicePort: 81 });
  const error = (await t.throwsAsync(
    dial(ports[0] as number).then(readAll),
  )) as NodeJS.ErrnoException;
  t.is(error.code, "ECONNRESET");
  close();
});

test("clients wait while the device has no address", async (t) => {
  const { device, ports, gateway, setAddress, close } = await bench({ devicePort: 80 });
  setAddress(undefined);
  device.run(
    server(device, 80, function* (fd) {
      yield* device.send(fd, Buffer.from("hello"));
      device.stack.closeSocket(fd);
    }),
  );
  const socket = await dial(ports[0] as number);
  t.is(gateway.connections, 0);
  setAddress(DEVICE);
  t.is((await readAll(socket)).toString(), "hello");
  // The connection is still open in the other direction; the gateway's end ends it.
  const closed = once(socket, "close");
  close();
  socket.end("more");
  await closed;
});

for (const [name, address] of [
  ["the gateway's address reaches the same port of the host", GATEWAY],
  ["another network's host answers under its own address", 0xcb007105],
] as const)
  test(`a connection of the device to ${name}, both ways`, async (t) => {
    const { device, gateway, close } = await bench();
    const data = random(400_000);
    const { server: host, port } = await hostServer((socket) => socket.pipe(socket));
    const echoed = new Promise<Buffer>((resolve) => {
      device.run(
        (function* (): Script {
          const fd = yield* device.connect(address, port);
          device.run(
            (function* (): Script {
              yield* device.send(fd, data);
              device.stack.shutdown(fd, SHUT_WR);
            })(),
          );
          resolve(yield* device.receive(fd));
        })(),
      );
    });
    t.is(Buffer.compare(await echoed, data), 0);
    t.true(gateway.connections <= 1);
    host.close();
    close();
  });

test("the device's connection to a port where nobody listens is reset", async (t) => {
  const { device, close } = await bench();
  const port = await freePort();
  const refused = new Promise<boolean>((resolve) => {
    device.run(
      (function* (): Script {
        const fd = device.stack.socket(SOCK_STREAM);
        device.stack.connect(fd, GATEWAY, port);
        yield () => (device.stack.events(fd) & (POLLERR | POLLOUT)) !== 0;
        // Not open first and then reset: the host's refusal comes before any success.
        resolve(device.stack.takeError(fd) === ECONNREFUSED);
      })(),
    );
  });
  t.true(await refused);
  close();
});

test("UDP: each host peer gets the answers to its own datagrams", async (t) => {
  const { device, ports, close } = await bench({ protocol: "udp", devicePort: 7 });
  device.run(
    (function* (): Script {
      const fd = device.stack.socket(SOCK_DGRAM);
      device.stack.bind(fd, 0, 7);
      for (;;) {
        let bytes = -1;
        yield () => (bytes = device.stack.recvFrom(fd)) >= 0;
        const data = Buffer.from(device.stack.data(bytes));
        const { address, port } = device.stack.peer;
        device.stack.sendTo(fd, data, address, port);
      }
    })(),
  );
  const ask = async (text: string): Promise<string> => {
    const socket = createSocket("udp4");
    const answer = once(socket, "message") as Promise<[Buffer]>;
    // The first datagrams may be lost while both sides probe their addresses: a client asks again.
    const send = (): void => socket.send(text, ports[0] as number, "127.0.0.1");
    const again = setInterval(send, 1000);
    send();
    const [data] = await answer;
    clearInterval(again);
    socket.close();
    return data.toString();
  };
  // More peers than are remembered, one after the other and at the same time.
  for (let i = 0; i < 40; i++) t.is(await ask(`one ${i}`), `one ${i}`);
  t.deepEqual(await Promise.all(["seven", "eight", "nine"].map(ask)), ["seven", "eight", "nine"]);
  close();
});

test("a host port that is taken is the user's error, and names a way out", async (t) => {
  const { server: host, port } = await hostServer(() => undefined);
  const { gateway, close } = await bench();
  close();
  const forwards: Forward[] = [
    { protocol: "udp", hostPort: await freePort(), devicePort: 7 },
    { protocol: "tcp", hostPort: port, devicePort: 80 },
  ];
  const refused = new Gateway({ ...gateway["options"], forwards, device: () => undefined });
  const error = await t.throwsAsync(refused.open(), { instanceOf: UserError });
  refused.close();
  t.is(
    error?.message,
    `TCP port ${port} of 127.0.0.1 is in use; choose another: ` +
      `--net forward:udp:${forwards[0]?.hostPort}=7,${port + 1}=80 (behind 'npm start --')`,
  );
  host.close();
});

test("a host port that is taken gives way to the next free one where nobody asked for it", async (t) => {
  const { server: host, port } = await hostServer(() => undefined);
  const { gateway, close } = await bench();
  close();
  const forwards: Forward[] = [
    { protocol: "tcp", hostPort: port, devicePort: 80 },
    { protocol: "tcp", hostPort: port + 1, devicePort: 7 },
  ];
  const moved = new Gateway({ ...gateway["options"], forwards, movable: true });
  await moved.open();
  const [first, second] = moved.forwards.map(({ hostPort }) => hostPort) as [number, number];
  t.true(first > port + 1, "not the other's");
  t.true(second > port && second !== first);
  t.is(forwards[0]?.hostPort, port);
  moved.close();
  host.close();
});

test("more host clients than the gateway has room for are all served in turn", async (t) => {
  const { device, ports, gateway, close } = await bench({ devicePort: 80 });
  const listener = listen(device, 80);
  const serve = function* (fd: number): Script {
    const data = yield* device.receive(fd, 3);
    yield* device.send(fd, data);
    device.stack.closeSocket(fd);
  };
  device.run(
    (function* (): Script {
      for (;;) {
        let fd = -1;
        yield () => (fd = device.stack.accept(listener)) >= 0;
        device.run(serve(fd));
      }
    })(),
  );
  const answers = await Promise.all(
    Array.from({ length: 120 }, async (_, i) => {
      const socket = await dial(ports[0] as number);
      socket.end(String(100 + i));
      return (await readAll(socket)).toString();
    }),
  );
  t.deepEqual(
    answers,
    Array.from({ length: 120 }, (_, i) => String(100 + i)),
  );
  t.is(gateway.connections, 0);
  close();
});
