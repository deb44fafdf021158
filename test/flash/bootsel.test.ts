import test from "ava";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../host-tools/errors.js";
import { flashBootsel, touch, type BootselJob } from "../../host-tools/flash/bootsel.js";
import { fatMounts, findDrives } from "../../host-tools/flash/drives.js";
import { writeUf2 } from "../../host-tools/flash/image/uf2.js";
import { memoryBinding, type Peer } from "../support/bootloader-binding.js";
import { pattern, testHost } from "../support/bootloader-host.js";

const folders: string[] = [];

/** A folder like the boot drive. */
function drive(boardId = "RPI-RP2"): string {
  const folder = mkdtempSync(join(tmpdir(), "bootsel-"));
  folders.push(folder);
  const info = `UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: ${boardId}\r\n`;
  writeFileSync(join(folder, "INFO_UF2.TXT"), info);
  return folder;
}

test.after.always(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const uf2 = writeUf2([{ address: 0x10000000, data: pattern(40000) }]);

const job = (change: Partial<BootselJob> = {}): BootselJob => ({
  fileName: "board.uf2",
  uf2: async () => uf2,
  waitMs: 0,
  ...change,
});

test("RP2040 2.8.4: the drive is found by its INFO_UF2.TXT and gets the file", async (t) => {
  const folder = drive();
  const host = testHost({ drives: [drive("RP2350"), join(folder, "none"), folder] });
  const result = await flashBootsel(job(), host);
  t.deepEqual(result, { drive: folder, accepted: "file" });
  t.true(readFileSync(join(folder, "board.uf2")).equals(uf2));
});

test("the boot ROM reboots, and takes its drive away, when it has every block", async (t) => {
  const folder = drive();
  const host = testHost({ drives: [folder] });
  let done = 0;
  host.progress.update = (bytes) => {
    done = bytes;
    if (bytes === uf2.length) rmSync(join(folder, "INFO_UF2.TXT"));
  };
  t.is((await flashBootsel(job(), host)).accepted, "rebooted");
  t.is(done, uf2.length);
});

/** A drive whose last sync fails, as it does when the board reboots meanwhile; it goes after some looks, or never. */
function failingDrive(code: string, looks: number): ReturnType<typeof testHost> {
  const folder = drive();
  const host = testHost({ drives: [folder] });
  let syncs = 0;
  const { create } = host.drives;
  host.drives.isMountPoint = () => true;
  host.drives.create = async (path) => {
    const file = await create(path);
    return {
      write: file.write.bind(file) as typeof file.write,
      close: () => file.close(),
      sync: async () => {
        syncs += 1;
        if (syncs * 16384 < uf2.length + 16384 - 4096) return;
        if (looks < Infinity) {
          setTimeout(() => rmSync(join(folder, "INFO_UF2.TXT")), looks * host.timing.pollMs);
        }
        throw Object.assign(new Error(code), { code });
      },
    };
  };
  return host;
}

for (const code of ["EIO", "ENODEV"]) {
  test(`the last sync may fail with ${code} when the board has rebooted: the drive's end decides`, async (t) => {
    t.is((await flashBootsel(job(), failingDrive(code, 3))).accepted, "rebooted");
    const error = await t.throwsAsync(flashBootsel(job(), failingDrive(code, Infinity)), {
      instanceOf: UserError,
    });
    t.regex(error?.message ?? "", new RegExp(`failed \\(${code}\\).*still there.*incomplete`));
    t.is(error?.exitCode, 2);
  });
}

test("a named drive is used; one of another board, or none at all, is refused", async (t) => {
  const folder = drive();
  t.is((await flashBootsel(job({ drive: folder }), testHost({}))).drive, folder);
  const other = drive("RP2350");
  await t.throwsAsync(flashBootsel(job({ drive: other }), testHost({})), {
    instanceOf: UserError,
    message: /another board \(RP2350\)/,
  });
  await t.throwsAsync(flashBootsel(job({ drive: tmpdir() }), testHost({})), {
    instanceOf: UserError,
    message: /not the drive of a UF2 boot loader/,
  });
});

test("without a drive: what to press is said, then one line and no success", async (t) => {
  const host = testHost({});
  await t.throwsAsync(flashBootsel(job({ waitMs: 10 }), host), {
    instanceOf: UserError,
    message: /no drive RPI-RP2 came; hold BOOTSEL/,
  });
  t.deepEqual(host.said, [
    "Waiting for the drive RPI-RP2: hold BOOTSEL while plugging the board in " +
      "(or while pressing its reset)",
  ]);
});

test("a drive that comes while it is waited for is taken", async (t) => {
  const folder = drive();
  const host = testHost({});
  let looked = 0;
  host.drives.mounts = () => (++looked < 4 ? [] : [folder]);
  t.is((await flashBootsel(job({ waitMs: 1000 }), host)).drive, folder);
});

test("a drive that is not mounted and several drives: what to do is said", async (t) => {
  const unmounted = testHost({ unmounted: "/dev/disk/by-label/RPI-RP2" });
  await t.throwsAsync(flashBootsel(job(), unmounted), {
    message: /not mounted; mount \/dev\/disk\/by-label\/RPI-RP2 and give --drive DIR/,
  });
  const several = testHost({ drives: [drive(), drive()] });
  await t.throwsAsync(flashBootsel(job(), several), { message: /several boards.*--drive DIR/ });
});

test("a drive that cannot be written fails with exit code 2 and how much was done", async (t) => {
  const folder = drive();
  mkdirSync(join(folder, "board.uf2"));
  const error = await t.throwsAsync(flashBootsel(job({ drive: folder }), testHost({})), {
    instanceOf: UserError,
  });
  t.regex(error?.message ?? "", /the drive failed \(EISDIR\) after 0 of \d+ bytes.*incomplete/);
  t.is(error?.exitCode, 2);
});

test("1200-baud touch: the port is opened at 1200 baud and closed, then the drive comes", async (t) => {
  const folder = drive();
  const peer: Peer = {
    receive: () => undefined,
    onSend: () => undefined,
    onUnplug: () => undefined,
  };
  const { binding, record } = memoryBinding("/dev/ttyACM0", peer);
  const host = testHost({ binding });
  host.drives.mounts = () => (record.opened.length > 0 && record.openNow === 0 ? [folder] : []);
  const result = await flashBootsel(job({ touchPort: "/dev/ttyACM0", waitMs: 1000 }), host);
  t.is(result.drive, folder);
  t.like(record.opened[0], { baudRate: 1200 });
  t.is(record.openNow, 0);
});

test("a board that goes away during the touch has understood it", async (t) => {
  const peer: Peer = {
    receive: () => undefined,
    onSend: () => undefined,
    onUnplug: () => undefined,
  };
  const { binding } = memoryBinding("/dev/ttyACM0", peer);
  const host = testHost({ binding });
  const touched = touch("/dev/ttyACM0", host);
  setImmediate(() => peer.onUnplug());
  await t.notThrowsAsync(touched);
});

test("Linux mount table: only FAT file systems, spaces unescaped", (t) => {
  const table = [
    "/dev/sda1 / ext4 rw 0 0",
    "/dev/sdb1 /media/me/RPI-RP2 vfat rw,nosuid 0 0",
    "/dev/sdc1 /media/me/MY\\040DISK vfat rw 0 0",
    "server:/x /mnt/nfs nfs4 rw 0 0",
    "",
  ].join("\n");
  t.deepEqual(fatMounts(table), ["/media/me/RPI-RP2", "/media/me/MY DISK"]);
  const found = findDrives({ mounts: () => ["/nowhere"] });
  t.deepEqual(found, []);
});
