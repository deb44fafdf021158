import { spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import test from "ava";
import { diskFault, faultText } from "../../host-tools/errors.js";
import { fifoFolder } from "../../host-tools/fifos.js";
import { writeAll, writeFile } from "../../host-tools/project/write-file.js";
import { CLI } from "../support/cli.js";

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

// Linux alone has a device that is always full.
const onLinux = existsSync("/dev/full") ? test : test.skip;

onLinux("what the disk refuses is told with the name of the file, of an open one too", (t) => {
  const file = openSync("/dev/full", "w");
  t.teardown(() => closeSync(file));
  const error = t.throws(() => writeAll(file, "out.pcap", Buffer.from("frame")));
  t.is(diskFault(error), "cannot write out.pcap (ENOSPC): the disk is full");
  const whole = t.throws(() => writeFile("/dev/full", "image"));
  t.is(diskFault(whole), "cannot write /dev/full (ENOSPC): the disk is full");
});

onLinux(
  "a disk that has no room for what is printed is one line, and the command has failed",
  (t) => {
    const full = openSync("/dev/full", "w");
    t.teardown(() => closeSync(full));
    const { status, stderr } = spawnSync(process.execPath, [CLI, "--help"], {
      stdio: ["ignore", full, "pipe"],
      encoding: "utf8",
    });
    t.is(stderr, "as-tcpip: cannot write the output (ENOSPC): the disk is full\n");
    t.is(status, 1);
  },
);

test("where no FIFOs can be made it is one line, and no folder stays behind", (t) => {
  const prefix = `as-tcpip-no-fifos-${process.pid}-`;
  for (const program of ["no-such-program", process.execPath]) {
    const make = (): string => fifoFolder(prefix, ["--no-such-option"], program);
    t.throws(make, { message: /^cannot make FIFOs in .* \([^]*\); they need a POSIX system$/ });
  }
  t.deepEqual(
    readdirSync(tmpdir()).filter((name) => name.startsWith(prefix)),
    [],
  );
});
