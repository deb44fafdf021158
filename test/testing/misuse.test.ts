/** `as-tcpip/testing` in plain JavaScript: what TypeScript would have refused is an error, not a test that tries nothing. */
import test from "ava";
import {
  Lan,
  NicHarness,
  ScriptedSpi,
  type DeviceOptions,
} from "../../host-tools/testing/index.js";

test("misspelt options, a link that cannot be and a board of hardware are refused, each in a line", async (t) => {
  t.throws(() => new Lan({ sede: 7 } as object), {
    message: "a Lan has no option 'sede'; did you mean seed?",
  });
  const lan = new Lan();
  await lan.device({ app: "echo", name: "a" });
  const cases: [object, RegExp][] = [
    [{ ap: "echo" }, /^a device has no option 'ap'; did you mean app\?$/],
    [
      { link: { lossPercents: 5 } },
      /^link has no option 'lossPercents'; did you mean lossPercent\?$/,
    ],
    [
      { link: { lossPercent: 500 } },
      /^link\.lossPercent cannot be '500'; give a number from 0 to 100$/,
    ],
    [
      { link: { delayMs: "5" } },
      /^link\.delayMs cannot be '5'; give a number that is not negative$/,
    ],
    [
      { board: "w5500-evb-pico" },
      /^the board w5500-evb-pico is not a virtual one; tests run on virtual-w5500/,
    ],
    [{ name: "a" }, /^there is a device named 'a' already$/],
    [{ hostName: "a b c" }, /^'a b c' is not a host name; /],
  ];
  for (const [options, message] of cases) {
    await t.throwsAsync(lan.device({ app: "echo", ...options } as DeviceOptions), { message });
  }
});

test("devices that are asked for at the same time come in the order of asking", async (t) => {
  const lan = new Lan();
  const b = { app: "echo", name: "b" };
  const asked = [lan.host(), lan.device({ app: "echo", name: "a" }), lan.device(b), lan.device(b)];
  const come = await Promise.allSettled(asked);
  t.deepEqual(
    come.map(({ status }) => status),
    ["fulfilled", "fulfilled", "fulfilled", "rejected"],
  );
  t.deepEqual(
    lan.devices.map(({ name, mac }) => [name, mac]),
    [
      ["a", "02:00:00:00:01:01"],
      ["b", "02:00:00:00:01:02"],
    ],
  );
  lan.close();
});

test("a stream that is closed stays closed, whoever has its number now", async (t) => {
  const lan = new Lan();
  const device = await lan.device({ app: "echo" });
  const first = await device.connect(7);
  await t.throwsAsync(first.write(5 as never), { message: /must be a text or bytes, not number/ });
  first.close();
  const second = await device.connect(7);
  await t.throwsAsync(first.write("to nobody"), { message: "the stream is closed" });
  await t.throwsAsync(first.read(1), { message: "the stream is closed" });
  first.close();
  await second.write("hello");
  t.is((await second.read(5)).toString(), "hello");
});

test("a counter that does not exist is refused; what a test runner asks of every object is not", async (t) => {
  const lan = new Lan();
  const { counters } = await lan.device({ app: "echo", name: "a" });
  t.is(counters["UDP_IN"], 0);
  t.throws(() => counters["UDP_NOPORT"], {
    message: "a has no counter 'UDP_NOPORT'; did you mean UDP_NO_PORT?",
  });
  t.throws(() => counters["NOPE"], { message: /^a has no counter 'NOPE'; there are: .*UDP_IN/ });
  t.deepEqual(counters, { ...counters });
  t.is(JSON.parse(JSON.stringify(counters)).UDP_IN, 0);
  t.is(await Promise.resolve(counters), counters);
  const bench = await NicHarness.create({
    board: "virtual-w5500",
    chip: () => new ScriptedSpi(),
  });
  t.throws(() => (bench.counters as Record<string, number>)["rxFrame"], {
    message: "the driver has no counter 'rxFrame'; did you mean rxFrames?",
  });
});

test("a port of a host that is in use, or cannot be, is told in words", async (t) => {
  const lan = new Lan();
  const host = await lan.host("192.168.77.200");
  const listener = host.listen(80);
  t.throws(() => host.listen(80), {
    message:
      "the host at 192.168.77.200 cannot use TCP port 80: EADDRINUSE, the port is in use already",
  });
  listener.close();
  t.notThrows(() => host.listen(80).close());
  host.udp(53);
  t.throws(() => host.udp(53), { message: /cannot use UDP port 53: EADDRINUSE/ });
  t.throws(() => host.udp(70000), {
    message: "a port is a whole number up to 65535, not '70000'",
  });
});

test("so do a listener and a UDP socket", async (t) => {
  const lan = new Lan();
  const host = await lan.host();
  const listener = host.listen(80);
  const socket = host.udp(7);
  listener.close();
  socket.close();
  const [first, second] = [host.udp(9), host.udp(10)];
  listener.close();
  socket.close();
  await t.throwsAsync(listener.accept(), { message: "the listener is closed" });
  t.throws(() => socket.send("to nobody", "192.168.77.9", 9), { message: "the socket is closed" });
  await t.throwsAsync(socket.receive(), { message: "the socket is closed" });
  const peer = (await lan.host()).udp();
  for (const [heir, port] of [[first, 9] as const, [second, 10] as const]) {
    peer.send("hello", host.address, port);
    t.is((await heir.receive()).data.toString(), "hello");
  }
  lan.close();
});

test("a script takes bytes in any case and spacing, and nothing else", async (t) => {
  t.throws(() => new ScriptedSpi().expect("zz"), { message: /^'zz' is no byte of a script/ });
  t.throws(() => new ScriptedSpi().expect("00", "1"), { message: /^'1' is no byte of a script/ });
  const script = new ScriptedSpi().expect("0A  fF", "..  7B");
  script.select();
  t.deepEqual([script.exchange(0x0a), script.exchange(0xff)], [0, 0x7b]);
  script.deselect();
  t.is(script.left, 0);
  await t.throwsAsync(NicHarness.create({ board: "w5500-evb-pico", chip: () => script }), {
    message: /is not a virtual one/,
  });
});

test("a fault that a chip does not have is refused, and so is an option that the driver's bench does not have", async (t) => {
  const chips = await Promise.all(
    ["virtual-w5500", "virtual-enc28j60"].map(async (board) => {
      const lan = new Lan({ dhcp: false });
      return (await lan.device({ app: "echo", board })).chip;
    }),
  );
  for (const chip of chips) {
    t.throws(() => ((chip.faults as Record<string, number>)["badNextPointer"] = 1), {
      message: /badNextPointer/,
    });
  }
  const options = { board: "virtual-w5500", chips: () => new ScriptedSpi() };
  await t.throwsAsync(NicHarness.create(options as { board: string }), {
    message: "a NicHarness has no option 'chips'; did you mean chip?",
  });
});
