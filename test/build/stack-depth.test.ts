import test from "ava";
import { stackDepth } from "../../host-tools/build/device/stack-depth.js";
import { UserError } from "../../host-tools/errors.js";

/** A call graph as gcc writes it: names with frame bytes, and calls. */
function graph(frames: Record<string, number>, calls: [string, string][]): string {
  const nodes = Object.entries(frames).map(
    ([name, bytes]) =>
      `node: { title: "${name}" label: "${name}\\na.c:1:1\\n${bytes} bytes (static)" }`,
  );
  const edges = calls.map(
    ([from, to]) => `edge: { sourcename: "${from}" targetname: "${to}" label: "a.c:2:2" }`,
  );
  return ['graph: { title: "a.c"', ...nodes, ...edges, "}"].join("\n");
}

const ENDS = { start: 8, fault: 16 };
/** Exception frame and the fault handler. */
const FAULT = 36 + 16;

test("the bound is the deepest sum of frames, a fault at the deepest place included", (t) => {
  const depth = stackDepth([
    graph({ ...ENDS, a: 20, b: 100, c: 12 }, [
      ["start", "a"],
      ["start", "c"],
      ["a", "b"],
      ["c", "b"],
    ]),
  ]);
  t.is(depth.bytes, 8 + 20 + 100 + FAULT);
  t.deepEqual(depth.path, ["start", "a", "b"]);
});

test("calls lead from one C file to another", (t) => {
  const depth = stackDepth([graph(ENDS, [["start", "memcpy"]]), graph({ memcpy: 40 }, [])]);
  t.is(depth.bytes, 8 + 40 + FAULT);
});

test("a library function without figures counts as the largest of them", (t) => {
  const depth = stackDepth([graph(ENDS, [["start", "__aeabi_uidiv"]])]);
  t.is(depth.bytes, 8 + 48 + FAULT);
});

test("names in the path are those of the sources", (t) => {
  const name = "startup.c:w2c_app_stack0x2Ftcp0x2Finput0x2FtcpInput.constprop.0";
  const depth = stackDepth([graph({ ...ENDS, [name]: 4 }, [["start", name]])]);
  t.deepEqual(depth.path, ["start", "stack/tcp/input/tcpInput"]);
});

test("recursion has no bound: refused, with the circle", (t) => {
  const source = graph({ ...ENDS, a: 4, b: 4 }, [
    ["start", "a"],
    ["a", "b"],
    ["b", "a"],
  ]);
  const error = t.throws(() => stackDepth([source]), { instanceOf: UserError });
  t.is(error.message, "device code must not be recursive: a calls b calls a");
});

test("a call through a function value has no bound: refused", (t) => {
  const source = graph({ ...ENDS, a: 4 }, [
    ["start", "a"],
    ["a", "__indirect_call"],
  ]);
  const error = t.throws(() => stackDepth([source]), { instanceOf: UserError });
  t.regex(error.message, /^a calls through a function value/);
});
