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
