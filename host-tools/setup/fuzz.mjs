// `npm run fuzz`: the bad-input tests with a million frames for each seed.
process.env["FUZZ_FRAMES"] ??= "1000000";
process.argv.push("build/js/test/fuzz/*.test.js");
await import("./test.mjs");
