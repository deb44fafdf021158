/** Test files that take longest: they begin first, so that all lanes end together. */
const LONG = [
  "native/wire",
  "package/install",
  "conformance/mutation",
  "qemu/serve",
  "end-to-end/command-line",
  "posix/posix",
  "boards/facts",
  "bench/bench",
  "build/sources",
  "native/board",
  "rp2040/hal",
];

/** Place of a file in the order: long ones first, all others behind them by name. */
function rank(file) {
  const path = file.replaceAll("\\", "/");
  const place = LONG.findIndex((name) => path.endsWith(`test/${name}.test.js`));
  return place < 0 ? LONG.length : place;
}

export default {
  files: ["build/js/test/**/*.test.js"],
  // One more than the cores of the smallest machine: many of the tests wait for what runs in real time.
  concurrency: 3,
  timeout: "20m",
  workerThreads: false,
  sortTestFiles: (a, b) => rank(a) - rank(b) || (a < b ? -1 : 1),
};
