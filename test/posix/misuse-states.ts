/** The states that a socket can be in: bad descriptors, and every kind from fresh to reset. */
import { DGRAM, RAW, SHUT, STREAM, UNIX, type Calls } from "./calls.js";
import { closedPort, datagram, listener, pair } from "./ends.js";

/** Brings a socket into a state: its descriptor. */
export interface State {
  title: string;
  make(c: Calls): Promise<number>;
  privileged?: boolean;
  /** Its addresses are names. */
  local?: boolean;
}

const state = (title: string, make: State["make"]): State => ({ title, make });
const local = (title: string, make: State["make"]): State => ({ title, make, local: true });
const raw = (title: string, make: State["make"]): State => ({ title, make, privileged: true });

/** Two ends of a connection; that it is open was told. */
const connection = async (c: Calls): Promise<{ a: number; b: number }> => {
  const ends = await pair(c);
  await c.connect(ends.a, ends.port);
  return ends;
};

/** A stream whose peer did something. */
const after = async (
  c: Calls,
  act: (c: Calls, ends: { a: number; b: number }) => Promise<unknown>,
): Promise<number> => {
  const ends = await connection(c);
  await act(c, ends);
  await c.pause();
  return ends.a;
};

const refused = async (c: Calls): Promise<number> => {
  const fd = await c.socket(STREAM);
  await c.connect(fd, await closedPort(c, STREAM));
  await c.pause();
  return fd;
};

const unixPair = async (c: Calls, type: number): Promise<{ a: number; b: number }> => {
  const [a, b] = (await c.socketpair(type)) as [number, number];
  return { a, b };
};

/** A socket of AF_UNIX with a name. */
export const unixNamed = async (c: Calls, type: number, name: string): Promise<number> => {
  const fd = await c.socket(type, 0, UNIX);
  await c.bindName(fd, name);
  return fd;
};

const peerOf = async (c: Calls): Promise<{ a: number; b: number }> => {
  const [x, y] = [await datagram(c), await datagram(c)];
  await c.connect(x.fd, y.port);
  await c.connect(y.fd, x.port);
  return { a: x.fd, b: y.fd };
};

const shut = (how: number) => (c: Calls, ends: { a: number }) => c.shutdown(ends.a, how);

/** Closed, and not the descriptor that a kernel gives out next. */
const closed = async (c: Calls, make: State["make"]): Promise<number> => {
  const others = [];
  while (others.length < 8) others.push(await c.socket(DGRAM));
  const fd = await make(c);
  await c.close(fd);
  for (const other of others) await c.close(other);
  return fd;
};

const DESCRIPTORS: State[] = [
  state("descriptor -1", () => Promise.resolve(-1)),
  state("the least descriptor", () => Promise.resolve(-0x80000000)),
  state("the greatest descriptor", () => Promise.resolve(0x7fffffff)),
  state("a descriptor that nobody has opened", () => Promise.resolve(777)),
  state("a closed stream socket", (c) => closed(c, () => c.socket(STREAM))),
  state("a closed connection", (c) => closed(c, async () => (await connection(c)).a)),
  state("a closed datagram socket", (c) => closed(c, async () => (await datagram(c)).fd)),
  state("the second descriptor of a connection, whose first one was closed", async (c) => {
    const { a } = await connection(c);
    const second = await c.dup(a);
    await c.close(a);
    return second;
  }),
  state("the first descriptor of a datagram socket, whose second one is open", (c) =>
    closed(c, async () => {
      const { fd } = await datagram(c);
      await c.dup(fd);
      return fd;
    }),
  ),
];

const STREAMS: State[] = [
  state("a fresh stream socket", (c) => c.socket(STREAM)),
  state("a bound stream socket", async (c) => {
    const fd = await c.socket(STREAM);
    await c.bind(fd, 0);
    return fd;
  }),
  state("a listener", async (c) => (await listener(c)).fd),
  state("a listener whom somebody waits for", async (c) => {
    const { fd, port } = await listener(c);
    await c.connect(await c.socket(STREAM), port);
    await c.pause();
    return fd;
  }),
  state("a connection", async (c) => (await connection(c)).a),
  state("a connection with text unread", (c) => after(c, (_, { b }) => c.send(b, "text"))),
  state("a connection that was shut for reading", (c) => after(c, shut(SHUT.RD))),
  state("a connection that was shut for writing", (c) => after(c, shut(SHUT.WR))),
  state("a connection that was shut both ways", (c) => after(c, shut(SHUT.RDWR))),
  state("a connection whose peer was shut for writing", (c) =>
    after(c, (_, { b }) => c.shutdown(b, SHUT.WR)),
  ),
  state("a connection that both ends have shut", (c) =>
    after(c, async (_, { a, b }) => {
      await c.shutdown(b, SHUT.WR);
      await c.shutdown(a, SHUT.WR);
    }),
  ),
  state("a connection whose peer has closed", (c) => after(c, (_, { b }) => c.close(b))),
  state("a connection that was reset", (c) =>
    after(c, async (_, { b }) => {
      await c.linger(b, 0);
      await c.close(b);
    }),
  ),
  state("a connection that was reset, and told so", (c) =>
    after(c, async (_, { a, b }) => {
      await c.linger(b, 0);
      await c.close(b);
      await c.pause();
      await c.recv(a);
    }),
  ),
  state("a refused attempt", refused),
  state("a refused attempt that was told", async (c) => {
    const fd = await refused(c);
    await c.recv(fd);
    return fd;
  }),
];

const DATAGRAMS: State[] = [
  state("a fresh datagram socket", (c) => c.socket(DGRAM)),
  state("a bound datagram socket", async (c) => (await datagram(c)).fd),
  state("a connected datagram socket", async (c) => (await peerOf(c)).a),
  state("a datagram socket with one to read", async (c) => {
    const { a, b } = await peerOf(c);
    await c.send(b, "text");
    return a;
  }),
  state("a datagram socket whose peer was unreachable", async (c) => {
    const { fd } = await datagram(c);
    await c.connect(fd, await closedPort(c, DGRAM));
    await c.send(fd, "lost");
    await c.pause();
    return fd;
  }),
  state("a datagram socket without a peer any more", async (c) => {
    const { a } = await peerOf(c);
    await c.dissolve(a);
    return a;
  }),
  ...([SHUT.RD, SHUT.WR, SHUT.RDWR] as const).map((how) =>
    state(`a datagram socket that was shut (${how})`, async (c) => {
      const { a } = await peerOf(c);
      await c.shutdown(a, how);
      return a;
    }),
  ),
];

const LOCAL_SOCKETS: State[] = [
  local("a fresh local stream", (c) => c.socket(STREAM, 0, UNIX)),
  local("a named local stream", (c) => unixNamed(c, STREAM, "named")),
  local("a local listener", async (c) => {
    const fd = await unixNamed(c, STREAM, "named");
    await c.listen(fd, 1);
    return fd;
  }),
  local("a local pair of streams", async (c) => (await unixPair(c, STREAM)).a),
  ...([SHUT.RD, SHUT.WR, SHUT.RDWR] as const).map((how) =>
    local(`a local stream that was shut (${how})`, async (c) => {
      const { a } = await unixPair(c, STREAM);
      await c.shutdown(a, how);
      return a;
    }),
  ),
  local("a local stream whose peer has closed", async (c) => {
    const { a, b } = await unixPair(c, STREAM);
    await c.close(b);
    return a;
  }),
  local("a local stream whose peer has closed with text unread", async (c) => {
    const { a, b } = await unixPair(c, STREAM);
    await c.send(a, "text");
    await c.close(b);
    return a;
  }),
  local("a fresh local datagram socket", (c) => c.socket(DGRAM, 0, UNIX)),
  local("a named local datagram socket", (c) => unixNamed(c, DGRAM, "named")),
  local("a local pair of datagrams", async (c) => (await unixPair(c, DGRAM)).a),
  local("a local datagram socket whose peer has closed", async (c) => {
    const { a, b } = await unixPair(c, DGRAM);
    await c.close(b);
    return a;
  }),
];

const RAW_SOCKETS: State[] = [
  raw("a fresh raw socket", (c) => c.socket(RAW, 253)),
  raw("a bound raw socket", async (c) => {
    const fd = await c.socket(RAW, 253);
    await c.bind(fd, 0);
    return fd;
  }),
  raw("a connected raw socket", async (c) => {
    const fd = await c.socket(RAW, 253);
    await c.connect(fd, 0);
    return fd;
  }),
];

export const STATES: State[] = [
  ...DESCRIPTORS,
  ...STREAMS,
  ...DATAGRAMS,
  ...LOCAL_SOCKETS,
  ...RAW_SOCKETS,
];
