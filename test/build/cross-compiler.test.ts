import { PassThrough } from "node:stream";
import test from "ava";
import { mayInstall, type Asking } from "../../host-tools/setup/cross-compiler.js";

/** A person who types `answer`, or nothing but the end of the input. */
function person(answer: string, change: Partial<Asking> = {}): Asking & { asked(): string } {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true });
  input.end(answer);
  return {
    ...{ wanted: false, ci: undefined, input, output },
    asked: () => String(output.read() ?? ""),
    ...change,
  };
}

test("a person is asked before Debian packages are installed, and may say no", async (t) => {
  for (const [answer, expected] of [
    ["y\n", true],
    ["\n", true],
    ["YES\n", true],
    ["n\n", false],
    ["what?\n", false],
    ["", false],
  ] as const) {
    const asking = person(answer);
    t.is(await mayInstall(asking), expected, JSON.stringify(answer));
    t.regex(asking.asked(), /gcc-arm-none-eabi and .* \(about 500 MB\) by apt-get\? \[Y\/n\] /);
  }
});

test("--install, CI and a command without a terminal are a yes without a question", async (t) => {
  const mute = Object.assign(new PassThrough(), { isTTY: false });
  for (const change of [{ wanted: true }, { ci: "true" }, { input: mute }, { output: mute }]) {
    const asking = person("n\n", change);
    t.true(await mayInstall(asking));
    t.is(asking.asked(), "");
  }
});
