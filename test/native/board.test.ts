import test from "ava";
import { hasTool } from "../../host-tools/build/device/tools.js";
import { CC } from "../../host-tools/native/build.js";
import { Random } from "../../host-tools/sim/random.js";
import { deviceBench, talk, type DeviceBenchOptions } from "../support/device-bench.js";

const withCompiler = hasTool(CC) ? test.serial : test.serial.skip;
const BAD = { lossPercent: 5, reorderPercent: 5, duplicatePercent: 2, corruptPercent: 1 };

async function converse(
  options: DeviceBenchOptions,
  port: number,
  data: Uint8Array,
): Promise<{ answer: Buffer; errors: string[] }> {
  const here = await deviceBench({ ...options, native: true });
  const result: { answer?: Buffer } = {};
  here.peer.run(talk(here, port, data, result));
  const { reason, message } = here.world.run();
  if (reason !== "stopped") throw new Error(`${reason}: ${message ?? ""}`);
  const errors = here.world.log.filter(({ level }) => level === "error").map(({ text }) => text);
  return { answer: result.answer ?? Buffer.of(), errors };
}

for (const board of ["virtual-w5500", "virtual-enc28j60"]) {
  withCompiler(
    `guarded build, ${board}: driver, stack and demo run clean over a bad link`,
    async (t) => {
      const data = Buffer.alloc(30_000);
      new Random(9).fill(data);
      const { answer, errors } = await converse({ board, impairments: BAD }, 7, data);
      t.is(Buffer.compare(answer, data), 0);
      t.deepEqual(errors, []);
    },
  );

  withCompiler(`guarded build, ${board}: the page is served, and nonsense refused`, async (t) => {
    const get = Buffer.from(
      "GET /api/status HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n",
    );
    const page = await converse({ board }, 80, get);
    t.regex(page.answer.toString("latin1"), /^HTTP\/1\.1 200 /);
    const nonsense = Buffer.alloc(5000);
    new Random(3).fill(nonsense);
    t.regex(
      (await converse({ board }, 80, nonsense)).answer.toString("latin1"),
      /^HTTP\/1\.1 4\d\d /,
    );
  });
}
