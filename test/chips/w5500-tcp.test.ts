/** The W5500's own TCP (data sheet 4.2: Sn_CR, Sn_IR, Sn_SR), with our stack at the other end of the cable. */
import test, { type ExecutionContext } from "ava";
import { POLLHUP, SOCK_STREAM, type HostedStack } from "../../host-tools/net/hosted-stack.js";
import { ECONNREFUSED } from "../../stack/errors.js";
import { concat, pattern, TCP } from "../../host-tools/testing/wire.js";
import { COMMON, S0, socketBlock } from "../support/w5500.js";
import { CHIP, CR, IR, PEER, SocketHost, SR } from "../support/w5500-sockets.js";

const MODE_TCP = 1;
const NO_DELAYED_ACK = 0x20;

/** Until it is so, no longer than `ms` of simulated time. */
function until(host: SocketHost, so: () => boolean, ms = 10_000): boolean {
  for (let i = 0; i < ms && !so(); i++) host.wait(1);
  return so();
}

/** Socket 1 of the chip serves port 80; a socket of the peer is connected to it. */
async function served(
  t: ExecutionContext,
  loss = 0,
  mode = MODE_TCP,
): Promise<{ host: SocketHost; peer: HostedStack; fd: number }> {
  const host = new SocketHost();
  const peer = await host.peer(loss);
  host.open(1, mode, 80);
  t.is(host.status(1), SR.INIT);
  host.command(1, CR.LISTEN);
  t.is(host.status(1), SR.LISTEN);
  const fd = peer.socket(SOCK_STREAM);
  peer.connect(fd, CHIP.address, 80);
  t.true(host.take(1, IR.CON, 30_000));
  t.is(host.status(1), SR.ESTABLISHED);
  return { host, peer, fd };
}

/** `data` goes through the connection both ways at once. */
function exchange(
  t: ExecutionContext,
  { host, peer, fd }: { host: SocketHost; peer: HostedStack; fd: number },
  data: Uint8Array,
  ms: number,
): void {
  let given = 0;
  let sent = 0;
  const chipGot: Uint8Array[] = [];
  const peerGot: Uint8Array[] = [];
  const size = (parts: Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);
  let free = true;
  const done = until(
    host,
    () => {
      const taken = peer.send(fd, data.subarray(given));
      if (taken > 0) given += taken;
      chipGot.push(host.recv(1));
      free ||= host.take(1, IR.SENDOK, 0.1);
      if (free && sent < data.length) {
        const bytes = host.send(1, data.subarray(sent, sent + 700));
        free = bytes === 0;
        sent += bytes;
      }
      const got = peer.recv(fd);
      if (got > 0) peerGot.push(Uint8Array.from(peer.data(got)));
      return size(chipGot) >= data.length && size(peerGot) >= data.length;
    },
    ms,
  );
  t.true(done, `${size(chipGot)} and ${size(peerGot)} of ${data.length} bytes`);
  t.deepEqual(concat(...chipGot), data);
  t.deepEqual(concat(...peerGot), data);
}

test("a server on socket 1: LISTEN, SYN, ESTABLISHED with CON and the peer's address; the peer closes: DISCON, CLOSE_WAIT, CLOSED", async (t) => {
  const made = await served(t);
  const { host, peer, fd } = made;
  t.deepEqual(host.spi.read(socketBlock(1), 0x0c, 4), [192, 0, 2, 1]);
  t.is(host.get16(1, 0x10), peer.localPort(fd));
  t.is(host.get16(1, 0x12), 1460);
  exchange(t, made, pattern(20_000), 60_000);
  peer.shutdown(fd, 1);
  t.true(host.take(1, IR.DISCON));
  t.is(host.status(1), SR.CLOSE_WAIT);
  // What is left may still be sent.
  host.send(1, pattern(50));
  t.true(host.take(1, IR.SENDOK));
  host.command(1, CR.DISCON);
  t.true(until(host, () => host.status(1) === SR.CLOSED));
  t.is(peer.recv(fd), 50);
  t.is(peer.recv(fd), 0);
  t.deepEqual(
    host.sent.flatMap(({ problems }) => problems),
    [],
  );
});

for (const mode of [MODE_TCP, MODE_TCP | NO_DELAYED_ACK]) {
  test(`bytes are whole and in order though a twentieth of all frames is lost, Sn_MR 0x${mode.toString(16)}`, async (t) => {
    exchange(t, await served(t, 0.05, mode), pattern(12_000), 400_000);
  });
}

test("a client: CONNECT asks by ARP, SYNSENT, ESTABLISHED; DISCON: FIN_WAIT, TIME_WAIT, CLOSED", async (t) => {
  const host = new SocketHost();
  const peer = await host.peer();
  const listener = peer.socket(SOCK_STREAM);
  peer.bind(listener, 0, 8080);
  peer.listen(listener, 1);
  host.open(1, MODE_TCP, 5001);
  host.to(1, PEER.address, 8080);
  host.command(1, CR.CONNECT);
  t.is(host.status(1), SR.SYNSENT);
  t.true(host.take(1, IR.CON));
  host.wait(1);
  const fd = peer.accept(listener);
  t.true(fd >= 0);
  t.is(peer.peerPort(fd), 5001);
  exchange(t, { host, peer, fd }, pattern(5000), 20_000);
  host.command(1, CR.DISCON);
  t.is(host.status(1), SR.FIN_WAIT);
  host.wait(50);
  t.is(peer.recv(fd), 0);
  peer.send(fd, pattern(20));
  host.wait(50);
  t.is(host.get16(1, 0x26), 20);
  peer.closeSocket(fd);
  host.wait(10);
  t.is(host.status(1), SR.TIME_WAIT);
  t.true(until(host, () => host.status(1) === SR.CLOSED));
  t.is(host.flags(1) & IR.TIMEOUT, 0);
});

test("a client that is refused is CLOSED; one whom nobody answers too, with TIMEOUT, when RTR has doubled RCR times", async (t) => {
  const host = new SocketHost();
  await host.peer();
  host.open(1, MODE_TCP, 5001);
  host.to(1, PEER.address, 9);
  host.command(1, CR.CONNECT);
  t.true(until(host, () => host.status(1) === SR.CLOSED, 100));
  t.is(host.flags(1), 0);
  host.open(1, MODE_TCP, 5001);
  host.command(1, CR.CONNECT);
  host.wait(0.05);
  // ARP has been asked for; from here on nobody is there.
  const answers = host.onFrame;
  host.onFrame = (frame) => {
    if (frame[12] === 0x08 && frame[13] === 0x06) answers(frame);
  };
  host.wait(31_700);
  t.is(host.status(1), SR.SYNSENT);
  t.true(until(host, () => host.status(1) === SR.CLOSED, 300));
  t.is(host.flags(1), IR.TIMEOUT);
  t.is(host.sent.filter((f) => f.tcp?.flags === TCP.SYN).length, 1 + 9);
});

test("a port where nobody listens answers RST; with a host stack behind socket 0 the chip keeps still", async (t) => {
  for (const raw of [false, true]) {
    const host = new SocketHost();
    const peer = await host.peer();
    if (raw) host.open(0, 0x84, 0);
    const fd = peer.socket(SOCK_STREAM);
    peer.connect(fd, CHIP.address, 81);
    host.wait(100);
    t.is((peer.events(fd) & POLLHUP) !== 0, !raw);
    t.is(peer.takeError(fd), raw ? 0 : ECONNREFUSED);
  }
});

test("socket 0 in MACRAW mode beside a server: it does not see what is the server's", async (t) => {
  const host = new SocketHost();
  const peer = await host.peer();
  host.open(0, 0x84, 0);
  host.open(1, MODE_TCP, 80);
  host.command(1, CR.LISTEN);
  const fd = peer.socket(SOCK_STREAM);
  peer.connect(fd, CHIP.address, 80);
  t.true(host.take(1, IR.CON));
  host.wait(10);
  // The question for our MAC, which is to all.
  t.is(host.spi.read16(S0, 0x26), 62);
  exchange(t, { host, peer, fd }, pattern(1000), 5000);
  t.is(host.spi.read16(S0, 0x26), 62);
});

test("a window that the host has filled opens with RECV: nothing waits for a timer", async (t) => {
  const { host, peer, fd } = await served(t);
  t.true(peer.send(fd, pattern(6000)) >= 4000);
  host.wait(1000);
  t.is(host.get16(1, 0x26), 2048);
  t.is(host.recv(1).length, 2048);
  host.wait(2);
  t.true(host.get16(1, 0x26) >= 1460);
});

test("a peer that has gone: text is sent RCR + 1 times, then CLOSED with TIMEOUT; Sn_TX_FSR holds what is not acknowledged", async (t) => {
  const { host } = await served(t);
  host.onFrame = () => undefined;
  host.send(1, pattern(500));
  t.true(host.take(1, IR.SENDOK));
  t.is(host.get16(1, 0x20), 2048 - 500);
  t.is(host.get16(1, 0x22), 500);
  t.true(until(host, () => host.status(1) === SR.CLOSED, 32_000));
  t.is(host.flags(1), IR.TIMEOUT);
  t.is(host.sent.filter((f) => f.tcp?.data.length === 500).length, 9);
});

test("Sn_KPALVTR: five seconds a step, and a connection whose peer has gone is found out; SEND_KEEP asks at once", async (t) => {
  const { host, peer, fd } = await served(t);
  peer.send(fd, pattern(10));
  host.wait(300);
  const probes = (): number => host.sent.filter((f) => f.tcp?.data.length === 1).length;
  host.command(1, CR.SEND_KEEP);
  host.wait(10);
  t.deepEqual([probes(), host.status(1)], [1, SR.ESTABLISHED]);
  host.spi.write(socketBlock(1), 0x2f, 2);
  peer.send(fd, pattern(10));
  host.wait(10_100);
  t.is(probes(), 2);
  host.wait(10_100);
  t.is(probes(), 3);
  host.onFrame = () => undefined;
  t.true(until(host, () => host.status(1) === SR.CLOSED, 45_000));
  t.is(host.flags(1) & IR.TIMEOUT, IR.TIMEOUT);
});

test("CLOSE forgets a connection without a word; what comes for it is answered by RST", async (t) => {
  const { host, peer, fd } = await served(t);
  const before = host.sent.length;
  host.command(1, CR.CLOSE);
  t.is(host.status(1), SR.CLOSED);
  host.wait(100);
  t.is(host.sent.length, before);
  peer.send(fd, pattern(10));
  host.wait(10);
  t.is((host.sent[before]?.tcp?.flags ?? 0) & TCP.RST, TCP.RST);
});

test("a peer's RST: CLOSED with DISCON, and what has come can still be taken", async (t) => {
  const { host, peer, fd } = await served(t);
  peer.send(fd, pattern(100));
  host.wait(10);
  peer.abort(fd);
  host.wait(10);
  t.deepEqual([host.status(1), host.flags(1) & IR.DISCON], [SR.CLOSED, IR.DISCON]);
  t.deepEqual(host.recv(1), pattern(100));
});

test("two servers on one port take one connection each; a third is refused", async (t) => {
  const host = new SocketHost();
  const peer = await host.peer();
  host.spi.write(COMMON, 0x18, 0xff);
  for (const n of [1, 2]) {
    host.open(n, MODE_TCP, 80);
    host.command(n, CR.LISTEN);
  }
  const fds = [0, 1, 2].map(() => peer.socket(SOCK_STREAM));
  for (const fd of fds) peer.connect(fd, CHIP.address, 80);
  host.wait(100);
  t.deepEqual([host.status(1), host.status(2)], [SR.ESTABLISHED, SR.ESTABLISHED]);
  t.deepEqual(
    fds.map((fd) => peer.takeError(fd)),
    [0, 0, ECONNREFUSED],
  );
  t.is(host.spi.read8(COMMON, 0x17), 0x06);
  t.true(host.chip.interrupt);
});
