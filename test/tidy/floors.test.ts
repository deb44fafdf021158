/** The house has floors, and nobody calls upstairs: docs/architecture.md says why. */
import test from "ava";
import { circles, sources, type Source } from "./source-tree.js";

/** Floors of `stack/`, the lowest first. A name is a file or a folder; those in one line may use each other. */
const FLOORS = [
  [
    "wire",
    "now",
    "random",
    "statistics",
    "posix",
    "errors",
    "config",
    "options",
    "readiness",
    "bit-set",
  ],
  ["rate-limit", "time"],
  ["interface", "link", "scratch"],
  ["arp", "ip", "icmp"],
  ["udp", "tcp", "raw", "local"],
  ["socket"],
  ["dhcp", "dns", "mdns"],
  ["demux", "stack"],
];

function floorOf(path: string): number {
  const name = (path.split("/")[1] as string).replace(/\.ts$/, "");
  return FLOORS.findIndex((floor) => floor.includes(name));
}

test("stack/: every file has a floor, and imports only downwards", (t) => {
  const upwards: string[] = [];
  for (const file of sources("stack")) {
    t.not(floorOf(file.path), -1, `${file.path} has no floor: add it to FLOORS`);
    for (const { path } of file.imports) {
      if (!path.startsWith("stack/")) upwards.push(`${file.path} -> ${path}`);
      else if (floorOf(path) > floorOf(file.path)) upwards.push(`${file.path} -> ${path}`);
    }
  }
  t.deepEqual(upwards, []);
});

test("firmware -> drivers -> hal and firmware -> stack: nothing else", (t) => {
  const allowed: Record<string, string[]> = {
    stack: ["stack"],
    drivers: ["drivers", "hal"],
    hal: ["hal"],
    firmware: ["firmware", "stack", "drivers", "hal"],
  };
  const wrong: string[] = [];
  for (const file of sources("stack", "drivers", "hal", "firmware")) {
    const top = file.path.split("/")[0] as string;
    for (const { path } of file.imports) {
      if (!allowed[top]?.includes(path.split("/")[0] as string))
        wrong.push(`${file.path} -> ${path}`);
    }
  }
  t.deepEqual(wrong, []);
});

test("services and their web server are above the POSIX face: of the stack they know sizes and errors alone", (t) => {
  const wrong: string[] = [];
  for (const file of sources("firmware")) {
    if (!file.path.startsWith("firmware/services/")) continue;
    for (const { path } of file.imports) {
      const known = /^firmware\/|^stack\/(config|errors|posix)\.ts$/.test(path);
      if (!known) wrong.push(`${file.path} -> ${path}`);
    }
    if (file.bound.some((name) => name !== "board")) wrong.push(`${file.path} -> ${file.bound}`);
  }
  t.deepEqual(wrong, []);
});

test("no circle of imports: the number is 0", (t) => {
  t.deepEqual(circles(sources("stack", "drivers", "hal", "firmware")), []);
});

test('what "mcu" lists does not import "mcu" itself', (t) => {
  const files = new Map(sources("hal").map((file) => [file.path, file]));
  const wrong: string[] = [];
  for (const path of files.keys()) {
    if (!/^hal\/\w+\/mcu\.ts$/.test(path)) continue;
    const seen = new Set([path]);
    for (const at of seen) {
      const file = files.get(at);
      if (file?.bound.includes("mcu")) wrong.push(`${path}: ${at}`);
      for (const to of file?.imports ?? []) seen.add(to.path);
    }
  }
  t.deepEqual(wrong, []);
});

test("the finder of circles finds one", (t) => {
  const file = (path: string, to: string): Source => ({
    path,
    text: "",
    imports: [{ path: to, names: [] }],
    bound: [],
  });
  t.deepEqual(circles([file("a", "b"), file("b", "c"), file("c", "b")]), [["b", "c"]]);
});
