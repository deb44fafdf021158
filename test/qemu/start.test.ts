import { compileFirmware } from "../../host-tools/build/compile.js";
import { hostedFirmware } from "../../host-tools/net/hosted-stack.js";
import { emptySettings } from "../../host-tools/settings.js";
import { LED_PIN } from "../../host-tools/sim/pins.js";
import { parseScript } from "../../host-tools/sim/script-parse.js";
import { ScriptRun } from "../../host-tools/sim/script-run.js";
import { bootLoader } from "../../host-tools/sim/qemu/machine.js";
import { VirtualWorld } from "../../host-tools/sim/world-virtual.js";
import { loadBoard } from "../../host-tools/build/boards.js";
import { qemuTest } from "./support.js";
import type { RunResult } from "../../host-tools/sim/world-device.js";

async function run(board: string, app: string): Promise<RunResult & { said: string[] }> {
  const firmware = await compileFirmware({ board, app });
  const world = await VirtualWorld.create({
    firmware,
    settings: emptySettings(),
    seed: 1,
    dhcp: false,
    timeoutNs: 2e9,
  });
  const result = world.run();
  return { ...result, said: world.log.map((line) => line.text) };
}

const starts: [string, string][] = [
  ["bluepill-w5500", "8000000"],
  ["espruino-pico-w5500", "8010000"],
];

for (const [board, vectors] of starts) {
  qemuTest(
    `${board}: start-up sets VTOR, and SysTick ends a sleep with interrupts masked`,
    async (t) => {
      const { reason, message, said } = await run(board, "test/device/stm32-core");
      t.is(reason, "timeout", message);
      t.deepEqual(said.slice(-4), [
        `vectors at ${vectors}`,
        "slept to the end: 1",
        "slept to the end: 1",
        "slept to the end: 1",
      ]);
    },
  );
}

qemuTest(
  "Espruino images are started behind a boot loader whose stack has no room; other boards have none",
  (t) => {
    // One push on that stack is a fault: start-up must set its own before it calls anything.
    const [stub] = bootLoader(loadBoard("espruino-pico-w5500"));
    t.is(stub?.address, 0x08000000);
    t.is(Buffer.from(stub?.data as Uint8Array).readUInt32LE(0), 0x20000000);
    t.deepEqual(bootLoader(loadBoard("bluepill-w5500")), []);
  },
);

qemuTest(
  "the button and the LED of an STM32's simulation are those of a virtual board",
  async (t) => {
    const world = await VirtualWorld.create({
      firmware: await compileFirmware({ board: "bluepill-w5500", app: "test/device/pins" }),
      settings: emptySettings(),
      seed: 1,
      gateway: await hostedFirmware(),
      onLog: ({ text }) => script?.log(text),
    });
    const text = 'expect log "lease"\npress 0.2\nexpect led on\n+1 press\nexpect led off';
    const script: ScriptRun = new ScriptRun(parseScript(text, "pins"), world);
    const { pins } = world.device.machine;
    if (pins) pins.onChange = (pin, high) => pin === LED_PIN && script.led(high);
    const { reason } = world.run();
    t.is(script.failure ?? reason, "stopped");
  },
);

qemuTest(
  "a failed assertion is reported over the UART by start-up, and ends the run as a trap",
  async (t) => {
    const { reason, message } = await run("espruino-pico-enc28j60", "test/device/trap");
    t.is(reason, "trap");
    t.regex(message ?? "", /a failed assertion in test\/device\/trap\/main.* \(0x80[0-9a-f]+\)/);
  },
);
