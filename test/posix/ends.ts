/** What behaviours are, and the sockets that they begin with. */
import { DGRAM, STREAM, type Calls } from "./calls.js";

export type Result = string | number | boolean;

export interface Behaviour {
  title: string;
  run(c: Calls): Promise<Result[]>;
  expect: Result[];
  ours?: Result[];
  /** The kernel permits this to some users only. */
  privileged?: boolean;
}

/** A listener of a free port. */
export async function listener(c: Calls, backlog = 4): Promise<{ fd: number; port: number }> {
  const fd = await c.socket(STREAM);
  await c.bind(fd, 0);
  await c.listen(fd, backlog);
  return { fd, port: await c.localPort(fd) };
}

/** Two ends of a connection. */
export async function pair(
  c: Calls,
): Promise<{ a: number; b: number; listen: number; port: number }> {
  const { fd, port } = await listener(c);
  const a = await c.socket(STREAM);
  await c.connect(a, port);
  return { a, b: await c.accept(fd), listen: fd, port };
}

/** A bound datagram socket. */
export async function datagram(c: Calls): Promise<{ fd: number; port: number }> {
  const fd = await c.socket(DGRAM);
  await c.bind(fd, 0);
  return { fd, port: await c.localPort(fd) };
}

/** A port where nobody listens. */
export async function closedPort(c: Calls, type: number): Promise<number> {
  const fd = await c.socket(type);
  await c.bind(fd, 0);
  const port = await c.localPort(fd);
  await c.close(fd);
  return port;
}
