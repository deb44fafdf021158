/** What differs between systems, with the rules of each tried here: paths, shells, editors, package managers. */
import { posix, win32 } from "node:path";
import test from "ava";
import {
  isSpelledSo,
  nameInside,
  outsideName,
  outsidePath,
} from "../../host-tools/build/tree-names.js";
import { UserError, diskFault } from "../../host-tools/errors.js";
import { isTaken, portError } from "../../host-tools/net/gateway.js";
import {
  folderDependency,
  isFromRegistry,
  isPackageName,
  nextSteps,
  packageManager,
  pnpmVersion,
} from "../../host-tools/project/begin.js";
import { decodeText, parseJson } from "../../host-tools/project/read-file.js";

test("a path in a folder has a name with slashes, in any spelling of its drive and case", (t) => {
  t.is(
    nameInside("C:\\Users\\me\\my lamp", "c:\\users\\ME\\my lamp\\src\\a.ts", win32),
    "src/a.ts",
  );
  t.is(nameInside("C:\\lamp", "C:\\lamp", win32), "");
  t.is(nameInside("C:\\lamp", "C:\\lamp2\\a.ts", win32), undefined);
  t.is(nameInside("C:\\lamp", "D:\\lamp\\a.ts", win32), undefined, "another drive");
  t.is(nameInside("C:\\lamp", "\\\\server\\share\\a.ts", win32), undefined);
  t.is(nameInside("/home/me", "/home/me/..a/b.ts", posix), "..a/b.ts");
  t.is(nameInside("/home/me", "/home/you/b.ts", posix), undefined);
});

test("a path elsewhere has a name that leads back to it: drives, shares, POSIX", (t) => {
  const there = (path: string, way: typeof win32): [string, string | undefined] => {
    const name = outsideName(path, way);
    const back = outsidePath(name, way);
    return [name, back === undefined ? undefined : way.normalize(back)];
  };
  t.deepEqual(there("D:\\parts\\a.ts", win32), ["outside/D/parts/a.ts", "D:\\parts\\a.ts"]);
  t.deepEqual(there("\\\\nas\\code\\a.ts", win32), [
    "outside/unc/nas/code/a.ts",
    "\\\\nas\\code\\a.ts",
  ]);
  t.deepEqual(there("/home/me/a.ts", posix), ["outside/home/me/a.ts", "/home/me/a.ts"]);
  t.is(outsidePath("project/a.ts", win32), undefined);
});

test("an import in other letters than the file's is none, though disks of Windows and macOS would find it", (t) => {
  const disk: Record<string, string[]> = { "C:\\lamp\\src": ["a.ts"], "C:\\lamp": ["src"] };
  const spelled = (way: string): boolean =>
    isSpelledSo("C:\\lamp\\src", way, (folder) => disk[folder] ?? [], win32);
  t.true(spelled("./a.ts"));
  t.true(spelled("../src/a.ts"));
  t.false(spelled("./A.ts"));
  t.false(spelled("../Src/a.ts"));
});

test("names that Windows keeps for devices, and such that npm refuses, are none for a project", (t) => {
  for (const name of ["my-lamp", "a", "con-trol", "com", "lamp.v2"])
    t.true(isPackageName(name), name);
  for (const name of ["con", "aux", "nul.js", "com1", "lpt9.x", "lamp.", "node_modules", "X", ""]) {
    t.false(isPackageName(name), name);
  }
});

test("the next steps can be pasted: a space is quoted, and PowerShell has no &&", (t) => {
  t.is(nextSteps("my-lamp", ["npm start"], "linux"), "next: cd my-lamp && npm start");
  t.is(
    nextSteps("my things/lamp", ["npm start"], "linux"),
    'next: cd "my things/lamp" && npm start',
  );
  t.is(nextSteps("..\\lamp", ["npm start"], "win32"), "next:\n  cd ..\\lamp\n  npm start");
});

test("a project is installed by the program that began it, and depends on what that has", (t) => {
  t.is(packageManager("pnpm/9.15.9 npm/? node/v20.20.2 linux x64"), "pnpm");
  t.is(packageManager("npm/11.19.1 node/v20.20.2 linux x64 workspaces/false"), "npm");
  t.is(packageManager(undefined), "npm");
  t.is(folderDependency("C:\\my things\\as-tcpip", win32), "file:C:/my things/as-tcpip");
  t.is(folderDependency("/opt/as-tcpip", posix), "file:/opt/as-tcpip");
  const store = (name: string): string => `/x/node_modules/.pnpm/${name}/node_modules/as-tcpip`;
  t.is(pnpmVersion(store("as-tcpip@0.1.0")), "0.1.0");
  t.is(pnpmVersion(store("as-tcpip@1.2.3-rc.1_koffi@3.3.4")), "1.2.3-rc.1");
  t.is(pnpmVersion(store("as-tcpip@0.1.0(koffi@3.3.4)").replaceAll("/", "\\")), "0.1.0");
  t.is(pnpmVersion(store("as-tcpip@file+..+as-tcpip-0.1.0.tgz")), undefined);
  t.is(pnpmVersion("/x/node_modules/as-tcpip"), undefined);
  t.true(isFromRegistry({ dependencies: { "as-tcpip": "^0.1.0" } }));
  t.true(isFromRegistry({ devDependencies: { "as-tcpip": "0.1.0" } }));
  t.false(isFromRegistry({ dependencies: { "as-tcpip": "file:../as-tcpip-0.1.0.tgz" } }));
  t.false(isFromRegistry({}));
});

test("a port that Windows keeps gives way like one in use; a low one on POSIX needs rights", (t) => {
  t.true(isTaken("EADDRINUSE", 80));
  t.true(isTaken("EACCES", 8080));
  t.false(isTaken("EACCES", 80));
  t.false(isTaken("EADDRNOTAVAIL", 8080));
  const told = (hostPort: number): string => {
    const forward = { protocol: "tcp", hostPort, devicePort: 80 } as const;
    return portError(Object.assign(new Error("x"), { code: "EACCES" }), forward, [forward]).message;
  };
  t.regex(told(8081), /^TCP port 8081 of 127\.0\.0\.1 is kept by the system.* forward:8082=80 /);
  t.regex(told(80), /^TCP port 80 of 127\.0\.0\.1 needs special rights.* forward:8081=80 /);
});

test("texts of Windows' editors and shells are read: byte order marks, UTF-16", (t) => {
  const text = "1 press\r\nü\r\n";
  t.is(decodeText(Buffer.from(text)), text);
  t.is(decodeText(Buffer.from(`\uFEFF${text}`)), text);
  t.is(decodeText(Buffer.from(`\uFEFF${text}`, "utf16le")), text);
  t.is(decodeText(Buffer.alloc(0)), "");
});

test("what is not JSON is one line, whatever stands in it", (t) => {
  const error = t.throws(() => parseJson('{\n  "options": {\n  },\n}', "app.json"), {
    instanceOf: UserError,
  });
  t.regex(error?.message ?? "", /^app\.json is not JSON: [^\n]+$/);
});

test("a full disk, a file in use: one line; a fault of ours keeps its stack", (t) => {
  const system = (code: string, syscall: string, more: object): Error =>
    Object.assign(new Error(code), { code, syscall, ...more });
  t.is(diskFault(system("ENOSPC", "write", {})), "cannot write a file (ENOSPC): the disk is full");
  t.is(
    diskFault(system("EPERM", "rename", { path: "a.work", dest: "a.elf" })),
    "cannot write a.elf (EPERM): there is no right to, or another program has it open",
  );
  t.is(diskFault(system("EACCES", "bind", {})), undefined);
  t.is(diskFault(system("ENOENT", "open", { path: "x" })), undefined);
  t.is(diskFault(new TypeError("x")), undefined);
});
