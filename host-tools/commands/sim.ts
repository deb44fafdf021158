import type { Command } from "commander";
import { appTitle } from "../build/apps.js";
import { loadBoard, type Board } from "../build/boards.js";
import {
  compileFirmware,
  requireProgram,
  type CompileRequest,
  type Firmware,
} from "../build/compile.js";
import { UserError } from "../errors.js";
import { TapAdapter } from "../net/tap.js";
import { encodeSettings } from "../settings.js";
import { isSimulated } from "../sim/machine-load.js";
import type { DeviceSpec, RunResult } from "../sim/world-device.js";
import { onStop } from "../terminal.js";
import type { DeviceThread } from "../sim/world-threads.js";
import { fileOf, type SimDevice } from "./sim-devices.js";
import { endOf, judge } from "./sim-judge.js";
import { Rebuilder, type Ready } from "./sim-watch.js";
import { startWorld } from "./sim-worlds.js";
import { WatchCompiler } from "./watch-compiler.js";
import { SimOutput } from "./sim-output.js";
import {
  addSimOptions,
  parseSimOptions,
  type RawSimOptions,
  type SimOptions,
} from "./sim-options.js";

/** `as-tcpip sim`: any application on any board that can be simulated. */
export function register(program: Command): void {
  addSimOptions(
    program.command("sim").description("run an application on a simulated board"),
  ).action((raw: RawSimOptions) => runSimulation(parseSimOptions(raw)));
}

/** Runs a simulation to its end; the exit code is 0 unless a device failed or an expected text did not come. */
export async function runSimulation(options: SimOptions): Promise<void> {
  const output = new SimOutput(options);
  const { net, subnet, devices } = options;
  const boards = devices.map(({ board, name }) =>
    simulatedBoard(board, name !== undefined && net.kind === "none"),
  );
  devices.forEach(({ settings }, i) => {
    const board = boards[i] as Board;
    if (!settings.second || board["nic2"] !== undefined) return;
    throw new UserError(`${board.name} has one Ethernet chip; leave --ip2 out`);
  });
  // Rights first: they are missing more often than firmware is wrong, and compiling takes longer.
  const tap = net.kind === "tap" ? await TapAdapter.open(net.name, subnet) : undefined;
  for (const { app } of devices) requireProgram(app);
  devices.forEach(({ app, name }, i) => output.begin(boards[i] as Board, appTitle(app), name));
  if (!options.watch) {
    await runOnce(options, await buildAll(options, compileEach), output, tap);
    return;
  }
  const compiler = new WatchCompiler();
  const build = (): Promise<Ready[]> =>
    buildAll(options, (requests) =>
      compiler.compile(requests.map((request) => ({ ...request, draft: true }))),
    );
  let rebuilder: Rebuilder | undefined;
  try {
    let ready = await build();
    rebuilder = new Rebuilder(ready, build, output);
    for (;;) {
      const next = await runOnce(options, ready, output, tap, rebuilder.next());
      if (next === undefined) return;
      ready = next;
    }
  } finally {
    rebuilder?.close();
    await compiler.close();
  }
}

type Compile = (requests: CompileRequest[]) => Promise<Firmware[]>;

const compileEach: Compile = async (requests) => {
  const firmware: Firmware[] = [];
  for (const request of requests) firmware.push(await compileFirmware(request));
  return firmware;
};

async function buildAll(options: SimOptions, compile: Compile): Promise<Ready[]> {
  const { devices } = options;
  const firmware = await compile(
    devices.map(({ board, app, name, options: own }) => ({
      ...{ board, app, fiber: options.net.kind === "none" && name !== undefined },
      options: { ...own, ...options.options },
    })),
  );
  return devices.map((device, i) => ({
    device,
    spec: specOf(options, device, i, firmware[i] as Firmware),
  }));
}

/** Runs until the end, or until there is another firmware, which is then the result. */
async function runOnce(
  options: SimOptions,
  ready: Ready[],
  output: SimOutput,
  tap: TapAdapter | undefined,
  rebuilt: Promise<Ready[]> = new Promise(() => undefined),
): Promise<Ready[] | undefined> {
  const running = await startWorld(options, ready, output, tap);
  const halt = (): void => running.threads.forEach((thread) => thread.stop());
  let interrupt: (nothing: undefined) => void = () => undefined;
  const interrupted = new Promise<undefined>((resolve) => (interrupt = resolve));
  const stop = (): void => {
    interrupt(undefined);
    halt();
  };
  const restore = onStop(
    stop,
    buttonKeys(ready, running.threads, output, options.net.kind === "none"),
  );
  output.onClosed = stop;
  let limited = false;
  const limit = setTimeout(
    () => {
      limited = true;
      stop();
    },
    (options.limit ?? 0) * 1000,
  );
  if (options.limit === undefined) clearTimeout(limit);
  const ends = firstEnd(running.threads, options.devices);
  try {
    const first = await Promise.race([ends, rebuilt]);
    if (Array.isArray(first)) {
      halt();
      await ends;
      return first;
    }
    const { result: end, name } = first;
    const result: RunResult =
      limited && end.reason === "stopped" ? { ...end, reason: "limit" } : end;
    output.ended(result, running.frames(), name);
    if (options.watch && (result.reason === "trap" || result.reason === "hung")) {
      output.note(`${endOf(result, name)}; it starts again with the next change.`);
      return await Promise.race([rebuilt, interrupted]);
    }
    judge(options, result, running.failure(), name);
    return undefined;
  } finally {
    clearTimeout(limit);
    restore();
    running.close();
  }
}

/** True for a firmware that reads a pin. */
function hasButton(firmware: Firmware): boolean {
  return Buffer.from(firmware.wasm).includes("gpioRead");
}

/** Keys press buttons: b that of the first device that has one, of several 1 to 9 that of the device of this number. */
function buttonKeys(
  ready: Ready[],
  threads: DeviceThread[],
  output: SimOutput,
  virtual: boolean,
): (key: string) => void {
  const first = ready.findIndex(({ spec }) => hasButton(spec.firmware));
  // In virtual time nobody could be quick enough.
  if (first < 0 || virtual) return () => undefined;
  const name = ready[first]?.device.name;
  output.note(
    name === undefined
      ? "Key b presses the button."
      : `Key b presses the button of ${name}; 1 to ${Math.min(9, ready.length)} that of each device.`,
  );
  return (key) => threads[key === "b" ? first : Number(key) - 1]?.press();
}

/** The board; `together`: it shares a thread with others, which only a virtual board can. */
function simulatedBoard(name: string, together: boolean): Board {
  const board = loadBoard(name);
  const can = isSimulated(board.target) && board.chip !== "none";
  if (can && together && board.target !== "wasm") {
    throw new UserError(
      `with --net none several devices need virtual boards, as virtual-w5500, and ${name} is none`,
    );
  }
  if (can) return board;
  throw new UserError(
    `the board ${name} cannot be simulated; use --board virtual-w5500 or virtual-enc28j60`,
  );
}

function specOf(
  options: SimOptions,
  device: SimDevice,
  index: number,
  firmware: Firmware,
): DeviceSpec {
  const { settings } = device;
  return {
    firmware,
    settings: encodeSettings(settings),
    secondSubnet: settings.second && {
      address: settings.second.gateway,
      mask: settings.second.mask,
    },
    seed: (options.seed + index) >>> 0,
    pcap: fileOf(options.pcap, device),
    vcd: fileOf(options.vcd, device),
    timeoutNs: options.timeoutNs,
    expect: options.expect,
    failText: options.failText,
  };
}

/** The first device that ends, ends the run; the others are stopped. */
async function firstEnd(
  threads: DeviceThread[],
  devices: SimDevice[],
): Promise<{ result: RunResult; name: string | undefined }> {
  const only = devices.length === 1 ? devices[0]?.name : undefined;
  const ends = threads.map(async (thread, i) => {
    const result = await thread.ended;
    // Of several devices in one thread the result says which.
    return { result, name: threads.length > 1 ? devices[i]?.name : (result.device ?? only) };
  });
  try {
    return await Promise.race(ends);
  } finally {
    for (const thread of threads) thread.stop();
    await Promise.allSettled(ends);
  }
}
