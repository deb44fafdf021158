/** Static routes (ROUTES): the longest prefix decides where a packet goes (RFC 1122 3.3.1.2, RFC 1812 5.2.4.3). */
import test from "ava";
import { ERRNO, STACK_ADDRESS, type StackHarness } from "../support/stack-harness.js";
import { deviceStack } from "../support/tcp-peer.js";
import { ip, pattern } from "../support/wire.js";

const GATEWAY = "02:00:00:00:01:01";
const [OTHER, THIRD] = ["02:00:00:00:01:09", "02:00:00:00:01:0a"];

/** A stack with its gateway 192.168.7.1 and two more routers, 192.168.7.9 and .10, in its ARP cache. */
async function routed(gateway = ip("192.168.7.1")): Promise<StackHarness> {
  const stack = await deviceStack({ ROUTES: 3 }, { gateway });
  stack.neighbour("192.168.7.1", GATEWAY);
  stack.neighbour("192.168.7.9", OTHER);
  stack.neighbour("192.168.7.10", THIRD);
  return stack;
}

const add = (stack: StackHarness, network: string, mask: string, gateway: string): number =>
  stack.wasm.sysRouteAdd(ip(network), ip(mask), ip(gateway));

/** MAC that a datagram to an address is sent to, or the error. */
function by(stack: StackHarness, address: string): string | number {
  const fd = stack.udpSocket();
  stack.take();
  const result = stack.sendTo(fd, pattern(4), ip(address), 9);
  const sent = stack.take();
  stack.wasm.sysClose(fd);
  return result < 0 ? result : (sent.at(-1)?.destination ?? "nothing");
}

test("the longest prefix decides, whatever the order of the table", async (t) => {
  const stack = await routed();
  t.is(by(stack, "10.1.2.3"), GATEWAY);
  t.is(add(stack, "10.1.0.0", "255.255.0.0", "192.168.7.10"), 0);
  t.is(add(stack, "10.0.0.0", "255.0.0.0", "192.168.7.9"), 0);
  t.is(by(stack, "10.1.2.3"), THIRD);
  t.is(by(stack, "10.2.2.3"), OTHER);
  t.is(by(stack, "11.0.0.1"), GATEWAY);
  t.is(stack.wasm.sysRouteDelete(ip("10.1.0.0"), ip("255.255.0.0")), 0);
  t.is(by(stack, "10.1.2.3"), OTHER);
});

test("a host of our own subnet is reached directly, unless a longer prefix says otherwise", async (t) => {
  const stack = await routed();
  stack.neighbour("192.168.7.77", "02:00:00:00:00:77");
  t.is(add(stack, "192.168.0.0", "255.255.0.0", "192.168.7.9"), 0);
  t.is(by(stack, "192.168.7.77"), "02:00:00:00:00:77");
  t.is(by(stack, "192.168.8.77"), OTHER);
  t.is(add(stack, "192.168.7.77", "255.255.255.255", "192.168.7.10"), 0);
  t.is(by(stack, "192.168.7.77"), THIRD);
});

test("without a gateway there is a route only where one was added", async (t) => {
  const stack = await routed(0);
  t.is(by(stack, "10.0.0.1"), -ERRNO.ENETUNREACH);
  t.is(add(stack, "10.0.0.0", "255.0.0.0", "192.168.7.9"), 0);
  t.is(by(stack, "10.0.0.1"), OTHER);
  t.is(by(stack, "11.0.0.1"), -ERRNO.ENETUNREACH);
  t.is(add(stack, "0.0.0.0", "0.0.0.0", "192.168.7.10"), 0);
  t.is(by(stack, "11.0.0.1"), THIRD);
});

test("a packet goes by a better route as soon as that is added, also behind others to the same host", async (t) => {
  const stack = await routed();
  t.is(add(stack, "10.0.0.0", "255.0.0.0", "192.168.7.9"), 0);
  const fd = stack.udpSocket();
  const sent = (): string | undefined => {
    stack.take();
    stack.sendTo(fd, pattern(4), ip("10.0.0.5"), 9);
    return stack.take().at(-1)?.destination;
  };
  t.is(sent(), OTHER);
  t.is(sent(), OTHER);
  t.is(add(stack, "10.0.0.5", "255.255.255.255", "192.168.7.10"), 0);
  t.is(sent(), THIRD);
});

test("a route counts while its gateway is in our subnet", async (t) => {
  const stack = await routed();
  t.is(add(stack, "10.0.0.0", "255.0.0.0", "192.168.99.1"), 0);
  t.is(by(stack, "10.0.0.1"), GATEWAY);
});

test("misuse: EINVAL, EEXIST, ENOBUFS, ESRCH", async (t) => {
  const stack = await routed();
  t.is(add(stack, "10.0.0.1", "255.0.0.0", "192.168.7.9"), -ERRNO.EINVAL);
  t.is(add(stack, "10.0.0.0", "255.0.255.0", "192.168.7.9"), -ERRNO.EINVAL);
  t.is(add(stack, "10.0.0.0", "255.0.0.0", "0.0.0.0"), -ERRNO.EINVAL);
  t.is(add(stack, "10.0.0.0", "255.0.0.0", "224.0.0.1"), -ERRNO.EINVAL);
  t.is(stack.wasm.sysRouteDelete(ip("10.0.0.0"), ip("255.0.0.0")), -ERRNO.ESRCH);
  for (const network of ["10.0.0.0", "11.0.0.0", "12.0.0.0"])
    t.is(add(stack, network, "255.0.0.0", "192.168.7.9"), 0);
  t.is(add(stack, "10.0.0.0", "255.0.0.0", "192.168.7.10"), -ERRNO.EEXIST);
  t.is(add(stack, "13.0.0.0", "255.0.0.0", "192.168.7.9"), -ERRNO.ENOBUFS);
  t.is(stack.address, STACK_ADDRESS);
});
