import test from "ava";
import { faultText } from "../../host-tools/errors.js";

test("a fault of the tools keeps its stack, says whose it is, and ends with what a report needs", (t) => {
  const error = new TypeError("x is undefined");
  const lines = faultText(error, ["sim", "--board", "b"], "1.2.3").trimEnd().split("\n");
  t.is(lines[0], "TypeError: x is undefined");
  t.regex(lines[1] as string, /^ {4}at .*fault\.test/);
  t.regex(lines.at(-2) as string, /fault of as-tcpip itself\. Please report it/);
  t.is(
    lines.at(-1),
    `as-tcpip 1.2.3, ${process.platform} ${process.arch}, Node ${process.version}: as-tcpip sim --board b`,
  );
});

test("what is thrown need not be an error", (t) => {
  t.is(faultText("odd", [], "1").split("\n")[0], "odd");
});
