import test from "ava";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeFrame, FRAME } from "../../host-tools/log/frames.js";
import { packageRoot } from "../../host-tools/root.js";
import { pattern } from "../support/bootloader-host.js";
import { hasPty, openPty } from "../support/bootloader-pty.js";
import { BootLoaderSimulator, CHIPS } from "../support/bootloader.js";

const CLI = join(packageRoot, "build/js/host-tools/cli.js");
const folder = mkdtempSync(join(tmpdir(), "flash-command-"));
test.after.always(() => rmSync(folder, { recursive: true }));

const image = join(folder, "image.bin");
writeFileSync(image, pattern(2000));
writeFileSync(join(folder, "image.messages.json"), '["info: started %u"]');

interface Run {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the command line; `onOutput` sees what it has printed so far. */
function run(
  args: string[],
  onOutput: (child: ChildProcess, out: string) => void = () => undefined,
): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (bytes: Buffer) => {
      out += bytes.toString();
      onOutput(child, out);
    });
    child.stderr.on("data", (bytes: Buffer) => (err += bytes.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
  });
}

test("flash --dry-run --json: what would be written, exit code 0", async (t) => {
  const { code, out } = await run(
    ["flash", "--board", "bluepill-w5500", "--image", image, "--dry-run", "--json"].concat([
      "--hostname",
      "desk",
    ]),
  );
  t.is(code, 0);
  t.like(JSON.parse(out), { board: "bluepill-w5500", dryRun: true, bytes: 2128, verified: null });
});

test("flash: mistakes are one line and not exit code 0", async (t) => {
  const cases: [string[], RegExp][] = [
    [["flash", "--image", image], /--board/],
    [["flash", "--board", "nonsense", "--image", image], /unknown board 'nonsense'; there are:/],
    [["flash", "--board", "virtual-w5500", "--image", image], /only in the simulator/],
    [["flash", "--board", "bluepill-w5500", "--image", image, "--app", "demo"], /exclude/],
    [["flash", "--board", "bluepill-w5500", "--image", image, "--baud", "x"], /--baud/],
    [["flash", "--board", "bluepill-w5500", "--image", image, "--port", "/dev/no"], /no port/],
    [["flash", "--board", "bluepill-w5500", "--image", image, "--erase", "some"], /erase/],
    [["monitor", "--port", "/dev/no"], /there is no port \/dev\/no/],
    [["monitor", "--level", "loud"], /level/],
  ];
  const runs = cases.map(async ([args, message]) => {
    const { code, out, err } = await run(args);
    t.not(code, 0, args.join(" "));
    t.is(out, "");
    const lines = err.trim().split("\n");
    t.regex(lines.at(-1) as string, message, args.join(" "));
    t.true((lines.at(-1) as string).startsWith("as-tcpip: "), err);
  });
  await Promise.all(runs);
});

test("flash to a drive: the file is the image, exit code 0", async (t) => {
  const drive = mkdtempSync(join(folder, "drive-"));
  writeFileSync(join(drive, "INFO_UF2.TXT"), "Board-ID: RPI-RP2\r\n");
  const args = ["flash", "--board", "w5500-evb-pico", "--image", image, "--drive", drive];
  const { code, out } = await run(args);
  t.is(code, 0);
  t.regex(out, /Wrote 2000 bytes to w5500-evb-pico by bootsel:\n {2}0x10000000 {2}2000 bytes/);
  const uf2 = readFileSync(join(drive, "w5500-evb-pico.uf2"));
  t.deepEqual(Uint8Array.from(uf2.subarray(32, 288)), pattern(256));
});

test("flash --monitor: writes, verifies, starts, attaches to the same port; Ctrl-C is 0", async (t) => {
  if (!hasPty) return t.pass("no pseudo-terminals on this system");
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  const pty = openPty(simulator);
  // The program that was started says so again and again, as the monitor may come late.
  const frame = encodeFrame(FRAME.LOG, Uint8Array.of(0, 0, 1, 42, 0, 0, 0));
  const heartbeat = setInterval(() => {
    if (simulator.started !== undefined) simulator.onSend(frame);
  }, 50);
  try {
    const { code, out, err } = await run(
      ["flash", "--board", "bluepill-w5500", "--image", image, "--port", pty.path, "--monitor"],
      (child, output) => {
        // As npm does, which passes on the signal that the terminal has sent to all.
        if (output.includes("started 42")) for (let n = 0; n < 2; n++) child.kill("SIGINT");
      },
    );
    t.is(code, 0, err);
    t.regex(out, /Verified: what was read back equals the image\./);
    t.regex(out, /\d\d:\d\d:\d\d\.\d{3} {2}info {3}started 42/);
    t.notRegex(err, /in use/);
    t.deepEqual(simulator.content(0x08000000, 2000), pattern(2000));
  } finally {
    clearInterval(heartbeat);
    pty.close();
  }
});

test("flash: a board that refuses is exit code 2, one that keeps wrong bytes 3", async (t) => {
  if (!hasPty) return t.pass("no pseudo-terminals on this system");
  const refusing = new BootLoaderSimulator(CHIPS.f103);
  refusing.fault = (step) => (step === "write" ? "nack" : undefined);
  const worn = new BootLoaderSimulator(CHIPS.f103);
  worn.worn = 0x08000001;
  for (const [simulator, expected] of [
    [refusing, 2],
    [worn, 3],
  ] as const) {
    const pty = openPty(simulator);
    try {
      const args = ["flash", "--board", "bluepill-w5500", "--image", image, "--port", pty.path];
      const { code, out, err } = await run(args);
      t.is(code, expected, err);
      t.is(out, "", "nothing that reads like a success");
    } finally {
      pty.close();
    }
  }
});
