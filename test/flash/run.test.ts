import test from "ava";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../host-tools/errors.js";
import { flashFactsOf, unitsOf } from "../../host-tools/flash/board-facts.js";
import { writeHex } from "../../host-tools/flash/image/hex.js";
import { flatten } from "../../host-tools/flash/image/segments.js";
import { readUf2, writeUf2 } from "../../host-tools/flash/image/uf2.js";
import { describeReport, flash } from "../../host-tools/flash/run.js";
import { decodeSettings, encodeSettings } from "../../host-tools/settings.js";
import { loadBoard } from "../../host-tools/build/boards.js";
import { memoryBinding } from "../support/bootloader-binding.js";
import { BOARDS, flashRequest, pattern, testHost } from "../support/bootloader-host.js";
import { BootLoaderSimulator, CHIPS } from "../support/bootloader.js";

const folder = mkdtempSync(join(tmpdir(), "flash-"));
test.after.always(() => rmSync(folder, { recursive: true }));

/** Writes an image file and gives its path. */
function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const bin = file("image.bin", pattern(3000));

/** A host that fails the test when anything of it is touched. */
function untouchable(): ReturnType<typeof testHost> {
  const host = testHost({});
  const touched = (): never => {
    throw new Error("a dry run touched the machine");
  };
  return Object.assign(host, {
    binding: touched,
    ports: touched,
    drives: { mounts: touched, unmounted: touched, isMountPoint: touched, create: touched },
  });
}

test("--dry-run says addresses and sizes and touches nothing", async (t) => {
  const request = flashRequest({ image: bin, dryRun: true, settings: { hostname: "desk" } });
  const report = await flash(request, BOARDS.bluepill, untouchable());
  t.like(report, {
    board: "bluepill-w5500",
    method: "an3155",
    dryRun: true,
    bytes: 3128,
    verified: null,
  });
  t.deepEqual(report.segments, [
    { address: "0x08000000", bytes: 3000 },
    { address: "0x0800fc00", bytes: 128 },
  ]);
  t.deepEqual(
    report.erase.map((unit) => unit.address),
    ["0x08000000", "0x08000400", "0x08000800", "0x0800fc00"],
  );
  t.deepEqual(describeReport(report), [
    "Would write 3128 bytes to bluepill-w5500 by an3155:",
    "  0x08000000  3000 bytes",
    "  0x0800fc00  128 bytes",
    "Would erase 4096 bytes (4 units) first.",
    "Nothing was touched.",
  ]);
});

test("what lies outside of the board's flash is refused before anything is touched", async (t) => {
  const cases: [keyof typeof BOARDS, string, RegExp][] = [
    ["bluepill", file("large.bin", new Uint8Array(65537)), /0x08000000-0x08010000, outside/],
    [
      "bluepill",
      file("ram.hex", writeHex([{ address: 0x20000000, data: pattern(16) }])),
      /0x20000000-0x2000000f, outside of what bluepill-w5500 has/,
    ],
    [
      "espruinoPico",
      file("boot.hex", writeHex([{ address: 0x08000000, data: pattern(16) }])),
      /outside of what espruino-pico-w5500 has for it \(0x08010000-0x0805ffff\)/,
    ],
    ["pico", file("stm.hex", writeHex([{ address: 0x08000000, data: pattern(16) }])), /outside/],
    ["bluepill", file("empty.bin", ""), /the image is empty/],
    ["bluepill", file("what.txt", "hello"), /is not an image; give a/],
    ["bluepill", join(folder, "none.bin"), /cannot read .*ENOENT/],
    [
      "bluepill",
      file("pico.uf2", writeUf2([{ address: 0x10000000, data: pattern(16) }])),
      /does not take UF2/,
    ],
  ];
  for (const [board, image, message] of cases) {
    await t.throwsAsync(flash(flashRequest({ image }), BOARDS[board], untouchable()), {
      instanceOf: UserError,
      message,
    });
  }
});

test("RP2040: image and settings reach the drive as one UF2 file of whole sectors", async (t) => {
  const drive = mkdtempSync(join(folder, "drive-"));
  writeFileSync(join(drive, "INFO_UF2.TXT"), "Board-ID: RPI-RP2\r\n");
  const request = flashRequest({
    image: bin,
    drive,
    settings: { mac: "02:00:00:00:00:07", ip: "10.0.0.5/24", gateway: "10.0.0.1" },
  });
  const report = await flash(request, BOARDS.pico, testHost({}));
  t.like(report, { target: drive, verified: "file", started: false });
  const written = readUf2(readFileSync(join(drive, "w5500-evb-pico.uf2")));
  t.deepEqual(flatten(written, 0x10000000, 0x10000000 + 3000), pattern(3000));
  const settings = decodeSettings(flatten(written, 0x101ff000, 0x101ff080));
  t.deepEqual(settings, {
    mac: 0x020000000007,
    address: {
      address: 0x0a000005,
      mask: 0xffffff00,
      gateway: 0x0a000001,
      dns: 0x0a000001,
    },
  });
});

test("STM32: the whole way from file to flash, with the port chosen by itself", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  const { binding } = memoryBinding("/dev/ttyUSB0", simulator);
  const ports = [{ path: "/dev/ttyUSB0", kind: "adapter" as const, name: "CH340 adapter" }];
  const host = testHost({ binding, ports });
  const request = flashRequest({ image: bin, settings: { dhcp: true, hostname: "desk" } });
  const report = await flash(request, BOARDS.bluepill, host);
  t.like(report, {
    target: "/dev/ttyUSB0",
    chipId: "0x410",
    verified: "read-back",
    started: true,
  });
  t.true(host.said.includes("Using /dev/ttyUSB0 (CH340 adapter)"));
  t.deepEqual(simulator.content(0x08000000, 3000), pattern(3000));
  const block = Uint8Array.from(encodeSettings({ hostName: "desk" }));
  t.deepEqual(simulator.content(0x0800fc00, 128), block);
});

/** A builder of an image that notes what had been said when it was called. */
function builder(host: ReturnType<typeof testHost>): {
  image: () => Promise<string>;
  built: string[][];
} {
  const built: string[][] = [];
  const image = async (): Promise<string> => {
    built.push([...host.said]);
    return bin;
  };
  return { image, built };
}

test("a program is built once the board has answered, not before", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.f103);
  const { binding, record } = memoryBinding("/dev/ttyUSB0", simulator);
  const host = testHost({ binding });
  const adapter = { path: "/dev/ttyUSB0", kind: "adapter" as const, name: "CH340 adapter" };
  let looks = 0;
  host.ports = async () => (++looks > 2 ? [adapter] : []);
  const { image, built } = builder(host);
  const report = await flash(flashRequest({ image, waitMs: 1000 }), BOARDS.bluepill, host);
  t.like(report, { image: bin, bytes: 3000, verified: "read-back", started: true });
  t.is(record.opened.length, 1);
  t.deepEqual(built, [
    [
      "Waiting: no serial port fits; plug the board or its adapter in, or give --port PATH; then set BOOT0 to 1 (BOOT1 to 0) and press reset; the adapter goes to USART1",
      "Using /dev/ttyUSB0 (CH340 adapter)",
    ],
  ]);
});

test("no port, another chip, no drive: told without building anything", async (t) => {
  const refuse = async (
    board: keyof typeof BOARDS,
    host: ReturnType<typeof testHost>,
    message: RegExp,
    port?: string,
  ): Promise<void> => {
    const { image, built } = builder(host);
    const request = flashRequest({ image, ...(port !== undefined && { port }) });
    await t.throwsAsync(flash(request, BOARDS[board], host), { instanceOf: UserError, message });
    t.deepEqual(built, []);
  };
  await refuse("bluepill", testHost({}), /^no serial port fits/);
  const { binding } = memoryBinding("/dev/a", new BootLoaderSimulator(CHIPS.f401));
  await refuse("bluepill", testHost({ binding }), /chip reports id 0x433.*Is --board/, "/dev/a");
  await refuse("pico", testHost({}), /^no drive RPI-RP2 came; hold BOOTSEL/);
});

test("RP2040: a program is built when its drive is there", async (t) => {
  const drive = mkdtempSync(join(folder, "drive-"));
  writeFileSync(join(drive, "INFO_UF2.TXT"), "Board-ID: RPI-RP2\r\n");
  const host = testHost({ drives: [drive] });
  const { image, built } = builder(host);
  const report = await flash(flashRequest({ image }), BOARDS.pico, host);
  t.like(report, { image: bin, target: drive, verified: "file" });
  t.is(built.length, 1, "once, for the drive and the report");
});

test("an Espruino board by our own client: everything is erased, no Go", async (t) => {
  const simulator = new BootLoaderSimulator(CHIPS.espruinoPico);
  const { binding } = memoryBinding("/dev/ttyACM0", simulator);
  const request = flashRequest({ image: bin, method: "an3155", port: "/dev/ttyACM0" });
  const report = await flash(request, BOARDS.espruinoPico, testHost({ binding }));
  t.like(report, { verified: "read-back", started: false });
  t.is(report.erase[0]?.address, "0x08004000", "all but the boot loader, saved JavaScript too");
  t.deepEqual(simulator.content(0x08010000, 3000), pattern(3000));
  t.is(simulator.started, undefined);
  t.is(describeReport(report).at(-1), "Press reset to start the program.");
});

test("requests that contradict themselves or the board are refused in one line", async (t) => {
  const refuse = async (
    change: Parameters<typeof flashRequest>[0],
    board: keyof typeof BOARDS,
    message: RegExp,
  ): Promise<void> => {
    await t.throwsAsync(flash(flashRequest(change), BOARDS[board], untouchable()), {
      instanceOf: UserError,
      message,
    });
  };
  await refuse({}, "bluepill", /no image; give --app NAME or --image FILE/);
  await refuse({ image: bin, method: "jtag" }, "bluepill", /unknown method 'jtag'; there are:/);
  await refuse({ image: bin, method: "bootsel" }, "bluepill", /cannot be flashed by bootsel/);
  await refuse({ image: bin, method: "an3155" }, "pico", /cannot be flashed by an3155/);
  await refuse({ settingsOnly: true }, "espruinoPico", /erases everything/);
  await refuse({ image: bin, settings: { dhcp: true, ip: "10.0.0.5/24" } }, "pico", /exclude/);
  await refuse({ image: bin, settings: { gateway: "10.0.0.1" } }, "pico", /add --ip/);
  await refuse({ image: bin, settings: { dns2: "10.0.0.1" } }, "pico", /add --ip2/);
  await refuse({ image: bin, settings: { ip2: "10.0.0.5/24" } }, "pico", /one Ethernet chip/);
  await refuse({ image: bin, settings: { mac: "nonsense" } }, "pico", /nonsense/);
  await refuse({ image: bin, settings: { dhcp: true } }, "f401", /keeps no settings/);
  const full = file("full.bin", new Uint8Array(65536));
  await refuse({ image: full, settings: { dhcp: true } }, "bluepill", /reaches into the settings/);
});

test("board facts: erase units of the families, and boards without a flash", (t) => {
  const { f401, bluepill } = BOARDS;
  t.deepEqual(
    f401.units.map((unit) => unit.bytes / 1024),
    [16, 16, 16, 16, 64, 128, 128],
  );
  t.is(bluepill.units.length, 64);
  t.deepEqual(
    unitsOf(f401, 0x0800ffff, 2).map((unit) => unit.number),
    [3, 4],
  );
  t.throws(() => flashFactsOf(loadBoard("virtual-w5500")), {
    instanceOf: UserError,
    message: /virtual-w5500 exists only in the simulator/,
  });
});
