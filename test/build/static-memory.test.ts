import test from "ava";
import { StaticMemory } from "../../host-tools/build/static-memory.js";
import { UserError } from "../../host-tools/errors.js";

const rewrite = (source: string, guard = 0): string =>
  new StaticMemory(guard).rewrite(source, "a.ts");

test("a buffer gets a constant with its size beside it, on its own line", (t) => {
  t.is(
    rewrite("const A: usize = memory.data(N * offsetof<R>(), 4);\nlet b = 1;"),
    "const A: usize = ((N * offsetof<R>()) != 0 ? memory.data(N * offsetof<R>(), 4) : 0); const A__bytes: u32 = <u32>(N * offsetof<R>());\nlet b = 1;",
  );
});

test("a record in a buffer, an exported buffer and one over several lines are found too", (t) => {
  t.regex(
    rewrite("export const P: Packet = changetype<Packet>(memory.data(offsetof<Packet>(), 4));"),
    / : 0\)\); const P__bytes: u32 = <u32>\(offsetof<Packet>\(\)\);$/,
  );
  const lines = rewrite("const A: usize = memory.data(\n  f(1, 2),\n  8,\n);\n");
  t.regex(lines, /const A__bytes: u32 = <u32>\(\s*f\(1, 2\)\);\n$/);
  t.is(lines.split("\n").length, 5);
});

test("bytes that are given one by one are counted", (t) => {
  t.regex(
    rewrite("const A: usize = memory.data<u16>([1, 2, 3]);"),
    /= <u32>\(3 \* sizeof<u16>\(\)\);/,
  );
});

test("a buffer of what an option leaves out has no byte; one that is certain to have some is not asked about", (t) => {
  t.is(
    rewrite("const A: usize = memory.data(ON ? 64 : 0, 4);").split(";")[0],
    "const A: usize = ((ON ? 64 : 0) != 0 ? memory.data(ON ? 64 : 0, 4) : 0)",
  );
  t.is(
    rewrite("const A: usize = memory.data(64, 4);").split(";")[0],
    "const A: usize = memory.data(64, 4)",
  );
});

test("with red zones a buffer is longer, and starts where a shadow byte does", (t) => {
  t.is(
    rewrite("const A: usize = memory.data(5, 4);", 32).split(";")[0],
    "const A: usize = memory.data((5) + 32, (4) > 8 ? (4) : 8)",
  );
});

test("comments that speak of memory.data are left alone", (t) => {
  const source = "/**\n * memory.data(1) is RAM\n */\n// memory.data(2)\n";
  t.is(rewrite(source), source);
});

test("memory without a name has no owner and is refused, with its place", (t) => {
  for (const source of [
    "\nreturn memory.data(4);",
    "\nlet a: usize = memory.data(4, 4);",
    "\nf(memory.data(4));",
  ]) {
    const error = t.throws(() => rewrite(source), { instanceOf: UserError });
    t.regex(error.message, /^a\.ts:2: memory\.data\(\) must be the value of a named constant/);
  }
});
